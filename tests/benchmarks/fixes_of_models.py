"""Every broken model of the zoo, mended and judged again: ``python tests/benchmarks/fixes_of_models.py [NAMES]``.

For each: the change that `initcheck fix` proposes, and what a fresh check of all claims with another seed says of the
model with it: of the function as it was proposed, or of the model with the lines run behind it.
"""

from __future__ import annotations

import math
import sys
import time
from pathlib import Path
from typing import Any

import torch

import initcheck

sys.path.insert(0, str(Path(__file__).parents[1] / "models"))

import model_zoo  # the folder of the models' tests


def changed(factory: Any, repair: Any) -> Any:
    """The factory as somebody has it who did what was proposed."""
    if repair.source:
        scope = dict(vars(model_zoo))
        exec(repair.source, scope)
        return scope[factory.__name__]

    def followed() -> torch.nn.Module:
        model = factory()
        exec(repair.code, {"model": model, "torch": torch, "nn": torch.nn, "math": math})
        return model

    return followed


def main() -> None:
    """One line a model, and the shares at the end."""
    every = [f for f in model_zoo.BROKEN if not sys.argv[1:] or f.__name__ in sys.argv[1:]]
    proven = wrong = 0
    for factory in every:
        started = time.process_time()
        [found] = initcheck.fix(factory)
        repair = found.proposal.repair
        said = "none" if repair is None else repair.words
        failing = []
        if repair is not None:
            report = initcheck.check_model(changed(factory, repair), seed=1, name=factory.__name__)
            failing = [r.claim for r in report.failures]
            proven, wrong = proven + (not failing), wrong + bool(failing)
        seconds = time.process_time() - started
        print(
            f"{factory.__name__:26} {seconds:5.1f} s  {said[:140]}{f'  FAILS: {failing}' if failing else ''}",
            flush=True,
        )
    print(f"{len(every)} models: {proven} changes proven and right when judged anew, {wrong} wrong.")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
