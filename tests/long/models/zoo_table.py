"""The zoo in every framework: what fails of each network, and the CPU seconds of its check.

    python tests/long/models/zoo_table.py                     # torch, nnx, linen, equinox and keras on each backend
    python tests/long/models/zoo_table.py torch keras-torch gpt vanishing

Every framework is judged in a process of its own; a backend of Keras that is not installed is said to be missing.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

from framework_zoo import BATCH, FRAMEWORKS, MORE, ZOO, batch_of

NETWORKS = {**ZOO, **MORE}
BACKENDS = ("jax", "torch", "tensorflow")
COLUMNS = (*(f for f in FRAMEWORKS if f != "keras"), *(f"keras-{b}" for b in BACKENDS))
SHORT = {
    "rebuilds-the-same": "rebuild", "tensors-are-distinct": "distinct", "siblings-share-one-law": "law",
    "no-value-is-absurd": "values", "declared-laws-are-in-force": "declared", "signal-survives-the-blocks": "signal",
    "gradient-survives-the-blocks": "gradient", "starts-at-chance": "chance",
}  # fmt: skip


def judge(framework: str, names: list[str]) -> None:
    """Print a line for each network: its name, what fails, what is undecided, CPU seconds."""
    from initcheck.doors.check_model import check_model
    from initcheck.report.verdict import Verdict

    batch = BATCH if framework == "keras" else batch_of(framework)
    check_model(FRAMEWORKS[framework](NETWORKS["gpt"][0]), batch=batch, models=1, name="imports")
    for name in names:
        net, _, laws = NETWORKS[name]
        began = time.process_time()
        report = check_model(FRAMEWORKS[framework](net), batch=batch, laws=laws, name=name)
        spent = time.process_time() - began
        undecided = [r.claim for r in report if r.verdict is Verdict.UNDECIDED]
        print(json.dumps([name, [r.claim for r in report.failures], undecided, spent]), flush=True)


def column(title: str, names: list[str]) -> dict[str, tuple[set[str], list[str], float]] | None:
    """One framework, in a process of its own; None where it is not installed."""
    framework, _, backend = title.partition("-")
    env = dict(os.environ, KERAS_BACKEND=backend or "jax", TF_CPP_MIN_LOG_LEVEL="3")
    if subprocess.run([sys.executable, "-c", f"import {backend or 'numpy'}"], env=env, capture_output=True).returncode:
        return None
    told = [sys.executable, __file__, "--judge", framework, *names]
    done = subprocess.run(told, env=env, stdout=subprocess.PIPE, text=True, check=True)
    rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]
    return {name: (set(fails), undecided, spent) for name, fails, undecided, spent in rows}


def main(words: list[str]) -> int:
    """Print the table; 1 where a verdict is not the one that is known to be right."""
    titles = [w for w in words if w in COLUMNS] or list(COLUMNS)
    names = [w for w in words if w in NETWORKS] or list(NETWORKS)
    found = {title: column(title, names) for title in titles}
    there = {title: rows for title, rows in found.items() if rows is not None}
    print(f"{'network':22}{'fails, as it should':23}" + "".join(f"{title:>18}" for title in there))
    wrong = 0
    for name in names:
        _, expected, _ = NETWORKS[name]
        cells = []
        for rows in there.values():
            fails, undecided, spent = rows[name]
            right = fails == expected and (bool(expected) or not undecided)
            wrong += not right
            cells.append(f"{'as it should' if right else 'WRONG':>11} {spent:4.1f}".rjust(18))
        said = ", ".join(sorted(SHORT[c] for c in expected)) or "nothing"
        print(f"{name:22}{said:23}" + "".join(cells))
    print(f"{'CPU s':45}" + "".join(f"{sum(r[2] for r in rows.values()):18.1f}" for rows in there.values()))
    print(f"{wrong} of {len(names) * len(there)} verdicts are not the right one")
    for title in sorted(found.keys() - there.keys()):
        print(f"{title}: not installed here")
    return int(wrong > 0)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--judge"]:
        judge(sys.argv[2], sys.argv[3:])
    else:
        sys.exit(main(sys.argv[1:]))
