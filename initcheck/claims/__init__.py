"""What a claim is, how it is stated, and the registry of all of them; the names below are what authors of claims use.

>>> from hypothesis import given
>>> from initcheck.claims import Case, Trial, claim, layers
>>> @given(layer=layers(of="probes"))
... def no_weight_is_zero(trial: Trial, layer: Case) -> None:
...     drawn = trial.draws.sample(layer, trial.dtype, SCREEN, 4)
...     shown = {"measured": f"{(drawn == 0).sum()} zeros", "allowed": "none", "calls": 4}
...     trial.holds(layer, **shown) if drawn.all() else trial.fail(layer, **shown)

``initcheck.questions`` has the statistical questions that may be put to a trial. A claim imports nothing else of
initcheck; a theorem has its networks from ``initcheck.networks``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from initcheck.first_use import on_first_use

if TYPE_CHECKING:
    from initcheck.claims.statement import claim
    from initcheck.claims.strategies import activations, depths, layers
    from initcheck.claims.subject import Subject
    from initcheck.claims.trial import CaseFailed, NotAsked, Stage, Trial
    from initcheck.contract.case import Case
    from initcheck.contract.layer import Layer
    from initcheck.draws.call import BrokenCall
    from initcheck.draws.streams import SCREEN, Stream
    from initcheck.errors import fail_unless

__all__ = [
    "SCREEN",
    "BrokenCall",
    "Case",
    "CaseFailed",
    "Layer",
    "NotAsked",
    "Stage",
    "Stream",
    "Subject",
    "Trial",
    "activations",
    "claim",
    "depths",
    "fail_unless",
    "layers",
]

# This package is imported at every start of pytest, and NumPy and Hypothesis cost 0.3 s.
__getattr__ = on_first_use(
    "initcheck.claims",
    {
        "claims.statement": "claim",
        "claims.strategies": "activations depths layers",
        "claims.subject": "Subject",
        "claims.trial": "CaseFailed NotAsked Stage Trial",
        "contract.case": "Case",
        "contract.layer": "Layer",
        "draws.call": "BrokenCall",
        "draws.streams": "SCREEN Stream",
        "errors": "fail_unless",
    },
)


def __dir__() -> list[str]:
    return sorted(__all__)
