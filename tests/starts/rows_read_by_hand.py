"""Sixty rows of the atlas, read off the sources of the libraries: law, number, file, line, what stands there.

The numbers are second moments at fan_in 12, fan_out 20, hidden 5, width 7, in1 3, worked out from the source line: of a
uniform on +-b it is b^2 / 3. Lines are those of torch 2.13.0, keras 3.15.1, flax 0.12.8, equinox 0.13.8, jax 0.10.2.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["ROWS", "WIDTHS", "Read"]

WIDTHS = {"fan_in": 12.0, "fan_out": 20.0, "fan_avg": 16.0, "hidden": 5.0, "width": 7.0, "in1": 3.0}


class Read(NamedTuple):
    """One row as somebody read it."""

    layer: str
    parameter: str
    law: str
    number: float
    file: str
    line: int
    stands: str


_T, _K, _L, _N, _E = "torch/nn/modules/", "keras/src/layers/", "flax/linen/", "flax/nnx/nn/", "equinox/nn/"
_KAIMING = "init.kaiming_uniform_(self.weight, a=math.sqrt(5))"
_BIAS = "bound = 1 / math.sqrt(fan_in) if fan_in > 0 else 0"
_STDV = "stdv = 1.0 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0"
_GLOROT, _ORTHOGONAL = 'kernel_initializer="glorot_uniform"', 'recurrent_initializer="orthogonal"'
_LECUN = "default_kernel_init = initializers.lecun_normal()"
_FLAX_ORTHOGONAL = "recurrent_kernel_init: Initializer = initializers.orthogonal()"
_EQX = "jrandom.uniform(key, shape, dtype, minval=-lim, maxval=lim)"

ROWS = [
    # kaiming_uniform_(a = sqrt 5): bound sqrt(3) * sqrt(2 / 6) / sqrt(fan_in) = 1 / sqrt(fan_in), b^2 / 3 = 1 / 36.
    Read("torch.nn.Linear", "weight", "uniform", 1 / 36, f"{_T}linear.py", 124, _KAIMING),
    Read("torch.nn.Linear", "bias", "uniform", 1 / 36, f"{_T}linear.py", 127, _BIAS),
    Read(
        "torch.nn.Bilinear",
        "weight",
        "uniform",
        1 / 9,
        f"{_T}linear.py",
        238,
        "bound = 1 / math.sqrt(self.weight.size(1))",
    ),
    Read(
        "torch.nn.Bilinear", "bias", "uniform", 1 / 9, f"{_T}linear.py", 241, "init.uniform_(self.bias, -bound, bound)"
    ),
    Read("torch.nn.Conv1d", "weight", "uniform", 1 / 36, f"{_T}conv.py", 196, _KAIMING),
    Read("torch.nn.Conv2d", "bias", "uniform", 1 / 36, f"{_T}conv.py", 200, _BIAS),
    Read("torch.nn.ConvTranspose2d", "weight", "uniform", 1 / 36, f"{_T}conv.py", 196, _KAIMING),
    Read("torch.nn.RNN", "weight_ih_l0", "uniform", 1 / 15, f"{_T}rnn.py", 309, _STDV),
    Read("torch.nn.LSTM", "weight_hh_l0", "uniform", 1 / 15, f"{_T}rnn.py", 309, _STDV),
    Read("torch.nn.LSTM", "bias_ih_l0", "uniform", 1 / 15, f"{_T}rnn.py", 311, "init.uniform_(weight, -stdv, stdv)"),
    Read("torch.nn.GRU", "weight_ih_l0", "uniform", 1 / 15, f"{_T}rnn.py", 309, _STDV),
    Read("torch.nn.GRUCell", "weight_hh", "uniform", 1 / 15, f"{_T}rnn.py", 1537, _STDV),
    # Glorot of the packed matrix (3 E, E): b^2 = 6 / (E + 3 E), b^2 / 3 = 1 / (2 E) = 1 / 24.
    Read(
        "torch.nn.MultiheadAttention",
        "in_proj_weight",
        "uniform",
        1 / 24,
        f"{_T}activation.py",
        1234,
        "xavier_uniform_(self.in_proj_weight)",
    ),
    Read(
        "torch.nn.MultiheadAttention",
        "in_proj_bias",
        "zero",
        0,
        f"{_T}activation.py",
        1241,
        "constant_(self.in_proj_bias, 0.0)",
    ),
    Read("torch.nn.MultiheadAttention", "out_proj.weight", "uniform", 1 / 36, f"{_T}linear.py", 124, _KAIMING),
    Read(
        "torch.nn.MultiheadAttention",
        "out_proj.bias",
        "zero",
        0,
        f"{_T}activation.py",
        1242,
        "constant_(self.out_proj.bias, 0.0)",
    ),
    Read("torch.nn.TransformerEncoderLayer", "linear1.weight", "uniform", 1 / 36, f"{_T}linear.py", 124, _KAIMING),
    Read("torch.nn.Embedding", "weight", "normal", 1, f"{_T}sparse.py", 180, "init.normal_(self.weight)"),
    Read("torch.nn.EmbeddingBag", "weight", "normal", 1, f"{_T}sparse.py", 417, "init.normal_(self.weight)"),
    Read("torch.nn.LayerNorm", "weight", "one", 1, f"{_T}normalization.py", 223, "init.ones_(self.weight)"),
    Read("torch.nn.LayerNorm", "bias", "zero", 0, f"{_T}normalization.py", 225, "init.zeros_(self.bias)"),
    Read("torch.nn.BatchNorm2d", "weight", "one", 1, f"{_T}batchnorm.py", 102, "init.ones_(self.weight)"),
    Read("torch.nn.RMSNorm", "weight", "one", 1, f"{_T}normalization.py", 421, "init.ones_(self.weight)"),
    Read("torch.nn.PReLU", "weight", "constant", 0.25**2, f"{_T}activation.py", 1629, "init: float = 0.25"),
    # Glorot: b^2 = 6 / (fan_in + fan_out) = 3 / fan_avg, b^2 / 3 = 1 / 16.
    Read("keras.layers.Dense", "kernel", "uniform", 1 / 16, f"{_K}core/dense.py", 89, _GLOROT),
    Read("keras.layers.Dense", "bias", "zero", 0, f"{_K}core/dense.py", 90, 'bias_initializer="zeros"'),
    Read("keras.layers.LSTM", "lstm_cell.kernel", "uniform", 1 / 16, f"{_K}rnn/lstm.py", 94, _GLOROT),
    # (hidden, 4 hidden) of orthonormal rows: 4 hidden entries of a row have sum of squares 1.
    Read("keras.layers.LSTM", "lstm_cell.recurrent_kernel", "orthogonal", 1 / 20, f"{_K}rnn/lstm.py", 95, _ORTHOGONAL),
    Read("keras.layers.GRU", "gru_cell.kernel", "uniform", 1 / 16, f"{_K}rnn/gru.py", 92, _GLOROT),
    Read("keras.layers.GRU", "gru_cell.recurrent_kernel", "orthogonal", 1 / 15, f"{_K}rnn/gru.py", 93, _ORTHOGONAL),
    Read(
        "keras.layers.SimpleRNN",
        "simple_rnn_cell.recurrent_kernel",
        "orthogonal",
        1 / 5,
        f"{_K}rnn/simple_rnn.py",
        85,
        _ORTHOGONAL,
    ),
    Read(
        "keras.layers.SimpleRNN",
        "simple_rnn_cell.bias",
        "zero",
        0,
        f"{_K}rnn/simple_rnn.py",
        86,
        'bias_initializer="zeros"',
    ),
    Read(
        "keras.layers.Embedding",
        "embeddings",
        "uniform",
        0.05**2 / 3,
        "keras/src/initializers/random_initializers.py",
        181,
        "minval=-0.05, maxval=0.05",
    ),
    Read("keras.layers.EinsumDense", "kernel", "uniform", 1 / 16, f"{_K}core/einsum_dense.py", 133, _GLOROT),
    Read("keras.layers.Conv1D", "kernel", "uniform", 1 / 16, f"{_K}convolutional/conv1d.py", 106, _GLOROT),
    Read(
        "keras.layers.DepthwiseConv1D",
        "kernel",
        "uniform",
        1 / 16,
        f"{_K}convolutional/depthwise_conv1d.py",
        110,
        'depthwise_initializer="glorot_uniform"',
    ),
    Read(
        "keras.layers.LayerNormalization",
        "gamma",
        "one",
        1,
        f"{_K}normalization/layer_normalization.py",
        112,
        'gamma_initializer="ones"',
    ),
    Read("keras.layers.PReLU", "alpha", "zero", 0, f"{_K}activations/prelu.py", 36, 'alpha_initializer="Zeros"'),
    # lecun_normal: cut at two sigma and corrected, 1 / fan_in.
    Read("flax.linen.SimpleCell", "i.kernel", "truncated", 1 / 12, f"{_L}linear.py", 49, _LECUN),
    Read("flax.linen.LSTMCell", "ii.kernel", "truncated", 1 / 12, f"{_L}linear.py", 49, _LECUN),
    Read("flax.linen.LSTMCell", "hf.kernel", "orthogonal", 1 / 5, f"{_L}recurrent.py", 128, _FLAX_ORTHOGONAL),
    Read(
        "flax.linen.LSTMCell",
        "hf.bias",
        "zero",
        0,
        f"{_L}recurrent.py",
        129,
        "bias_init: Initializer = initializers.zeros_init()",
    ),
    Read("flax.linen.GRUCell", "hn.kernel", "orthogonal", 1 / 5, f"{_L}recurrent.py", 548, _FLAX_ORTHOGONAL),
    Read(
        "flax.linen.MGUCell",
        "if.bias",
        "one",
        1,
        f"{_L}recurrent.py",
        678,
        "forget_bias_init: Initializer = initializers.ones_init()",
    ),
    Read(
        "flax.linen.MultiHeadDotProductAttention",
        "out.kernel",
        "truncated",
        1 / 12,
        f"{_L}attention.py",
        389,
        "kernel_init: Initializer = default_kernel_init",
    ),
    Read(
        "flax.linen.PReLU",
        "negative_slope",
        "constant",
        0.01**2,
        f"{_L}activation.py",
        82,
        "negative_slope_init: float = 0.01",
    ),
    Read(
        "flax.nnx.LSTMCell",
        "hf.kernel",
        "orthogonal",
        1 / 5,
        f"{_N}recurrent.py",
        92,
        "initializer = initializers.orthogonal()",
    ),
    # One matrix (hidden, 3 hidden) of orthonormal rows.
    Read("flax.nnx.GRUCell", "dense_h.kernel", "orthogonal", 1 / 15, f"{_N}recurrent.py", 641, _FLAX_ORTHOGONAL),
    Read("flax.nnx.Linear", "kernel", "truncated", 1 / 12, f"{_N}linear.py", 48, _LECUN),
    Read(
        "flax.nnx.Conv",
        "kernel",
        "truncated",
        1 / 12,
        f"{_N}linear.py",
        731,
        "kernel_init: Initializer = default_kernel_init",
    ),
    # in_axis and out_axis are both the axis of the vocabulary: fan_in is then the width.
    Read("flax.nnx.Embed", "embedding", "normal", 1 / 7, f"{_N}linear.py", 1213, "1.0, 'fan_in', 'normal', out_axis=0"),
    Read(
        "flax.nnx.LoRA",
        "lora_a",
        "uniform",
        1 / 6,
        f"{_N}lora.py",
        32,
        "default_a_initializer = initializers.he_uniform()",
    ),
    Read("flax.nnx.LoRA", "lora_b", "zero", 0, f"{_N}lora.py", 33, "default_b_initializer = initializers.zeros"),
    Read("equinox.nn.Linear", "weight", "uniform", 1 / 36, f"{_E}_linear.py", 57, "lim = 1 / math.sqrt(in_features_)"),
    Read("equinox.nn.Linear", "bias", "uniform", 1 / 36, f"{_E}_misc.py", 43, _EQX),
    Read(
        "equinox.nn.Conv2d",
        "weight",
        "uniform",
        1 / 36,
        f"{_E}_conv.py",
        170,
        "lim = 1 / math.sqrt(grouped_in_channels * math.prod(kernel_size))",
    ),
    Read("equinox.nn.Embedding", "weight", "normal", 1, f"{_E}_embedding.py", 65, "self.weight = jrandom.normal("),
    Read("equinox.nn.GRUCell", "bias_n", "uniform", 1 / 15, f"{_E}_rnn.py", 67, "lim = math.sqrt(1 / hidden_size)"),
    Read(
        "equinox.nn.LSTMCell", "weight_hh", "uniform", 1 / 15, f"{_E}_rnn.py", 165, "lim = math.sqrt(1 / hidden_size)"
    ),
    Read(
        "equinox.nn.PReLU",
        "negative_slope",
        "constant",
        0.25**2,
        f"{_E}_activations.py",
        20,
        "init_alpha: float | Array | None = 0.25",
    ),
]
