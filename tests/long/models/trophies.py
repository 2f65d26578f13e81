"""An optional job: every start of the installed libraries is checked, each in a process of its own.

Run it where the libraries are installed: ``python tests/long/models/trophies.py [--out FILE]
[LIBRARY[:NAME | /N] ...]``, where ``timm/3`` is each third start of timm. It writes one line of JSON a start, leaves
out what the file has already, prints what is not HOLDS, and at the end the table of the file: that of the guide's page.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import os
import resource
import select
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from released_models import LIBRARIES, Start

__all__ = ["checked", "installed", "table"]

_CPU_SECONDS = 120
_IMPORTS = {
    "transformers": ("transformers.modeling_utils", "transformers.models.auto.modeling_auto", "transformers.generation",
                     "transformers.modeling_layers", "transformers.models.llama.modeling_llama",
                     "transformers.models.clip.modeling_clip"),
    "timm": ("timm",), "torchvision": ("torchvision",), "diffusers": ("diffusers.models",),
    "torch_geometric": ("torch_geometric.nn",), "flax": ("flax.nnx",),
}  # fmt: skip
_FIRST = ("arcee", "aimv2_vision_model", "t5", "whisper", "vit", "bert", "clip")
_PATIENCE = 4  # seconds of the clock for one of the CPU, on a busy machine
_MEMORY = 9 << 30


def installed(library: str) -> bool:
    """Whether a library of the list is there."""
    return importlib.util.find_spec(LIBRARIES[library][0]) is not None


def checked(start: Start, seconds: int = _CPU_SECONDS) -> dict[str, Any]:
    """Build and check one start in a process of its own.

    Returns:
        ``problem`` where there is no verdict; else parameters, batch, seconds, and by claim its verdict and sentences.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)
        try:
            found = _verdicts(start)
        except BaseException as error:
            found = {"problem": f"{type(error).__name__}: {error}"[:400]}
        with os.fdopen(writer, "w") as out:
            json.dump(found, out)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as said:
        # A process that waits for a lock uses no CPU: it has a clock too.
        ready, _, _ = select.select([said], [], [], _PATIENCE * seconds)
        if not ready:
            os.kill(child, signal.SIGKILL)
        text = said.read()
    _, status, used = os.wait4(child, 0)
    spent = {"seconds": round(used.ru_utime + used.ru_stime, 2), "mb": used.ru_maxrss // 1024}
    base = {"library": start.library, "name": start.name, **spent}
    if not text:
        over = os.WIFSIGNALED(status) and os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGKILL)
        limit = f"{seconds} CPU seconds" if ready else f"{_PATIENCE * seconds} seconds of the clock"
        why = f"no verdict within {limit}" if over else f"its process ended with status {status}"
        return {**base, "problem": why}
    return {**base, **json.loads(text)}


def _verdicts(start: Start) -> dict[str, Any]:
    from initcheck.doors.check_model import check_model

    for module in (LIBRARIES[start.library][0], *_IMPORTS.get(start.library, ())):
        importlib.import_module(module)
    shown: dict[str, Any] = {}
    for factory in start.factories():
        began = time.process_time()
        report = check_model(factory, start.batch, name=start.name)
        shown = report.contracts[start.name]
        if shown.get("batch"):  # else these sizes may not fit one another
            break
    if not shown:
        return {"problem": "it does not build from small numbers"}
    lines: dict[str, dict[str, Any]] = {}
    for result in report:
        sentences = [result.reason] if result.reason else []
        if result.evidence is not None and result.verdict.value == "FAILS":
            sentences = [result.evidence.case, *result.evidence.detail]
        lines[result.claim] = {"verdict": result.verdict.value, "lines": sentences, "notes": list(result.notes)}
    return {
        "parameters": shown.get("parameters"),
        "batch": shown.get("batch"),
        "check": round(time.process_time() - began, 2),
        "claims": lines,
    }


def table(found: Iterable[dict[str, Any]]) -> str:
    """Starts, verdicts and batches by library."""
    rows = [f"{'library':<16} {'tried':>6} {'built':>6} {'batch':>6} {'HOLDS':>6} {'N/A':>6} {'UNDEC':>6} {'FAILS':>6}"
            f" {'models that fail':>17} {'median s':>9}"]  # fmt: skip
    by_library: dict[str, list[dict[str, Any]]] = {}
    for one in found:
        by_library.setdefault(one["library"], []).append(one)
    everything = [one for some in by_library.values() for one in some]
    for library, some in [*by_library.items(), ("all", everything)]:
        built = [one for one in some if "claims" in one]
        verdicts = Counter(c["verdict"] for one in built for c in one["claims"].values())
        fail = sum(any(c["verdict"] == "FAILS" for c in one["claims"].values()) for one in built)
        seconds = sorted(one["check"] for one in built) or [0.0]
        rows.append(
            f"{library:<16} {len(some):>6} {len(built):>6} {sum(bool(o['batch']) for o in built):>6}"
            f" {verdicts['HOLDS']:>6} {verdicts['NOT APPLICABLE']:>6} {verdicts['UNDECIDED']:>6} {verdicts['FAILS']:>6}"
            f" {fail:>17} {seconds[len(seconds) // 2]:>9.1f}"
        )
    return "\n".join(rows)


def main(arguments: list[str] | None = None) -> int:
    """Check the starts of the named libraries, of all that are installed where none is named."""
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("names", nargs="*", help="such as torch, transformers:llama or timm/3, each third of timm")
    reader.add_argument("--out", type=Path, default=Path("trophies.jsonl"))
    reader.add_argument("--seconds", type=int, default=_CPU_SECONDS, help="CPU seconds of one start")
    given = reader.parse_args(arguments)
    done = {tuple(json.loads(line)[k] for k in ("library", "name")) for line in _lines(given.out)}
    with given.out.open("a") as out:
        for asked in given.names or LIBRARIES:
            which, _, word = asked.partition(":")
            library, _, every = which.partition("/")
            if not installed(library):
                print(f"{library} is not installed", flush=True)
                continue
            _warm(library)
            for place, start in enumerate(LIBRARIES[library][1]()):
                if (word and word != start.name) or (library, start.name) in done or place % int(every or 1):
                    continue
                one = checked(start, given.seconds)
                out.write(json.dumps(one) + "\n")
                out.flush()
                _show(one)
    print(table(map(json.loads, _lines(given.out))))
    return 0


def _lines(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.exists() else []


def _warm(library: str) -> None:
    """Import here what every process of a library of torch needs: a fork has it for nothing."""
    if library in ("keras", "equinox", "flax"):
        return  # threads of JAX do not survive a fork
    from initcheck.doors.check_model import check_model

    for name in _IMPORTS.get(library, ()):
        importlib.import_module(name)
    torch = importlib.import_module("torch")
    torch.set_num_threads(1)
    check_model(lambda: torch.nn.Linear(4, 4), name="warm")
    for start in LIBRARIES[library][1]():
        if start.name in _FIRST:
            list(start.factories())


def _show(one: dict[str, Any]) -> None:
    head = f"{one['library']}:{one['name']}"
    if "problem" in one:
        print(f"{head}: {one['problem'][:160]}", flush=True)
        return
    open_claims = {n: c for n, c in one["claims"].items() if c["verdict"] in ("FAILS", "UNDECIDED")}
    print(f"{head}: {one['parameters']:,} parameters, {one['check']} s, batch {one['batch'] or 'none'}", flush=True)
    for claim, said in open_claims.items():
        for line in said["lines"][:3]:
            print(f"    {said['verdict']:<10} {claim}: {line[:300]}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
