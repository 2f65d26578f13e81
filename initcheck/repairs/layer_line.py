"""For a layer whose scale fails: the line that initializes its weights, applied to copies of it and judged."""

from __future__ import annotations

import dataclasses
import operator
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from initcheck.adapters.signatures.arguments import framework_module
from initcheck.adapters.signatures.constructor import constructor
from initcheck.claims.registry import checks
from initcheck.contract.contract import Contract
from initcheck.contract.gains import required_power
from initcheck.contract.initializer import Initializer
from initcheck.engine.checker import Checker
from initcheck.engine.settings import Settings
from initcheck.layers.bench.builder import Builder, Maker
from initcheck.layers.bench.sizes import Size
from initcheck.layers.recognition import initializer_of
from initcheck.layers.sampler import LayerSampler
from initcheck.layers.subject import LayerSubject
from initcheck.repairs.proof import Proposal
from initcheck.repairs.repair import FINE, Repair, as_declared
from initcheck.report.verdict import Verdict

# Of a layer only what a line of initialization can change, and break: its other claims cost minutes.
_TOPICS = ("promises", "scale", "law", "centering", "symmetry")
_ARGUMENTS = ("kernel_initializer", "depthwise_initializer", "kernel_init")
_MODES = (("fan_in", ""), ("fan_out", ', mode="fan_out"'))


@dataclass(frozen=True)
class _Initialized(Maker):
    """Makes the layer, and runs a line on it."""

    line: Callable[[Any, int], Any] | None = None

    def make(self, size: Size, seed: int) -> Any:
        """The framework's own object, its weights drawn again."""
        layer = super().make(size, seed)
        return layer if self.line is None else self.line(layer, seed)


def line_for_layer(
    initializer: Initializer, *, seed: int = 0, profile: str = "quick", claims: Sequence[str] | None = None
) -> Proposal:
    """Judge a layer; where its scale fails, find the line of initialization under which nothing of it does.

    Args:
        initializer: made of a layer; its sampler builds it.
        seed: of the run.
        profile: its budget.
        claims: ids of those to ask; those on promises, scale, centre and symmetry where None.
    """
    asked = tuple(claims) if claims is not None else tuple(c.id for c in checks().values() if c.topic in _TOPICS)
    settings = Settings(seed=seed, profile=profile, claims=asked)
    checker = Checker(settings)
    results = {claim: checker.judge(initializer, claim) for claim in checker.claims_of(initializer)}
    failed = [claim for claim, r in results.items() if r.verdict is Verdict.FAILS]
    failing = tuple((claim, results[claim].evidence.measured or "") for claim in failed)
    if not failed:
        return Proposal(initializer.name, (), None)
    subject, sampler = checker.subject(initializer), initializer.sampler
    assert isinstance(sampler, LayerSampler)
    assert isinstance(subject, LayerSubject)
    contract, weights = subject.contract, list(dict.fromkeys(part.weight for part in subject.structure.parts))
    tried: list[tuple[str, str]] = []
    for code, maker in _lines(sampler, contract, weights):
        copy = initializer_of(Builder(maker, sampler.builder.kind), sampler.sizes)
        copy = dataclasses.replace(copy, contract=as_declared(contract))
        fresh = Checker(settings)
        verdicts = {claim: fresh.judge(copy, claim).verdict for claim in results}
        bad = next((c for c in failed if verdicts[c] is not Verdict.HOLDS), None)
        worse = next((c for c, v in verdicts.items() if v not in FINE), None)
        if bad is None and worse is None:
            words = "initialize its weights where the layer is made"
            repair = Repair("line", words, code)
            return Proposal(initializer.name, failing, repair, tuple(failed), len(results) - len(failed), tuple(tried))
        name = bad or worse or ""
        tried.append((code, f"{name} is then {verdicts[name].value}"))
    why_none = "" if tried else f"nothing that makes this layer of {sampler.builder.kind} takes an initializer"
    return Proposal(initializer.name, failing, None, tried=tuple(tried), why_none=why_none)


