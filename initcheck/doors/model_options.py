"""The options that only models have, for the command line and for pytest; light, since pytest loads it always."""

from __future__ import annotations

import argparse
from typing import Any

__all__ = ["add_model_options"]


def add_model_options(add: Any, prefix: str = "") -> None:
    """Add the options that only models have: to a parser (prefix '') or to pytest's group ('initcheck-').

    Args:
        add: ``parser.add_argument`` or ``group.addoption``.
        prefix: what stands before each name.
    """
    add(
        f"--{prefix}law", action="append", default=[], metavar="PATTERN=LAW", dest=_dest(prefix, "law"),
        help="declare the standard deviation of a model's tensors: '*.c_proj.weight=0.02/sqrt(2*L)' (repeatable)",
    )  # fmt: skip
    add(
        f"--{prefix}batch", default=None, metavar="TEXT", dest=_dest(prefix, "batch"),
        help="what a model is run on: 4x3x32x32, int<100:2x16, input_ids=int<100:2x16, or pkg:make_batch",
    )  # fmt: skip
    add(
        f"--{prefix}models", type=_positive, default=None, metavar="N", dest=_dest(prefix, "models"),
        help="most models of fresh seeds (default: 80 for a small model, 3 above 100 M parameters)",
    )  # fmt: skip


def _dest(prefix: str, name: str) -> str:
    return f"{prefix}{name}".replace("-", "_")


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of models from 1 on.")
    return int(text)
