"""Python object -> Initializer: one file per concept; a framework is touched only as a target's own."""

from __future__ import annotations

from initcheck.adapters.containment import Contained, InitializerRaised, contained
from initcheck.adapters.isolation import global_states, isolated, watching
from initcheck.adapters.recognition import recognise

__all__ = [
    "Contained",
    "InitializerRaised",
    "contained",
    "global_states",
    "isolated",
    "recognise",
    "watching",
]
