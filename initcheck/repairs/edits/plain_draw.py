"""The whole body written anew: every weight drawn on its own, as the contract has it, from what the caller hands in."""

from __future__ import annotations

import ast

from initcheck.adapters.signatures.signature import role_of
from initcheck.contract.contract import Contract
from initcheck.contract.gains import required_power
from initcheck.contract.standard_laws import truncated_std
from initcheck.repairs.edits.edit import Edit, is_text
from initcheck.repairs.edits.function_source import Change, FunctionSource


def plain_draw(source: FunctionSource, contract: Contract, framework: str, family: str) -> Edit | None:
    """The body of a plain initializer that keeps the contract; None where its parameters tell no shape.

    Args:
        source: of the function whose body is replaced.
        contract: that it is held to.
        framework: whose arrays it makes.
        family: the marginal law it has today, which stays where the contract names none.
    """
    roles = {role_of(name): name for name in reversed(source.names)}
    shape = roles.get("shape") or (f"tuple({roles['tensor']}.shape)" if "tensor" in roles else None)
    if shape is None:
        return None
    law = contract.promised("distribution") or _kept(family, contract)
    std = std_text(contract, shape, many_axes=source.many_axes)
    lines: list[str] | None
    if framework == "torch":
        lines = _torch(roles, shape, law, std, contract)
    elif framework in ("jax", "flax", "equinox", "keras"):
        lines = _jax(roles, shape, law, std, contract)
    else:
        lines = _numpy(roles, shape, law, std, contract, source)
    if lines is None:
        return None
    if "math." in "".join(lines) and not source.knows("math"):
        lines = ["import math", "", *lines]
    body = [s for s in source.tree.body if not is_text(s)]
    if not body:
        return None
    inner = " " * source.tree.body[0].col_offset
    start, end = source.span(body[0])[0], source.span(body[-1])[1]
    text = f"\n{inner}".join(lines)
    how = "write it anew, orthogonal" if law == "orthogonal" else "draw every weight on its own"
    return Edit("body", f"{how}: {lines[-1]}", (Change(start, end, text),))


def _kept(family: str, contract: Contract) -> str:
    """The law of today, where it is one that can keep the contract; else a normal."""
    return family if family == "uniform" or (family == "orthogonal" and contract.entries == "dependent") else "normal"


def fan_text(contract: Contract, shape: str, *, many_axes: bool = False) -> str:
    """The promised fan, as Python reads it off the shape; of more axes than two where it is asked for them."""
    layout = contract.layout or "out_in"
    if many_axes:
        layout = {"out_in": "oihw", "in_out": "hwio"}.get(layout, layout)
    dense = layout in ("out_in", "in_out")
    grouped = f" // {contract.groups}" if isinstance(contract.groups, int) and contract.groups > 1 else ""
    if dense:
        units, inputs = (f"{shape}[0]", f"{shape}[1]") if layout == "out_in" else (f"{shape}[1]", f"{shape}[0]")
        fan_in, fan_out = inputs, units
    else:
        first = layout.startswith("o")
        units = f"{shape}[0]" if first else f"{shape}[-1]"
        inputs = fan_in = f"math.prod({shape}[1:])" if first else f"math.prod({shape}[:-1])"
        channels = f"{shape}[1]" if first else f"{shape}[-2]"
        fan_out = f"(math.prod({shape}) // {channels}{grouped})"
        if contract.groups == "depthwise":
            fan_out = fan_in
    return {
        "fan_in": fan_in,
        "fan_out": fan_out,
        "fan_avg": f"(({fan_in} + {fan_out}) / 2)",
        "fan_max": f"max({units}, {inputs})",
    }[contract.fan or "fan_in"]


def std_text(contract: Contract, shape: str, *, many_axes: bool = False) -> str:
    """The promised standard deviation as Python writes it."""
    if contract.std is not None:
        return f"{contract.std:g}"
    return f"({number(required_power(contract))} / {fan_text(contract, shape, many_axes=many_axes)}) ** 0.5"


def number(value: float) -> str:
    """A number with as many digits as matter.

    >>> number(2.0000000001), number(1 / 3)
    ('2', '0.333333')
    """
    return f"{value:.6g}"


