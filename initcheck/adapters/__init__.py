"""Python object -> Initializer: one file per concept; a framework is touched only as a target's own."""

from __future__ import annotations

from initcheck.adapters.recognition import recognise
from initcheck.sandbox.containment import Contained, InitializerRaised, contained
from initcheck.sandbox.global_generators import global_states, isolated, watching

__all__ = [
    "Contained",
    "InitializerRaised",
    "contained",
    "global_states",
    "isolated",
    "recognise",
    "watching",
]
