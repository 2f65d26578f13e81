"""The law that was named is the law that is drawn, up to its scale."""

from __future__ import annotations

from hypothesis import given

from initcheck.claims import Case, Trial, claim, layers
from initcheck.questions import follows_the_law, is_fine_enough, law_named_by, no_weight_is_impossible

NOT_NAMED = "the contract names no distribution"


@claim(
    "follows-its-distribution",
    says="The weights follow the law that the contract names, such as normal, uniform or truncated at c sigma.",
    source="Neyman 1937, smooth tests of goodness of fit; Waudby-Smith & Ramdas 2024 (arXiv 2010.09686) for the bets",
    topic="distribution",
    needs=("accepts-every-shape", "returns-the-shape-asked", "finite", "calls-are-independent", "zero-mean"),
    unasked=lambda contract: NOT_NAMED if contract.promised("distribution") is None else None,
    decided_by="betting e-process over calls on cos(pi j F(w/s)), j = 1 to 8, and on the share of weights beyond the"
    " law's bounds; FAILS beyond 0.01 and what the estimated s may be wrong by, HOLDS within 0.03. At"
    " every shape the largest of a million weights, or of 2,048 calls: beyond the bounds of the law, 12 standard"
    " deviations of a normal or 40 of a Laplace it FAILS. Assumes that entries and calls are independent. Not seen:"
    " shares of other weights below what the cosines exclude and rarer than one in what was drawn of a shape",
    finds="against a normal: a uniform (mean 0.16) in 216 calls, Student's t with 5 degrees of freedom (0.12) in 324"
    " and with 20 (0.02) in 2,458, 1 % of three times the width in 2,458; with 30 degrees, or cut at 3 sigma, it HOLDS."
    " Against bounds: 1 weight in 2,000 beyond them in 216 calls, a cut at 2.1 sigma where 2 was said in 64",
    pictures=("histogram",),
)
@given(layer=layers(of="three fans"))
def follows_its_distribution(trial: Trial, layer: Case) -> None:
    """E cos(pi j F(w/s)) = 0 for j = 1 to 8, where F is the law at variance 1 and s the standard deviation.

    Under the law u = F(w/s) is uniform on (0, 1), and every cosine of it has mean 0. s is estimated on a first sample
    of up to 262,144 weights; how far a wrong s can move a mean is computed and allowed for. A bounded law has no weight
    beyond its bounds. Rademacher: fair signs of one magnitude. Asked at three fans of normal, uniform,
    truncated_normal(c), laplace and rademacher, where the contract says so and the entries are independent.
    """
    contract = trial.subject.contract_of(layer)
    cut = "; truncated_normal(2) does, cut at 2 sigma" if contract.distribution == "truncated_normal" else ""
    trial.asks(law_named_by(contract) is not None, f"{contract.distribution} names no law of one weight{cut}")
    trial.asks(contract.entries != "dependent", "the contract says that entries depend on one another")
    trial.asks(not trial.subject.constant, "every call gives the same weights")
    trial.asks(is_fine_enough(trial.dtype), f"{trial.dtype} has too coarse a grid to tell one law from another")
    # The largest weight at every shape, not at three alone: once, at the first.
    looked_at = trial.subject.domain.plan if trial.thrift == 1 else (layer,)
    for each in trial.once("largest weights", lambda: iter(looked_at)):
        no_weight_is_impossible(trial, each)
    follows_the_law(trial, layer)