def _numpy(
    roles: dict[str, str], shape: str, law: str, std: str, contract: Contract, source: FunctionSource
) -> list[str] | None:
    rng = roles.get("rng") or roles.get("random_state")
    lines = []
    if rng is None:
        if not source.knows("np"):
            return None
        if "seed" in roles:
            lines.append(f"rng = np.random.default_rng({roles['seed']})")
            rng = "rng"
        else:
            rng = "np.random"
    cut = contract.parameter("distribution") or 2.0
    gain = number(required_power(contract) ** 0.5)
    draws = {
        "normal": f"{rng}.normal(0.0, {std}, {shape})",
        "uniform": f"{rng}.uniform(-1.0, 1.0, {shape}) * 3**0.5 * {std}",
        "rademacher": f"{rng}.choice((-1.0, 1.0), {shape}) * {std}",
        "truncated_normal": f"w * {std} / {truncated_std(1.0, -cut, cut):.6f}",
        "sparse": f"{rng}.normal(0.0, {std} / {cut:g} ** 0.5, {shape}) * ({rng}.random({shape}) < {cut:g})",
        "orthogonal": f"(q if {shape}[0] >= {shape}[1] else q.T)" + (f" * {gain}" if gain != "1" else ""),
    }
    if law not in draws:
        return None
    if law == "truncated_normal":
        lines += [
            f"w = {rng}.standard_normal({shape})", f"while (far := abs(w) > {cut:g}).any():",
            f"    w[far] = {rng}.standard_normal(int(far.sum()))",
        ]  # fmt: skip
    if law == "orthogonal":
        if contract.layout not in (None, "out_in", "in_out") or not source.knows("np"):
            return None
        lines += [
            f"q, r = np.linalg.qr({rng}.standard_normal((max({shape}), min({shape}))))",
            "q *= np.sign(np.diag(r))",
        ]
    mean = f"{contract.mean:g} + " if contract.mean else ""
    return [*lines, f"return {_narrow(mean + draws[law], roles, source)}"]


def _narrow(value: str, roles: dict[str, str], source: FunctionSource) -> str:
    """In the dtype that is asked for, or that the function has today."""
    dtype = roles.get("dtype") or roles.get("dtype_name")
    if dtype is None and source.dtype not in ("", "float64"):
        dtype = f"np.{source.dtype}" if source.knows("np") else f'"{source.dtype}"'
    if dtype is None:
        return value
    call = isinstance(ast.parse(value, mode="eval").body, ast.Call)
    return f"{value}.astype({dtype})" if call else f"({value}).astype({dtype})"


def _torch(roles: dict[str, str], shape: str, law: str, std: str, contract: Contract) -> list[str] | None:
    generator = roles.get("torch_generator") or roles.get("rng")
    said = f", generator={generator}" if generator else ""
    mean = f"{contract.mean or 0.0:g}"
    bound = f"3**0.5 * {std}"
    if "tensor" in roles:
        tensor = roles["tensor"]
        std, bound = (
            std.replace(f"tuple({tensor}.shape)", f"{tensor}.shape"),
            bound.replace(f"tuple({tensor}.shape)", f"{tensor}.shape"),
        )
        fill = {
            "normal": f"normal_({mean}, {std}{said})", "uniform": f"uniform_(-{bound}, {bound}{said})",
        }.get(law)  # fmt: skip
        return None if fill is None else ["with torch.no_grad():", f"    return {tensor}.{fill}"]
    if "shape" not in roles:
        return None
    draw = {
        "normal": f"torch.empty({shape}).normal_({mean}, {std}{said})",
        "uniform": f"torch.empty({shape}).uniform_(-{bound}, {bound}{said})",
    }.get(law)
    return None if draw is None else [f"return {draw}"]


def _jax(roles: dict[str, str], shape: str, law: str, std: str, contract: Contract) -> list[str] | None:
    if "key" not in roles or contract.mean:
        return None
    dtype = f", {roles['dtype']}" if "dtype" in roles else ""
    draw = {
        "normal": f"{std} * jax.random.normal({roles['key']}, {shape}{dtype})",
        "uniform": f"3**0.5 * {std} * jax.random.uniform({roles['key']}, {shape}{dtype}, minval=-1, maxval=1)",
        "truncated_normal": f"{std} / 0.879626 * jax.random.truncated_normal({roles['key']}, -2, 2, {shape}{dtype})",
        "orthogonal": f"jax.nn.initializers.orthogonal({number(required_power(contract) ** 0.5)})"
        f"({roles['key']}, {shape}{dtype})",
    }.get(law)
    return None if draw is None else [f"return {draw}"]