def _lines(sampler: LayerSampler, contract: Contract, weights: Sequence[str]) -> Iterator[tuple[str, Maker]]:
    """The lines to try, each with what makes layers that it was run on."""
    maker, kind = sampler.builder.maker, sampler.builder.kind
    gain = required_power(contract) ** 0.5
    if kind == "torch":
        yield from _of_torch(weights, maker, gain)
        return
    if kind == "equinox":
        yield from _of_equinox(weights, maker, gain)
        return
    if not isinstance(maker.target, type) or maker.then is not None:
        return
    taken = constructor(maker.target)
    argument = next((a for a in _ARGUMENTS if a in taken), None)
    if argument is None:
        return
    for mode, _ in _MODES:
        if kind == "keras":
            shown = f'keras.initializers.VarianceScaling({gain**2:.4g}, "{mode}")'
            value = framework_module("keras").initializers.VarianceScaling(gain**2, mode)
        else:
            shown = f'jax.nn.initializers.variance_scaling({gain**2:.4g}, "{mode}", "truncated_normal")'
            value = framework_module("jax").nn.initializers.variance_scaling(gain**2, mode, "truncated_normal")
        code = f"{getattr(maker.target, '__name__', maker.name)}(..., {argument}={shown})"
        yield code, dataclasses.replace(maker, args={**maker.args, argument: value})


def _of_torch(names: Sequence[str], maker: Maker, gain: float) -> Iterator[tuple[str, Maker]]:
    init = framework_module("torch").nn.init
    nonlinearity = {1.0: "linear", 2**0.5: "relu"}.get(round(gain, 12))
    for mode, said in _MODES:

        def line(layer: Any, seed: int, mode: str = mode) -> Any:
            tensors = dict(layer.named_parameters())
            for name in names:
                if nonlinearity is not None:
                    init.kaiming_normal_(tensors[name], mode=mode, nonlinearity=nonlinearity)
                else:
                    fans = init._calculate_fan_in_and_fan_out(tensors[name])
                    init.normal_(tensors[name], std=gain / fans[mode == "fan_out"] ** 0.5)
            return layer

        if nonlinearity is not None:
            code = "; ".join(f'nn.init.kaiming_normal_(layer.{n}{said}, nonlinearity="{nonlinearity}")' for n in names)
        else:
            code = "; ".join(f"nn.init.normal_(layer.{n}, std={gain:.4g}/{mode}**0.5)" for n in names)
        yield code, _with_line(maker, line)


def _of_equinox(names: Sequence[str], maker: Maker, gain: float) -> Iterator[tuple[str, Maker]]:
    """Equinox' layers take no initializer and cannot be written to: a layer with other weights is made of one."""
    jax, tree_at = framework_module("jax"), framework_module("equinox").tree_at
    if not all(part.isidentifier() for name in names for part in name.split(".")):
        return
    for mode, _ in _MODES:
        draw = jax.nn.initializers.variance_scaling(gain**2, mode, "truncated_normal", in_axis=1, out_axis=0)

        def line(layer: Any, seed: int, draw: Any = draw) -> Any:
            for number, name in enumerate(names):
                weight = operator.attrgetter(name)
                key = jax.random.fold_in(jax.random.key(seed), number)
                layer = tree_at(weight, layer, draw(key, weight(layer).shape))
            return layer

        given = f'{gain**2:.4g}, "{mode}", "truncated_normal", in_axis=1, out_axis=0'
        keys = ["key"] if len(names) == 1 else [f"jax.random.fold_in(key, {number})" for number in range(len(names))]
        code = "\n".join(
            f"layer = eqx.tree_at(lambda l: l.{name}, layer, init({key}, layer.{name}.shape))"
            for name, key in zip(names, keys, strict=True)
        )
        yield f"init = jax.nn.initializers.variance_scaling({given})\n{code}", _with_line(maker, line)


def _with_line(maker: Maker, line: Callable[[Any, int], Any]) -> Maker:
    fields = {f.name: getattr(maker, f.name) for f in dataclasses.fields(Maker)}
    return _Initialized(**fields, line=line)
