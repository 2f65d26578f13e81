"""Every mistake of the gallery, mended, pasted and judged again: ``python tests/benchmarks/fixes_of_the_gallery.py``.

For each: the change that `initcheck fix` proposes, whether it was proven, and what a fresh check of all claims with
another seed says of a copy of the module with the proposed function in place of the mistaken one.
"""

from __future__ import annotations

import argparse
import inspect
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import initcheck
from initcheck.gallery import SPECIMENS, Specimen


def pasted(specimen: Specimen, source: str, folder: Path) -> Path:
    """A copy of the specimen's module in which the function is the one that was proposed."""
    file = Path(inspect.getsourcefile(specimen.function) or "")
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    body, first = inspect.getsourcelines(specimen.function)
    start = next(n for n, line in enumerate(body) if line.startswith("def "))
    lines[first - 1 + start : first - 1 + len(body)] = [source]
    copy = folder / f"{specimen.name}.py"
    copy.write_text("".join(lines), encoding="utf-8")
    return copy


def mended(specimen: Specimen, folder: Path, seed: int, profile: str, *, paste: bool = True) -> dict[str, Any]:
    """One row of the table."""
    started = time.process_time()
    target = f"initcheck.gallery:{specimen.name}"
    try:
        [found] = initcheck.fix(target)
    except initcheck.UsageError as error:
        return {"name": specimen.name, "seconds": 0, "failing": [], "proposed": False, "refused": str(error)}
    if not found.proposal.failing:
        [found] = initcheck.fix(target, profile="default")  # a width that the quick plan has not
    row: dict[str, Any] = {"name": specimen.name, "seconds": round(time.process_time() - started, 1)}
    repair = found.proposal.repair
    row |= {"failing": [c for c, _ in found.proposal.failing], "proposed": repair is not None}
    row |= {"looked_at": found.proposal.looked_at, "judged": len(found.proposal.tried) + (repair is not None)}
    if repair is None:
        return row
    row |= {"kind": repair.kind, "before": repair.before, "code": repair.code, "source": repair.source}
    return judged_anew(row, specimen, folder, seed, profile) if paste else row


def judged_anew(row: dict[str, Any], specimen: Specimen, folder: Path, seed: int, profile: str) -> dict[str, Any]:
    """The row with what a check of all claims says of the module in which the proposal was pasted."""
    copy = pasted(specimen, row["source"], folder)
    report = initcheck.check(f"{copy}:{specimen.name}", profile=profile, seed=seed)
    fails = [r for r in report.results if r.verdict.value == "FAILS"]
    row["fails_when_pasted"] = [f"{r.claim}: {r.evidence.measured}" for r in fails]
    held = {r.claim for r in report.results if r.verdict.value == "HOLDS"}
    row["open_when_pasted"] = [c for c in row["failing"] if c not in held and c not in {r.claim for r in fails}]
    return row


def main() -> None:
    """Write one line a mistake, and the shares at the end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="mistakes of the gallery; all of them where none is named")
    parser.add_argument("--seed", type=int, default=1, help="of the judgement of what was pasted")
    parser.add_argument("--profile", default="quick")
    parser.add_argument("--json", help="write the table there")
    parser.add_argument("--paste-every", type=int, default=1, metavar="N", help="paste every N-th; 0 for none")
    parser.add_argument("--again", metavar="JSON", help="paste and judge what an earlier run has in its table")
    arguments = parser.parse_args()
    earlier = {r["name"]: r for r in json.loads(Path(arguments.again).read_text("utf-8"))} if arguments.again else None
    every = [s for s in SPECIMENS if not s.correct and (not arguments.names or s.name in arguments.names)]
    table = []
    with tempfile.TemporaryDirectory() as folder:
        for number, specimen in enumerate(every):
            paste = arguments.paste_every > 0 and number % arguments.paste_every == 0
            if earlier is None:
                row = mended(specimen, Path(folder), arguments.seed, arguments.profile, paste=paste)
            elif earlier.get(specimen.name, {}).get("proposed"):
                row = judged_anew(earlier[specimen.name], specimen, Path(folder), arguments.seed, arguments.profile)
            else:
                continue
            table.append(row)
            said = row.get("code", "no change").strip().replace("\n", " | ")
            bad = row.get("fails_when_pasted") or ""
            still = f"; open: {row['open_when_pasted']}" if row.get("open_when_pasted") else ""
            print(f"{row['name']:32} {row['seconds']:6.1f} s  {row.get('kind', '-'):10} {said[:150]}", flush=True)
            if bad or still:
                print(f"{'':32} pasted: {bad}{still}", flush=True)
            if arguments.json:
                Path(arguments.json).write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
    proposed = [r for r in table if r["proposed"]]
    again = [r for r in proposed if "fails_when_pasted" in r]
    wrong = [r for r in again if r["fails_when_pasted"]]
    held = [r for r in again if not r["fails_when_pasted"] and not r["open_when_pasted"]]
    print(f"{len(table)} mistakes: {len(proposed)} proposals, all proven before they are printed.")
    said = f"{len(held)} hold all that failed, {len(wrong)} fail"
    print(f"{len(again)} pasted and judged anew, seed {arguments.seed}: {said}.")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
