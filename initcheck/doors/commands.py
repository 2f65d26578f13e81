"""The commands that run no claim: `initcheck list`, `initcheck explain CLAIM`, `initcheck infer TARGET`."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence

from initcheck.errors import UsageError


def list_claims(words: Sequence[str]) -> int:
    """Print every claim by family: id, kind, sentence; or every initializer of the gallery."""
    parser = argparse.ArgumentParser(prog="initcheck list", description="List every claim, or what is in the gallery.")
    parser.add_argument("what", nargs="?", choices=("claims", "gallery"), default="claims", metavar="claims|gallery")
    if parser.parse_args(words).what == "gallery":
        return _list_gallery()
    # Each command loads what it needs: --help, and a wrong word, load nothing.
    from initcheck.claims.registry import registry

    family = None
    for claim in sorted(registry().values(), key=lambda c: (c.family, c.kind, c.id)):
        if claim.family != family:
            family = claim.family
            print(f"{family}:")
        kind = claim.kind if claim.asked_by_default else f"{claim.kind}, where the contract says so"
        print(f"  {claim.id}  ({kind})\n      {claim.says}")
    return 0


def _list_gallery() -> int:
    # as in `list_claims`
    from initcheck.gallery import SPECIMENS

    for title, correct in (
        ("correct, from the papers:", True),
        ("classic mistakes, with the claims that fail:", False),
    ):
        print(title)
        for specimen in SPECIMENS:
            if specimen.correct is correct:
                fails = f"  fails {', '.join(specimen.fails)}" if specimen.fails else ""
                print(f"  {specimen.name}{fails}\n      {specimen.why.partition(' >>>')[0]}")
    print("check one: initcheck initcheck.gallery:he_normal")
    return 0


def explain(words: Sequence[str]) -> int:
    """Print what one claim says, its mathematics, how it is decided and at what error rates, and live examples."""
    parser = argparse.ArgumentParser(
        prog="initcheck explain", description="Explain one claim; a question, 'why sqrt(d)', finds the claims it is on."
    )
    parser.add_argument("claim", metavar="CLAIM", nargs="+", help="the id of a claim, or a question")
    parser.add_argument("--no-examples", action="store_true", help="only the words: run nothing")
    parser.add_argument("--html", metavar="FILE", help="write a page with the pictures of the examples there")
    arguments = parser.parse_args(words)
    # as in `list_claims`
    from initcheck.claims.registry import find
    from initcheck.doors.answers.claim_search import claims_on, is_question
    from initcheck.doors.explanation import in_words, live_examples, theorems_on, write_explanation

    said = " ".join(arguments.claim)
    if ":" in said and not is_question(said):
        raise UsageError(
            f"explain takes a claim, such as zero-mean, or a question, 'why sqrt(d)'; {said!r} is a target: what it"
            f" seems to promise is said by initcheck infer {said}, what it keeps by initcheck {said}."
        )
    claim, *others = claims_on(said) if is_question(said) else [find(said)]
    others += [theorem for theorem in theorems_on(claim) if theorem not in others]
    if arguments.html == "-":  # a page that is printed has the output for itself
        write_explanation(claim, arguments.html)
        return 0
    if is_question(said):
        print(f"{said}: {claim.id}")
        print()
    for line in in_words(claim):
        print(line)
    if arguments.html:
        print(f"\n  {write_explanation(claim, arguments.html)}")
    elif not arguments.no_examples:
        for line in live_examples(claim):
            print(line, flush=True)
    if others:
        print("\n  see also")
        for other in others:
            print(f"    initcheck explain {other.id}\n        {other.says}")
    return 0


def infer_contract(words: Sequence[str]) -> int:
    """Print the contract that each initializer of some targets seems to keep."""
    parser = argparse.ArgumentParser(prog="initcheck infer", description="Say what contract a target seems to keep.")
    parser.add_argument("targets", nargs="+", metavar="TARGET")
    parser.add_argument("--contract", metavar="TEXT", help="what is known of it, such as layout=out_in")
    parser.add_argument("--timeout", metavar="SECONDS", type=float, help="how long each may take")
    arguments = parser.parse_args(words)
    # as in `list_claims`
    from initcheck.doors.request import contract
    from initcheck.engine.settings import Settings
    from initcheck.runs.own_process import OwnProcess
    from initcheck.runs.reading import read_all
    from initcheck.safe_text import escaped
    from initcheck.sandbox.child import Died

    held_to = contract({"contract": arguments.contract})
    code = 0
    # In a process beside this one: what ends or stops it there is told of the one that did it.
    with OwnProcess(Settings(timeout=arguments.timeout), {}, alone=False) as own:
        loaded = read_all(dict.fromkeys(arguments.targets), own, contract=held_to)
        for initializer in loaded.initializers:
            print(escaped(initializer.name))
            try:
                lines = own.inferred(initializer)
            except Died as died:
                lines, code = [f"nothing can be inferred: {died}"], 1
            for line in lines:
                print(f"  {escaped(line, 1_000)}", flush=True)
    for left in loaded.not_checked:
        print(f"not looked at: {escaped(left.name)}: {escaped(left.reason)}")
    return 2 if any(left.needed for left in loaded.not_checked) or not loaded.initializers else code


# Each from the module that it lives in, which is loaded where its word is said.
COMMANDS: Mapping[str, str] = {
    "list": "initcheck.doors.commands:list_claims",
    "explain": "initcheck.doors.commands:explain",
    "infer": "initcheck.doors.commands:infer_contract",
    "guide": "initcheck.doors.guide:guide",
    "gain": "initcheck.doors.answers.gain:gain_command",
    "what": "initcheck.doors.answers.what:what_command",
    "fix": "initcheck.doors.answers.fix:fix_command",
}
"""The first word of a command line -> the function of the words behind it that returns the exit code."""
