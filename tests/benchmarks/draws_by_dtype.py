"""Every function of torch.nn.init in three dtypes: siblings share its law, one 1.5 times as wide does not.

    python tests/benchmarks/draws_by_dtype.py [--seeds 20]      run it under each version of torch

Prints how many of the sound models hold, how many of the deviants fail at the one that deviates, and every other seed.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "models"))

from test_init_calls import ABSURD, DRAWS, LAW, model_of

import initcheck
from initcheck.report.verdict import Verdict


def main() -> int:
    """Judge all of them at each seed; 1 where one verdict is not the right one."""
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("--seeds", type=int, default=20)
    seeds = range(1, reader.parse_args().seeds + 1)
    held = failed = asked = 0
    wrong = []
    torch.set_num_threads(1)
    began = time.process_time()
    for name, draw in DRAWS.items():
        for dtype in (torch.float32, torch.bfloat16, torch.float16):
            if name == "orthogonal" and dtype != torch.float32:
                continue  # torch has no QR in it
            for seed in seeds:
                asked += 1
                sound = initcheck.check_model(
                    lambda draw=draw, dtype=dtype: model_of(draw, dtype), claims=[LAW, ABSURD], seed=seed
                )
                odd = initcheck.check_model(
                    lambda draw=draw, dtype=dtype: model_of(draw, dtype, 1.5), claims=[LAW], seed=seed
                )[LAW]
                holds = sound[LAW].verdict is sound[ABSURD].verdict is Verdict.HOLDS
                fails = odd.verdict is Verdict.FAILS and "3.weight" in str(odd.evidence.case)
                held, failed = held + holds, failed + fails
                if not holds or not fails:
                    wrong.append((name, str(dtype), seed))
    print(f"torch {torch.__version__}: {held} of {asked} sound models hold, {failed} of {asked} deviants fail,"
          f" {time.process_time() - began:.0f} CPU s; otherwise: {wrong}")  # fmt: skip
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
