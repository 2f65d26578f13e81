"""The names of schemes, and what PyTorch's own layer of the same kind starts from."""

from __future__ import annotations

import math
import re

from initcheck.starts.parameter_law import CUT, ParameterLaw

_BY_LAW = {
    ("fan_in", 2.0): "He (Kaiming) {family}", ("fan_in", 1.0): "LeCun {family}",
    ("fan_avg", 1.0): "Glorot (Xavier) {family}", ("fan_out", 2.0): "He (Kaiming) {family} of fan_out",
    ("fan_out", 1.0): "LeCun {family} of fan_out", ("fan_avg", 2.0): "He (Kaiming) {family} of the average fan",
}  # fmt: skip
_FAMILIES = {"uniform": "uniform", "normal": "normal", "truncated_normal": "normal, truncated"}

# What PyTorch starts from, by kind of layer: weight, bias. A constant is of 1/fan_in unless it says otherwise.
_KIN = (
    (r"MultiHeadAttention|MultiheadAttention|Attention$", "nn.MultiheadAttention", "attention"),
    (r"ConvTranspose|Conv\dDTranspose", "nn.ConvTranspose", "conv"),
    (r"Conv|Depthwise|Separable", "nn.Conv", "conv"),
    (r"LSTM", "nn.LSTM", "recurrent"), (r"GRU|MGU", "nn.GRU", "recurrent"), (r"RNN", "nn.RNN", "recurrent"),
    (r"Embed", "nn.Embedding", "embedding"),
    (r"Norm", "nn.LayerNorm", "norm"),
    (r"Bilinear", "nn.Bilinear", "bilinear"),
    (r"Linear|Dense|MLP|Einsum", "nn.Linear", "linear"),
    (r"PReLU|PRelu", "nn.PReLU", "prelu"),
)  # fmt: skip


def scheme_name(law: ParameterLaw) -> str:
    """What a law is called; empty where it has no name.

    >>> scheme_name(ParameterLaw("w", (2, 2), "uniform", "", constant=1 / 3, fan="fan_in"))
    "PyTorch's default: kaiming_uniform_(a=sqrt(5))"
    """
    if law.family == "orthogonal":
        return "orthogonal (Saxe et al. 2014)"
    if law.constant is None or law.fan is None:
        return ""
    if law.family == "uniform" and _is(law.constant, 1 / 3) and law.fan == "fan_in":
        # Of a bias no helper is called: its bound is written out.
        bias = "bias" in law.name.rpartition(".")[2]
        return "PyTorch's default of a bias" if bias else "PyTorch's default: kaiming_uniform_(a=sqrt(5))"
    if law.family == "uniform" and _is(law.constant, 1 / 3) and law.fan in ("hidden", "in1"):
        return "PyTorch's default of recurrent layers" if law.fan == "hidden" else "PyTorch's default of nn.Bilinear"
    if law.family == "uniform" and _is(law.constant, 0.5) and law.fan == "fan_in" and "in_proj" in law.name:
        return "Glorot (Xavier) uniform of q, k and v packed"
    if law.family == "uniform" and _is(law.constant, 1 / 3) and law.fan == "fan_out":
        if "bias" in law.name.rpartition(".")[2]:
            return "PyTorch's default of a bias, whose fan_in is this layer's fan_out"
        return "PyTorch's default: kaiming_uniform_(a=sqrt(5)), whose fan_in is this layer's fan_out"
    family, counted = _FAMILIES.get(law.family), law.fan.removeprefix("the shape's ")
    if law.family == "truncated_normal" and any(_is(law.constant, CUT * k) for k in (1.0, 2.0)):
        meant = "He" if _is(law.constant, CUT * 2) else "LeCun" if counted == "fan_in" else "Glorot"
        meant = "std 1" if law.fan == "1" else meant
        return f"{meant}, cut at two standard deviations and not corrected: 0.774 of the variance that was meant"
    for (fan, constant), name in _BY_LAW.items():
        if family and counted == fan and _is(law.constant, constant):
            whose = " of the fans that the shape shows, which are not the layer's" if counted != law.fan else ""
            return name.format(family=family) + whose
    if law.fan == "1" and law.family in ("normal", "truncated_normal"):
        std = math.sqrt(law.constant)
        return {0.02: "BERT and GPT-2's fixed std", 1.0: "a standard normal"}.get(round(std, 6), "")
    return ""


def kin_of(layer: str) -> tuple[str, str] | None:
    """PyTorch's layer of the same kind, and the kind; None of what has none.

    >>> kin_of("Conv2DTranspose"), kin_of("LayerNormalization"), kin_of("Dropout")
    (('nn.ConvTranspose', 'conv'), ('nn.LayerNorm', 'norm'), None)
    """
    return next(((name, kind) for pattern, name, kind in _KIN if re.search(pattern, layer)), None)


def is_recurrent(layer: str) -> bool:
    """Whether a layer of that name is a recurrent one."""
    kin = kin_of(layer)
    return kin is not None and kin[1] == "recurrent"


def beside_pytorch(layer: str, law: ParameterLaw) -> str:
    """PyTorch's default of the kin in words, and how a law differs from it; empty where there is no kin."""
    kin = kin_of(layer)
    if kin is None:
        return ""
    name, kind = kin
    last = law.name.rpartition(".")[2].lower()
    if kind == "norm" or kind == "prelu":
        wanted = "0.25" if kind == "prelu" else "zero" if "bias" in last or "beta" in last else "one"
        same = law.text == wanted or (kind == "prelu" and law.text.endswith("is 0.25"))
        return f"{name} starts it at {wanted}: {'the same' if same else 'another'}"
    bias = "bias" in last
    if kind == "embedding":
        theirs, constant = "normal, std 1", 1.0
        ours = law.std**2 if law.std is not None and law.fan in (None, "1") else None
    elif kind == "attention" and bias:
        return f"{name} starts it at zero: {'the same' if law.family == 'zeros' else 'another'}"
    elif kind == "attention" and "out" not in law.name.lower():
        theirs, constant = "uniform +-sqrt(6/(E + 3E)) on q, k, v packed (Glorot on the packed matrix)", 0.5
        ours = law.std**2 * law.fan_in if law.std is not None and law.fan_in else None
    elif kind == "bilinear":
        theirs, constant = "uniform +-1/sqrt(in1)", 1 / 3
        ours = law.constant if law.fan == "in1" else None
    elif kind == "recurrent":
        theirs, constant = "uniform +-1/sqrt(hidden)", 1 / 3
        ours = law.constant if law.fan == "hidden" else None
    else:
        theirs, constant = "uniform +-1/sqrt(fan_in)", 1 / 3
        ours = law.std**2 * law.fan_in if law.std is not None and law.fan_in else None
    if law.family in ("zeros", "ones", "fixed", "constant"):
        return f"{name} draws it {theirs}: here it is {law.text}"
    if ours is None and law.fan is None and law.fan_in is None:
        return f"{name} draws it {theirs}"  # nothing is known here that it could be compared with
    if ours is None:
        return f"{name} draws it {theirs}: another law"
    ratio = ours / constant
    if abs(ratio - 1) < 0.03:
        same = law.family == ("normal" if kind == "embedding" else "uniform")
        return f"{name}, {theirs}: " + ("the same" if same else f"the same variance, here {law.family}")
    return f"{name} draws it {theirs}: here the variance is {ratio:.3g} times as large"


def _is(constant: float, number: float) -> bool:
    return abs(constant / number - 1) < 1e-3
