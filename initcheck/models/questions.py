"""What a property of a whole model asks of its trial: one rule a file; the names below are what authors use.

>>> from initcheck.models.questions import ModelTrial, equal_tensors
>>> def no_two_matrices_are_equal(trial: ModelTrial) -> None:
...     for copy in equal_tensors(trial.facts.random):
...         trial.fails(copy.sentence)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from initcheck.first_use import on_first_use

if TYPE_CHECKING:
    from initcheck.models.factory.promises import broken_promises
    from initcheck.models.factory.trial import ModelTrial
    from initcheck.models.factory.wording import folded, place, unwritten_text
    from initcheck.models.ranks.rules import (
        copied_pieces,
        differing_replicas,
        lost_entries,
        lost_ties,
        never_written,
        other_laws,
        other_tensors,
        repeated_states,
    )
    from initcheck.models.ranks.subject import RankTrial
    from initcheck.models.rules.absurd import absurd_in_build
    from initcheck.models.rules.bypassed import bypassed_guards
    from initcheck.models.rules.copies import equal_tensors, equal_units, repeated_draws, shared_layers
    from initcheck.models.rules.in_force import (
        far_from_the_rest,
        fused_fans,
        initializer_range,
        judge_declared,
    )
    from initcheck.models.rules.left_out import left_at_default
    from initcheck.models.rules.lost_writes import lost_writes, never_called, undone_ties
    from initcheck.models.rules.reading import left_random
    from initcheck.models.rules.rebuilding import changed_in_low_precision, changed_laws, unchanged_by_seed
    from initcheck.models.rules.residual_scaling import residual_scalings
    from initcheck.models.rules.siblings import is_traced, later_notes, named_deviants, unnamed_deviants
    from initcheck.models.rules.signal_causes import cause_of_growth, cause_of_loss, cause_of_one_output
    from initcheck.models.rules.slips import slips
    from initcheck.models.rules.waiting import without_gradient
    from initcheck.wording import listed

__all__ = [
    "ModelTrial",
    "RankTrial",
    "absurd_in_build",
    "broken_promises",
    "bypassed_guards",
    "cause_of_growth",
    "cause_of_loss",
    "cause_of_one_output",
    "changed_in_low_precision",
    "changed_laws",
    "copied_pieces",
    "differing_replicas",
    "equal_tensors",
    "equal_units",
    "far_from_the_rest",
    "folded",
    "fused_fans",
    "initializer_range",
    "is_traced",
    "judge_declared",
    "later_notes",
    "left_at_default",
    "left_random",
    "listed",
    "lost_entries",
    "lost_ties",
    "lost_writes",
    "named_deviants",
    "never_called",
    "never_written",
    "other_laws",
    "other_tensors",
    "place",
    "repeated_draws",
    "repeated_states",
    "residual_scalings",
    "shared_layers",
    "slips",
    "unchanged_by_seed",
    "undone_ties",
    "unnamed_deviants",
    "unwritten_text",
    "without_gradient",
]

# A run on initializers states the claims on models too, and asks none of these.
__getattr__ = on_first_use(
    "initcheck.models.questions",
    {
        "models.factory.promises": "broken_promises",
        "models.factory.trial": "ModelTrial",
        "models.factory.wording": "folded place unwritten_text",
        "models.ranks.rules": "copied_pieces differing_replicas lost_entries lost_ties never_written other_laws"
        " other_tensors repeated_states",
        "models.ranks.subject": "RankTrial",
        "models.rules.absurd": "absurd_in_build",
        "models.rules.copies": "equal_tensors equal_units repeated_draws shared_layers",
        "models.rules.bypassed": "bypassed_guards",
        "models.rules.in_force": "far_from_the_rest fused_fans initializer_range judge_declared",
        "models.rules.left_out": "left_at_default",
        "models.rules.lost_writes": "lost_writes never_called undone_ties",
        "models.rules.reading": "left_random",
        "models.rules.rebuilding": "changed_in_low_precision changed_laws unchanged_by_seed",
        "models.rules.residual_scaling": "residual_scalings",
        "models.rules.siblings": "is_traced later_notes named_deviants unnamed_deviants",
        "models.rules.signal_causes": "cause_of_growth cause_of_loss cause_of_one_output",
        "models.rules.slips": "slips",
        "models.rules.waiting": "without_gradient",
        "wording": "listed",
    },
)


def __dir__() -> list[str]:
    return sorted(__all__)
