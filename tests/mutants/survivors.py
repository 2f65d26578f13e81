"""Compare the mutants that survived the last ``mutmut run`` with those that survivors.toml explains.

Run from the folder in which mutmut ran; ``tox run -e mutants`` does both. mutmut tries all mutants in a process where
what was computed at import or kept by a cache is no mutant's: a survivor that is not explained is tried again in a
process of its own, against the test file that mirrors its module, or the tests beside where there is none. What stands
outside of functions, or in decorated ones (properties, cached functions), mutmut leaves alone.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path

from mutmut.mutation.diff_apply import get_diff_for_mutant

EXPLAINED = Path(__file__).with_name("survivors.toml")
# mutmut's own record, mutants/**/*.meta, keeps an exit code a mutant: 0 where the tests passed, 33 where it knew none.
SURVIVED = (0, 33)


def change(mutant: str, path: Path) -> str:
    """What a mutant changes: its file and function, the lines before, and the lines after."""
    lines = get_diff_for_mutant(mutant, path=path).splitlines()[2:]
    before, after = (" ".join(x[1:].strip() for x in lines if x.startswith(sign)) for sign in "-+")
    function = mutant.rpartition("__mutmut_")[0].rpartition(".")[2].removeprefix("x_").removeprefix("xǁ")
    return f"{path.relative_to('initcheck')} {function.replace('ǁ', '.')}: {before} -> {after}"


def survives_alone(mutant: str, path: Path) -> bool:
    """Whether the mirrored tests pass in a process that is this mutant from its first import on."""
    tests = Path("tests", *path.parts[1:-1], f"test_{path.name}")
    if not Path("mutants", tests).exists():
        tests = tests.parent
    command = [sys.executable, "-m", "pytest", "-qx", "-p", "no:cacheprovider", str(tests)]
    environment = os.environ | {"MUTANT_UNDER_TEST": mutant, "PYTHONPATH": str(Path("mutants").resolve())}
    try:
        done = subprocess.run(command, cwd="mutants", env=environment, capture_output=True, timeout=120, check=False)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def main() -> int:
    """Print made, killed and survived by file; 1 where a survivor is not explained or a mutant was not run."""
    groups = tomllib.loads(EXPLAINED.read_text(encoding="utf-8"))["group"]
    explained = Counter(mutant for group in groups for mutant in group["mutants"])
    unexplained, not_run = [], 0
    print(f"{'file':36}{'mutants':>8}{'killed':>8}{'survived':>9}{'explained':>10}")
    for record in sorted(Path("mutants").rglob("*.meta")):
        outcome = json.loads(record.read_text(encoding="utf-8"))["exit_code_by_key"]
        if not outcome:
            continue
        path = record.relative_to("mutants").with_suffix("")
        known, missing = 0, []
        for mutant, code in outcome.items():
            if code in SURVIVED:
                changed = change(mutant, path)
                if explained[changed]:
                    explained[changed] -= 1
                    known += 1
                elif survives_alone(mutant, path):
                    missing.append(changed)
        unknown = sum(code is None for code in outcome.values())
        survived = known + len(missing)
        print(f"{path!s:36}{len(outcome):8}{len(outcome) - survived - unknown:8}{survived:9}{known:10}", flush=True)
        unexplained += missing
        not_run += unknown
    for mutant in unexplained:
        print(f"survives, not explained: {mutant}")
    if not_run:
        print(f"{not_run} mutants were not run")
    else:
        for mutant in explained.elements():
            print(f"explained, yet killed or gone: {mutant}")
    return 1 if unexplained or not_run else 0


if __name__ == "__main__":
    sys.exit(main())
