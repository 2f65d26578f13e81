"""Keras on its torch backend: the backend is chosen at import, so a process of its own is asked."""

import os
import subprocess
import sys

CODE = """
import dataclasses, keras
from initcheck.layers.fans import structure_of
from initcheck.layers.recognition import layer_initializer
assert keras.backend.backend() == "torch"
for cls, widths in ((keras.layers.Conv2DTranspose, (8, 32)), (keras.layers.GRU, (32, 8))):
    sampler = layer_initializer(cls, cls.__name__, {}).sampler
    plain = [s for s in sampler.sizes if s.probe or (s.inputs, s.outputs, s.stride) == (*widths, 1)]
    found = structure_of(dataclasses.replace(sampler, sizes=tuple(plain)))
    print(sorted({(p.weight, p.fans) for p in found.parts}))
"""


def test_keras_on_torch_gives_the_fans_it_gives_on_jax():
    environment = {**os.environ, "KERAS_BACKEND": "torch"}
    done = subprocess.run([sys.executable, "-c", CODE], env=environment, check=True, capture_output=True, text=True)
    assert done.stdout.splitlines() == [
        "[('kernel', (72.0, 288.0))]",
        "[('gru_cell.kernel', (32.0, 8.0)), ('gru_cell.recurrent_kernel', (8.0, 8.0))]",
    ]
