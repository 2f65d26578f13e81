"""What the tensors of a built model owe: written, repeatable, distinct, of one law, of the declared law."""

from __future__ import annotations

from typing import TYPE_CHECKING

from initcheck.claims.statement import claim

if TYPE_CHECKING:
    from initcheck.models.trial import ModelTrial

_NOT_SEEN = (
    " Not seen: memory that neither torch nor np.empty allocated (a raw storage), shards of one model, devices other"
    " than the CPU, lazy modules before their first call, frameworks other than PyTorch."
)


@claim(
    "every-tensor-is-written",
    says="No entry of any parameter or buffer is left as the memory was found.",
    source="PyTorch, torch.empty: 'filled with uninitialized data'",
    topic="promises",
    label="written",
    kind="model",
    decided_by="exact: two builds of one seed, fresh memory filled with NaN in one and with 0.0123456789 in the other;"
    " what differs then, but not under one fill, holds or uses what nobody wrote. No error rate." + _NOT_SEEN,
)
def every_tensor_is_written(trial: ModelTrial) -> None:
    """Fill fresh memory with NaN, then with a canary: what still holds the fill was never written."""
    from initcheck.models.wording import listed, place, unwritten_text

    one, two = trial.facts.first.records, trial.facts.second.records
    for name, found in trial.facts.unwritten.items():
        if found.unwritten and two[name].unwritten:
            trial.fails(
                unwritten_text(found, found.unwritten),
                likely="torch.empty (or skip_init, to_empty, new_empty) whose initialisation never ran for it",
                fix="initialise it where it is made, or in the reset_parameters of its module",
            )
        else:
            trial.fails(f"{name}: its values depend on unwritten memory ({place(found.law.site)})")
    trial.measured = f"{len(one) - len(trial.facts.unwritten):,} of {len(one):,} tensors fully written"
    twice = [n for n, r in one.items() if len(r.sites) > 1]
    if twice:
        trial.note(f"{len(twice)} tensors were written from two places, such as {listed(twice, 1)}")


@claim(
    "rebuilds-the-same",
    says="Same seed, same bits; another seed changes every random tensor; initialising twice, or in bfloat16, keeps"
    " the law.",
    source="PyTorch, Reproducibility; reset_parameters by convention",
    topic="randomness",
    label="rebuild",
    kind="model",
    decided_by="exact for bits: three builds of one seed and one of another. A second initialisation by the root's"
    " own init_weights, initialize_weights or reset_parameters, and a build under bfloat16, are held to 5 % of the"
    " second moment (bfloat16 also to 2 % of a standard deviation of the mean, and to no entry beyond twelve),"
    " with eight standard deviations of chance allowed." + _NOT_SEEN,
)
def rebuilds_the_same(trial: ModelTrial) -> None:
    """Build again: same seed, other seed, initialised twice, in bfloat16."""
    from initcheck.models.rebuilding import changed_laws, unchanged_by_seed

    facts = trial.facts
    for name in facts.unseeded:
        trial.fails(f"{name}: other bits at the same seed", likely="a generator that no seed sets")
    for tensor in unchanged_by_seed(facts.random, facts.other(1).records):
        trial.fails(f"{tensor.name}: the same bits at another seed", likely="a seed set inside the factory")
    said = ["same seed same bits", "other seed other bits"]
    repeated = facts.second.looks["again"]
    if repeated is not None and isinstance(repeated[1], str):
        trial.note(f"{repeated[0]}() cannot be called a second time: {repeated[1]}")
    elif repeated is not None:
        for sentence in changed_laws(facts.roles, repeated[1]):
            trial.fails(f"{sentence}, when {repeated[0]}() runs a second time")
        said.append(f"{repeated[0]}() twice keeps the law")
    low = facts.low_precision
    if isinstance(low, str):
        trial.note(low)
    else:
        for sentence in changed_laws(facts.roles, low.records, mean_too=True):
            trial.fails(f"{sentence}, in bfloat16")
        said.append("bfloat16 keeps the law")
    trial.measured = "; ".join(said) if not trial.failures else f"{len(trial.failures)} tensors or roles differ"


