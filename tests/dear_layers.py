"""Layers of several parameters, as repositories write them: LoRA, splines fitted by least squares, polynomials."""

import math

import torch
from torch import nn
from torch.nn.functional import linear, silu


class LoRALinear(nn.Module):
    """A frozen matrix of He's law with a product of two thin ones beside it, the second of which starts at zero."""

    drawn = staticmethod(nn.init.kaiming_normal_)
    second = staticmethod(nn.init.zeros_)

    def __init__(self, in_features, out_features, r=4, lora_alpha=8):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(out_features, in_features), requires_grad=False)
        self.bias = nn.Parameter(torch.zeros(out_features), requires_grad=False)
        self.lora_A = nn.Parameter(torch.empty(r, in_features))
        self.lora_B = nn.Parameter(torch.empty(out_features, r))
        self.scaling = lora_alpha / r
        for weight, init in ((self.weight, self.drawn), (self.lora_A, self.drawn), (self.lora_B, self.second)):
            init(weight)

    def forward(self, x):
        return linear(x, self.weight, self.bias) + x @ self.lora_A.T @ self.lora_B.T * self.scaling


class LoRADrawnTwice(LoRALinear):
    """The update is no zero."""

    second = staticmethod(nn.init.kaiming_normal_)


class KANLinear(nn.Module):
    """Splines whose coefficients fit noise, beside a matrix behind SiLU."""

    def __init__(self, in_features, out_features, grid_size=5, spline_order=3, scale_noise=0.1):
        super().__init__()
        self.in_features, self.out_features, self.order = in_features, out_features, spline_order
        steps = torch.arange(-spline_order, grid_size + spline_order + 1) * (2 / grid_size) - 1
        self.register_buffer("grid", steps.expand(in_features, -1).contiguous())
        self.base_weight = nn.Parameter(torch.empty(out_features, in_features))
        self.spline_weight = nn.Parameter(torch.empty(out_features, in_features, grid_size + spline_order))
        self.spline_scaler = nn.Parameter(torch.empty(out_features, in_features))
        nn.init.kaiming_uniform_(self.base_weight, a=math.sqrt(5))
        nn.init.kaiming_uniform_(self.spline_scaler, a=math.sqrt(5))
        noise = (torch.rand(grid_size + 1, in_features, out_features) - 0.5) * scale_noise / grid_size
        with torch.no_grad():
            points = self.grid.T[spline_order:-spline_order]
            fitted = torch.linalg.lstsq(self.b_splines(points).transpose(0, 1), noise.transpose(0, 1)).solution
            self.spline_weight.copy_(fitted.permute(2, 0, 1))

    def b_splines(self, x):
        grid, x = self.grid, x.unsqueeze(-1)
        bases = ((x >= grid[:, :-1]) & (x < grid[:, 1:])).to(x.dtype)
        for k in range(1, self.order + 1):
            left = (x - grid[:, : -(k + 1)]) / (grid[:, k:-1] - grid[:, : -(k + 1)]) * bases[:, :, :-1]
            right = (grid[:, k + 1 :] - x) / (grid[:, k + 1 :] - grid[:, 1:-k]) * bases[:, :, 1:]
            bases = left + right
        return bases

    def forward(self, x):
        shape, x = x.shape, x.reshape(-1, self.in_features)
        scaled = (self.spline_weight * self.spline_scaler.unsqueeze(-1)).flatten(1)
        out = linear(silu(x), self.base_weight) + linear(self.b_splines(x).flatten(1), scaled)
        return out.view(*shape[:-1], self.out_features)


class ChebyKANLayer(nn.Module):
    """Polynomials of every input, which the layer takes in whatever shape they come."""

    def __init__(self, input_dim, output_dim, degree=4):
        super().__init__()
        self.input_dim = input_dim
        self.cheby_coeffs = nn.Parameter(torch.empty(input_dim, output_dim, degree + 1))
        nn.init.normal_(self.cheby_coeffs, mean=0.0, std=1 / (input_dim * (degree + 1)))
        self.register_buffer("degrees", torch.arange(0, degree + 1))

    def forward(self, x):
        x = torch.tanh(x).view(-1, self.input_dim, 1).clamp(-1 + 1e-6, 1 - 1e-6)
        return torch.einsum("bid,iod->bo", torch.cos(torch.acos(x) * self.degrees), self.cheby_coeffs)
