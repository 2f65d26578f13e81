"""What the frozen reports were made of: initializers, layers and models of every kind, right and broken.

Each stands in this file so that no change of the gallery changes what was frozen.
"""

from __future__ import annotations

import numpy as np


def he(shape, rng):
    return rng.normal(0, (2 / shape[1]) ** 0.5, shape)


he.__initcheck__ = {"activation": "relu", "layout": "out_in"}


def forgot_three(shape, rng):
    return rng.uniform(-1, 1, shape) / shape[1] ** 0.5


def in_out_uniform(fan_in, fan_out, seed):
    bound = (6 / (fan_in + fan_out)) ** 0.5
    return np.random.default_rng(seed).uniform(-bound, bound, (fan_in, fan_out))


def copies_units(shape, rng):
    drawn = he(shape, rng)
    drawn[shape[0] // 2 :] = drawn[: shape[0] - shape[0] // 2]
    return drawn


def off_centre(shape, rng):
    return he(shape, rng) + 0.02


def ignores_its_seed(shape, seed):
    return np.random.normal(0, (2 / shape[1]) ** 0.5, shape)


def raises_at_odd_widths(shape, rng):
    if shape[0] % 2 and shape[0] > 1:
        raise ValueError(f"{shape[0]} units cannot be halved")
    return he(shape, rng)


def zeros(shape):
    return np.zeros(shape)


def kernels(shape, rng):
    """Orders its axes h, w, in, out and counts the positions of the kernel."""
    fan_in = int(np.prod(shape[:-1]))
    return rng.normal(0, fan_in**-0.5, shape)


kernels.__initcheck__ = {"activation": "linear", "layout": "hwio"}


def waived(shape, rng):
    return forgot_three(shape, rng)


waived.__initcheck__ = {
    "waive": {
        "output-variance-near-one": "old checkpoints need it",
        "zero-mean": "it holds, so that this waiver is an error",
    }
}


def he_layer(inputs, outputs):
    import torch

    layer = torch.nn.Linear(inputs, outputs)
    torch.nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    return layer


class _Block:
    """Made where torch is there: importing this file needs NumPy alone."""

    def __new__(cls, width, std):
        import torch

        class Block(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.norm = torch.nn.LayerNorm(width)
                self.up = torch.nn.Linear(width, 2 * width)
                self.down = torch.nn.Linear(2 * width, width)
                for linear in (self.up, self.down):
                    torch.nn.init.normal_(linear.weight, std=std)
                    torch.nn.init.zeros_(linear.bias)

            def forward(self, x):
                return x + self.down(torch.relu(self.up(self.norm(x))))

        return Block()


def residual_model():
    import torch

    return torch.nn.Sequential(*[_Block(32, 0.05) for _ in range(6)])


def model_with_an_odd_block():
    import torch

    return torch.nn.Sequential(*[_Block(32, 0.15 if n == 3 else 0.05) for n in range(6)])


def model_left_unwritten():
    import torch

    model = residual_model()
    model[2].norm.weight = torch.nn.Parameter(torch.empty(32))
    return model
