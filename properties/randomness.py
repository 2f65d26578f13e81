"""What an initializer's randomness owes: the seed decides everything, and no call tells of another."""

from __future__ import annotations

from hypothesis import given

from initcheck.claims import Case, Trial, claim, layers
from initcheck.questions import (
    beats_no_shuffle,
    blocks_never_repeat,
    calls_are_distinct,
    calls_do_not_correlate,
    layers_are_distinct,
    moves_no_generator,
    repeats_bit_for_bit,
    two_are_alike,
)

CALLED = ("accepts-every-shape", "returns-the-shape-asked")


@claim(
    "same-seed-same-weights",
    says="The values are a function of shape, dtype and seed alone.",
    source="by definition of a seed",
    topic="randomness",
    needs=CALLED,
    in_fresh_processes=True,
    decided_by="exact, bit for bit: seven (shape, seed) pairs, fewer where each shape is compiled, seed 0 among them,"
    " drawn four times, twice of them in fresh processes; where calls are cheap a hundred more seeds, twice here. Not"
    " seen: other shapes and seeds, machines and versions, what only the very first call of a process does, which is"
    " made to find out how the function is called, and what fewer calls than one in a hundred do; where no fresh"
    " process can have the function, what is cached by shape",
)
@given(layer=layers(of="smallest"))
def same_seed_same_weights(trial: Trial, layer: Case) -> None:
    """f(s, seed) gives the same bits whatever ran before, in whatever order, whatever the global generators hold."""
    repeats_bit_for_bit(trial, trial.subject.probes)


@claim(
    "calls-are-independent",
    says="Two calls on one advancing generator give unequal, uncorrelated weights, and so do two seeds.",
    source="exchangeability: corr(X1 - X2, Y1 - Y2) is symmetric about 0",
    topic="randomness",
    needs=(*CALLED, "finite"),
    decided_by="96 calls, two on each of 48 generators, and where calls are cheap up to 2,048 more, compared as they"
    " lie and as magnitudes in order: FAILS on a coincidence among fresh calls, which two results of 64 weights that"
    " are not zero have by accident once in 2^64 pairs; HOLDS prints the number of states that is excluded. Betting"
    " e-processes on the correlation of two calls, of their magnitudes, with the second in reverse and with both in"
    " order: FAILS beyond 0.1, HOLDS below 0.2, in order below 0.5; and of the row and the column that correlate most"
    " in the first pairs, on those that follow: FAILS beyond 0.1. Where code that is handed its randomness draws from"
    " a global generator, that one is started from each call's seed too, here as for every claim on values: that the"
    " seed alone does not decide is same-seed-same-weights. Of what makes a network from a list of widths the layers"
    " of one call are compared likewise. Not seen: more states than are printed,"
    " coincidences across shapes, what two calls share in a few weights or in several rows that change from call to"
    " call, and dependence of calls that are no neighbours and do not coincide",
    finds="seeds taken modulo 2^16 in 2,000 calls, weights that are reversed at the neighbouring seed, one pool of"
    " values in another order at each call",
)
@given(layer=layers(of="medium"))
def calls_are_independent(trial: Trial, layer: Case) -> None:
    """No result repeats another, and no call correlates with the next.

    Not asked of a constant whose contract names the distribution 'identity' or 'constant': nothing of it is drawn.
    """
    promised = trial.subject.contract_of(layer).promised("distribution")
    nothing_drawn = promised in ("identity", "constant") and trial.subject.constant
    trial.asks(not nothing_drawn, f"distribution={promised}: every call gives the same weights, as promised")
    layers_are_distinct(trial, layer)
    calls_are_distinct(trial, layer)
    calls_do_not_correlate(trial, layer)


@claim(
    "entries-are-independent",
    says="Inside one result no weight tells of another.",
    source="Fisher 1935, The Design of Experiments, section 21: ranks among permutations of exchangeable values",
    topic="entries",
    sweep="values",
    needs=(*CALLED, "finite", "calls-are-independent", "units-differ"),
    decided_by="rank of 45 statistics of four calls, and, of what is cheap to draw by the thousand, of where the"
    " extremes of sixteen lie, among 19 copies in which every position is permuted over the calls, P(top) <="
    " 1/20 exactly for independent entries of any law each, masks and scales by position among them; average"
    " of their e-processes for FAILS, each below one half for HOLDS. Of layers of more than 1,100 weights,"
    " and of those beside the plan, a glance sees copies of a unit or an input, with signs turned too, and"
    " of layers of 64 rows and columns or more those that nearly are; such a layer is then judged likewise."
    " Assumes that calls are independent. Not seen: layers of fewer than 4 rows or columns, of layers of"
    " more than 1,100 weights whatever is no copy, a spread of call energies or a correlation below what"
    " HOLDS prints, signs that four or more weights determine together unless they are neighbours or a whole"
    " row or column, and an extreme that is moved to one place in fewer than half of the calls, or any other"
    " rank than the first and the last",
    finds="one gain a call that spreads its energy by 20 % at 16 x 32 in 60 calls, rows or columns that sum to zero or"
    " have one length, rows of a Hadamard matrix, signs in balance, the parity of three weights of a row, in 32",
    pictures=("singular_values",),
)
@given(layer=layers(of="medium and larger"))
def entries_are_independent(trial: Trial, layer: Case) -> None:
    """Where no weight tells of another, calls look like any copy of them with each position permuted by itself.

    Each position may have a law of its own: a mask, a scale by input or a mean is no dependence. Of a layer with
    several weights, or with one that packs several: no block repeats another. A layer of any other size is asked where
    a glance sees an input, or a unit, twice.
    """
    medium = layer in trial.subject.medium
    if medium:
        blocks_never_repeat(trial, layer)
    entries = trial.subject.contract_of(layer).entries
    trial.asks(entries != "dependent", "the contract says that entries depend on one another")
    trial.asks(not trial.subject.constant, "every call gives the same weights")
    trial.asks(min(layer.units, layer.inputs) >= 4, "fewer than 4 rows or columns have no structure to show")
    trial.glances(layer, lambda calls: 1.0 if two_are_alike(trial, layer) else -1.0)
    trial.asks(medium or two_are_alike(trial, layer), "no two inputs of a large layer look alike at a glance")
    beats_no_shuffle(trial, layer)


@claim(
    "leaves-global-generators-alone",
    says="Global generators and settings are the same after the call as before.",
    source="by definition of a caller's own generator",
    topic="globals",
    needs=CALLED,
    decided_by="exact: state of random, numpy.random, torch and keras before and after a call, moved off a freshly"
    " seeded state; also np.errstate, working directory and environment; at every layer of the plan, at two where each"
    " is compiled. Not seen: other shapes, generators that a library of its own holds, and calls that do so now and"
    " then",
)
@given(layer=layers(of="called"))
def leaves_global_generators_alone(trial: Trial, layer: Case) -> None:
    """Where the caller hands over a generator, seed or key, no global generator moves."""
    moves_no_generator(trial, layer)
