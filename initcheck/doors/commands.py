"""The commands that run no claim: `initcheck list`, `initcheck explain CLAIM`, `initcheck infer TARGET`."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["COMMANDS", "explain", "infer_contract", "list_claims"]


def list_claims(words: Sequence[str]) -> int:
    """Print every claim by family: id, kind, sentence."""
    parser = argparse.ArgumentParser(prog="initcheck list", description="List every claim.")
    parser.parse_args(words)
    from initcheck.claims.registry import registry

    family = None
    for claim in sorted(registry().values(), key=lambda c: (c.family, c.kind, c.id)):
        if claim.family != family:
            family = claim.family
            print(f"{family}:")
        kind = claim.kind if claim.asked_by_default else f"{claim.kind}, where the contract says so"
        print(f"  {claim.id}  ({kind})\n      {claim.says}")
    return 0


def explain(words: Sequence[str]) -> int:
    """Print what one claim says, its mathematics, how it is decided and at what error rates, and live examples."""
    parser = argparse.ArgumentParser(prog="initcheck explain", description="Explain one claim.")
    parser.add_argument("claim", metavar="CLAIM")
    parser.add_argument("--no-examples", action="store_true", help="only the words: run nothing")
    arguments = parser.parse_args(words)
    from initcheck.claims.registry import find
    from initcheck.doors.explanation import in_words, live_examples

    claim = find(arguments.claim)
    for line in in_words(claim):
        print(line)
    if not arguments.no_examples:
        for line in live_examples(claim):
            print(line, flush=True)
    return 0


def infer_contract(words: Sequence[str]) -> int:
    """Print the contract that each initializer of some targets seems to keep."""
    parser = argparse.ArgumentParser(prog="initcheck infer", description="Say what contract a target seems to keep.")
    parser.add_argument("targets", nargs="+", metavar="TARGET")
    parser.add_argument("--contract", metavar="TEXT", help="what is known of it, such as layout=out_in")
    arguments = parser.parse_args(words)
    import numpy as np

    from initcheck.diagnosis.evidence.inference import infer
    from initcheck.doors.request import contract
    from initcheck.report.account import escaped
    from initcheck.targets.loading import load

    held_to = contract({"contract": arguments.contract})
    for target in arguments.targets:
        loaded = load(target, contract=held_to)
        for initializer in loaded.initializers:
            sampler = initializer.sampler
            if initializer.subject is not None:
                print(f"{escaped(initializer.name)}\n  a layer is judged by what it does; nothing is inferred of it")
                continue

            def draw(shape: tuple[int, ...], seed: int, sampler: Any = sampler) -> npt.NDArray[Any]:
                return np.asarray(sampler.to_numpy(sampler.calls(shape, [seed], "float32")[0]), dtype=np.float64)

            found = infer(
                draw,
                framework=initializer.framework,
                layout=initializer.contract.layout,
                ranks=initializer.ranks,
                named=initializer.named,
                fan=initializer.contract.fan,
            )
            print(escaped(initializer.name))
            for line in found.lines():
                print(f"  {escaped(line, 1_000)}")
        for left in loaded.not_checked:
            print(f"not looked at: {escaped(left.name)}: {escaped(left.reason)}")
    return 0


def read_guide(words: Sequence[str]) -> int:
    """``initcheck guide [PAGE]``: the guide in the terminal."""
    from initcheck.doors.guide import guide

    return guide(words)


COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {
    "list": list_claims,
    "explain": explain,
    "infer": infer_contract,
    "guide": read_guide,
}
