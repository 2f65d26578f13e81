"""Sequential statistics that never flake: e-processes, the error ledger, moments, exchangeability."""

from initcheck.statistics.band import GROUP_WEIGHTS, BandEvidence, band_paths, judge_band
from initcheck.statistics.ledger import SCREEN_LEVEL, ClaimLedger, Decision, Judgement, Ledger
from initcheck.statistics.mean_bets import average_log_e, betting_log_e
from initcheck.statistics.median import judge_median, looks, median_log_p, worth_repeating
from initcheck.statistics.scores import ScoreEvidence, scores_log_e, shares_log_e
from initcheck.statistics.sign_eprocess import (
    excluded_rate,
    first_groups,
    log_e,
    merged_log_e,
    merged_ratios,
    rare_log_e,
)
from initcheck.statistics.sums import Record
from initcheck.statistics.symmetric import (
    SHUFFLES,
    call_correlation,
    call_views,
    excluded_states,
    parts_that_correlate,
    rarely_top_log_e,
    symmetric_log_e,
    tops,
    tops_log_e,
)
from initcheck.statistics.tail import hill, second_moment_shown

__all__ = [
    "GROUP_WEIGHTS",
    "SCREEN_LEVEL",
    "SHUFFLES",
    "BandEvidence",
    "ClaimLedger",
    "Decision",
    "Judgement",
    "Ledger",
    "Record",
    "ScoreEvidence",
    "average_log_e",
    "band_paths",
    "betting_log_e",
    "call_correlation",
    "call_views",
    "excluded_rate",
    "excluded_states",
    "first_groups",
    "hill",
    "judge_band",
    "judge_median",
    "log_e",
    "looks",
    "median_log_p",
    "merged_log_e",
    "merged_ratios",
    "parts_that_correlate",
    "rare_log_e",
    "rarely_top_log_e",
    "scores_log_e",
    "second_moment_shown",
    "shares_log_e",
    "symmetric_log_e",
    "tops",
    "tops_log_e",
    "worth_repeating",
]
