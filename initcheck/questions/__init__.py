"""What a property asks of a trial: one statistical question a file."""

from initcheck.contract.second_moments import (
    MeanSquare,
    Statistic,
    declared_power,
    serves_both_ways,
    widths_of_a_fixed_std,
)
from initcheck.questions.bounded_scores import Scores, scores_average_to_zero
from initcheck.questions.calls import (
    calls_are_distinct,
    calls_do_not_correlate,
    layers_are_distinct,
    repeats_bit_for_bit,
)
from initcheck.questions.centre import centred_at_every_position, centred_over_a_result
from initcheck.questions.distribution import follows_the_law, is_fine_enough, law_named_by, no_weight_is_impossible
from initcheck.questions.energy import keeps_energy, keeps_singular_values, names_activation, promises_isometry
from initcheck.questions.equal_blocks import blocks_never_repeat
from initcheck.questions.one_law import follows_one_law
from initcheck.questions.orthogonality import is_orthogonal, keeps_the_norm, points_everywhere_alike
from initcheck.questions.precision import survives_in
from initcheck.questions.shuffled_draws import beats_no_shuffle, two_are_alike
from initcheck.questions.side_effects import moves_no_generator, shares_no_memory
from initcheck.questions.ties import gradients_never_tie, ties_are_no_accident, units_never_tie
from initcheck.questions.units import units_share_the_energy
from initcheck.statistics import excluded_rate

__all__ = [
    "MeanSquare",
    "Scores",
    "Statistic",
    "beats_no_shuffle",
    "blocks_never_repeat",
    "calls_are_distinct",
    "calls_do_not_correlate",
    "centred_at_every_position",
    "centred_over_a_result",
    "declared_power",
    "excluded_rate",
    "follows_one_law",
    "follows_the_law",
    "gradients_never_tie",
    "is_fine_enough",
    "is_orthogonal",
    "keeps_energy",
    "keeps_singular_values",
    "keeps_the_norm",
    "law_named_by",
    "layers_are_distinct",
    "moves_no_generator",
    "names_activation",
    "no_weight_is_impossible",
    "points_everywhere_alike",
    "promises_isometry",
    "repeats_bit_for_bit",
    "scores_average_to_zero",
    "serves_both_ways",
    "shares_no_memory",
    "survives_in",
    "ties_are_no_accident",
    "two_are_alike",
    "units_never_tie",
    "units_share_the_energy",
    "widths_of_a_fixed_std",
]
