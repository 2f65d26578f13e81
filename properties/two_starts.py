"""What two starts owe one another, the same shapes and one law; and what a start owes its law file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from initcheck.claims import claim

if TYPE_CHECKING:
    from initcheck.comparison.subject import PairTrial
    from initcheck.locks.subject import LockTrial


@claim(
    "have-the-same-shapes",
    says="Every shape that A gives weights of, and every tensor that A has, B has too, and the other way round.",
    source="by definition of a port",
    kind="pair",
    topic="promises",
    label="shapes",
    decided_by="exact: what one takes and the other does not is named. No error rate.",
)
def have_the_same_shapes(trial: PairTrial) -> None:
    """Ask both for the same shapes, or lay both models side by side."""
    for sentence in trial.comparison.missing:
        trial.fails(sentence)
    trial.measured = f"{len(trial.comparison.parts):,} in both"
    trial.allowed = "the same in both"


@claim(
    "start-from-one-law",
    says="A and B draw every weight that both have from one law.",
    source="Shekhar & Ramdas 2023 (arXiv 2112.09162); Waudby-Smith & Ramdas 2024 (arXiv 2010.09686), section 4",
    kind="pair",
    topic="distribution",
    label="law",
    decided_by="bits of the same seeds first: where they are equal everywhere, nothing is left to chance. Else pairs of"
    " independent calls, one of A and one of B: under one law they may change places, so that scores which change"
    " their sign then have mean 0, whatever the law and the dependence inside a call. DIFFERENT by bets on every score"
    " and its negative, false with probability <= alpha over all shapes; SAME where every score is shown to lie within"
    " its tolerance, wrong with probability <= beta; else UNDECIDED. Tolerated: 1 % in a standard deviation, 0.03 in a"
    " cosine of the law of an entry, 0.02 in a correlation, or 0.6 standard deviations of a call where that is more."
    " Not seen: what one call tells of the next, and what only one call in twenty shows.",
    finds="at shape (16, 32): a factor of 1.03 in the standard deviation in about 230 pairs of calls, a normal cut at"
    " two standard deviations in 64, an orthogonal matrix in 32",
)
def start_from_one_law(trial: PairTrial) -> None:
    """Compare both part by part; what differs is named with the clearest part first."""
    parts, different = trial.comparison.parts, trial.different()
    if different:
        trial.differs(f"DIFFERENT in {len(different)} of {len(parts)}; clearest: {different[0].sentence}", different[0])
        for part in trial.of_other_causes():
            trial.differs(f"{part.sentence}; {part.cause}", part)
    for part in trial.undecided():
        trial.doubts_that(part.sentence)
    if not parts:
        trial.not_applicable("A and B have nothing in common that could be compared")
    if trial.comparison.same_bits:
        trial.note(f"the same bits at {trial.comparison.same_bits} seeds: this is one function of the seed")
    found = f"DIFFERENT in {len(different)}" if different else f"SAME in {len(trial.same())}"
    trial.measured = f"{found} of {len(parts)}"
    trial.allowed = "SAME in all"


@claim(
    "keeps-its-lock",
    says="Every role follows the law that its law file, or the preset, has for it.",
    source="initcheck lock",
    kind="lock",
    topic="law",
    label="lock",
    decided_by="exact of laws that the trace of a build names: words and numbers to 0.2 %. Of roles that no operation"
    " of PyTorch wrote, a standard deviation beyond 5 % and six standard errors. Of initializers the law of the line is"
    " drawn and compared as by start-from-one-law, false with probability <= alpha.",
)
def keeps_its_lock(trial: LockTrial) -> None:
    """Read the laws anew and lay them beside the file, line by line."""
    for sentence in trial.departures:
        trial.fails(sentence, likely=trial.cause, fix=trial.mend)
    for sentence in trial.open_lines:
        trial.doubts_that(sentence)
    if not trial.lines:
        trial.not_applicable(f"{trial.locked.file or trial.locked.like} has a law for none of its tensors")
    many = len(trial.departures)
    changes = "1 change" if many == 1 else f"{many} changes"
    trial.measured = changes if many else f"{trial.lines} lines kept"
    trial.allowed = f"the laws of {trial.locked.file or trial.locked.like}"