@claim(
    "tensors-are-distinct",
    says="No two random tensors, units or draws are copies; what is constant is broken by its gradient.",
    source="Goodfellow, Bengio & Courville 2016, section 8.4: initial parameters must break symmetry",
    topic="symmetry",
    label="distinct",
    kind="model",
    decided_by="exact: digests of whole tensors (from two dimensions up; equal vectors and one frozen copy are"
    " notes), the generator's state before every draw, the order of the first 64 entries, equal non-zero rows or"
    " columns of three entries or more. A constant matrix is decided by one backward pass: a gradient that is zero,"
    " or equal in all rows or all columns, and stays so for two small steps, fails."
    + _NOT_SEEN
    + " Nor are tensors that are correlated but unequal, and the state of NumPy's generator.",
)
def tensors_are_distinct(trial: ModelTrial) -> None:
    """Compare random tensors, their units and their draws; ask the gradient about constant matrices."""
    from initcheck.models.copies import equal_tensors, equal_units, repeated_draws
    from initcheck.models.wording import listed

    random = trial.facts.random
    for copy in (*equal_tensors(random), *equal_units(random), *repeated_draws(random)):
        (trial.fails if copy.blamed else trial.note)(copy.sentence)
    signal = trial.facts.first.looks["signal"]
    constant = [
        n for n, r in trial.facts.first.records.items() if r.parameter and r.trainable and r.constant and r.matrix
    ]
    broken = [n for n in constant if signal.gradients.get(n) in ("differ", "later")]
    words = {
        "zero": "is zero",
        "rows": "is the same for all its rows",
        "columns": "is the same for all its columns",
    }
    for name, kind in signal.gradients.items():
        if kind in words:
            trial.fails(f"{name}: constant, and its gradient {words[kind]}", likely="nothing breaks its symmetry")
    unknown = [n for n in constant if n not in signal.gradients]
    if unknown and trial.facts.written:
        trial.doubts_that(f"{listed(unknown)}: constant, and no gradient could be taken ({signal.problem})")
    if broken:
        trial.note(f"constant and told apart by their gradient: {listed(broken)}")
    trial.measured = f"{len(random):,} random tensors differ in every unit and from each other"
    if trial.failures:
        trial.measured = f"{len(trial.failures):,} copies among {len(random):,} random tensors"


@claim(
    "siblings-share-one-law",
    says="Tensors of one role and shape follow one law, or a law of depth.",
    source="Vaswani et al. 2017 and Radford et al. 2019: layers are stacked copies of one design",
    topic="law",
    label="law",
    kind="model",
    decided_by="exact where torch drew them: the arguments of the last whole-tensor draw, compared among tensors of"
    " one class, starred path and shape; three or more deviants ordered with depth are a design. Entries beyond"
    " twelve standard deviations of that law fail. Where torch did not draw them: the same one of n siblings is the"
    " extreme one in all of K models, P = n^-(K-1); such a role is never said to hold." + _NOT_SEEN,
)
def siblings_share_one_law(trial: ModelTrial) -> None:
    """Compare the laws of tensors that play the same part in different blocks."""
    from initcheck.models.siblings import far_entries, is_traced, traced_deviants, untraced_deviants

    facts = trial.facts
    by_draw = [r for r in facts.roles if any(m.name in facts.random for m in r.members)]
    untraced = [r for r in by_draw if not any(is_traced(m) for m in r.members)]
    findings = [f for role in facts.roles for f in traced_deviants(role)]
    findings += [f for role in facts.roles for member in role.members for f in far_entries(member)]
    findings += [f for role in untraced for f in untraced_deviants(role, facts, trial.level / max(1, len(untraced)))]
    say = {"fails": trial.fails, "doubt": trial.doubts_that, "note": trial.note}
    for finding in findings:
        say[finding.kind](finding.sentence)
    trial.measured = f"{len(by_draw)} random roles, law read from the draw itself in {len(by_draw) - len(untraced)}"
    if not by_draw:
        trial.not_applicable("no tensor of this model is random")


@claim(
    "declared-laws-are-in-force",
    says="Each declared law, or the config's initializer_range, holds.",
    source="Radford et al. 2019, section 2.3: residual weights scaled by 1/sqrt(N)",
    topic="distribution",
    label="declared",
    kind="model",
    needs=("every-tensor-is-written",),
    decided_by="a traced draw tells its standard deviation exactly: HOLDS within 5 %, FAILS beyond. Untraced"
    " tensors: the sign e-process on second moments of fresh models. A config's initializer_range fails only where"
    " no random role has it. An init statement that never ran behind a guard on names is UNDECIDED: only a"
    " declared law can say that it should have." + _NOT_SEEN,
)
def declared_laws_are_in_force(trial: ModelTrial) -> None:
    """Hold every tensor that a declared pattern names to the declared standard deviation."""
    from initcheck.models.in_force import bypassed_guards, initializer_range, judge_declared

    judge_declared(trial)
    initializer_range(trial)
    bypassed_guards(trial)
    if trial.measured is None and not trial.doubts:
        trial.not_applicable("nothing is declared; write such as laws={'*.c_proj.weight': '0.02/sqrt(2*L)'}")
