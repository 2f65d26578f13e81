"""What the tensors of a built model owe: written, repeatable, distinct, of one law, of the declared law."""

from __future__ import annotations

from typing import TYPE_CHECKING

from initcheck.claims import claim
from initcheck.models import questions

if TYPE_CHECKING:
    from initcheck.models.questions import ModelTrial

_NOT_SEEN = (
    " Not seen: memory that neither torch nor np.empty allocated (a raw storage), the shards of other processes, lazy"
    " modules before their first call."
)


def _shows_no_tensor(trial: ModelTrial) -> bool:
    """Say of a model of which no tensor was read that nothing of it is decided."""
    first = trial.facts.first
    if first.records:
        return False
    for name, why in list(first.unread.items())[:1]:
        trial.doubts_that(f"{name} is not read: {why}; nor is any other tensor of the model")
    if not first.unread:
        trial.not_applicable("the model has no tensor")
    return True


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
    if _shows_no_tensor(trial):
        return
    if "unwritten" in trial.facts.impossible:
        trial.not_applicable(trial.facts.impossible["unwritten"])
        return
    one, two = trial.facts.first.records, trial.facts.second.records
    never, depend = [], []
    for name, found in trial.facts.unwritten.items():
        role = trial.facts.role_of(name)
        if found.unwritten and two[name].unwritten:
            never.append((name, role, questions.unwritten_text(found, found.unwritten)))
        else:
            depend.append((name, role, f"its values depend on unwritten memory ({questions.place(found.law.site)})"))
    for sentence in questions.folded(never):
        trial.fails(
            sentence,
            likely="torch.empty (or skip_init, to_empty, new_empty) whose initialisation never ran for it",
            fix="initialise it where it is made, or in the reset_parameters of its module",
        )
    for sentence in questions.folded(depend):
        trial.fails(sentence)
    for name, why in trial.facts.first.unread.items():
        (trial.doubts_that if "meta" in why else trial.note)(f"{name} is not read: {why}")
    trial.measured = f"{len(one) - len(trial.facts.unwritten):,} of {len(one):,} tensors fully written"


@claim(
    "rebuilds-the-same",
    says="Same seed, same bits; another seed changes every random tensor; initialising twice, or in bfloat16, keeps"
    " the law.",
    source="PyTorch, Reproducibility; reset_parameters by convention",
    topic="randomness",
    label="rebuild",
    kind="model",
    decided_by="exact for bits: three builds of one seed and one of another; last bits that rounding moves (a solution"
    " of LAPACK) are a note. A second initialisation by the root's"
    " own init_weights, initialize_weights or reset_parameters, and a build under bfloat16, are held to 5 % of the"
    " second moment (bfloat16 also to 2 % of a standard deviation of the mean, and to no entry that is not finite or"
    " that its law excludes); chance"
    " explains a moved second moment with probability at most 1e-12 a tensor (Chernoff, entries of the measured"
    " kurtosis). What the factory writes after that method, or reads from a file, is left out." + _NOT_SEEN,
)
def rebuilds_the_same(trial: ModelTrial) -> None:
    """Build again: same seed, other seed, initialised twice, in bfloat16."""
    if _shows_no_tensor(trial):
        return
    from dataclasses import replace

    facts = trial.facts
    gone = [name for name in facts.unseeded if name not in facts.second.records]
    if gone:
        trial.doubts_that(
            f"{questions.listed(gone)}: a second build at the same seed has no tensor of that name; name them alike in"
            " every build (a counter of the process numbers on)"
        )
    for name in facts.unseeded:
        if name not in gone:
            trial.fails(f"{name}: other bits at the same seed", likely="a generator that no seed sets")
    if facts.rounded:
        trial.note(
            f"{questions.listed(list(facts.rounded))}: the last bits differ at the same seed, as of a least-squares"
            " solution or another sum whose order is not fixed"
        )
    for tensor in questions.unchanged_by_seed(facts.random, facts.other(1).records):
        trial.fails(
            f"{tensor.name}: the same bits at another seed", likely="a seed set inside the factory",
            fix=facts.fixes.get("seed"),
        )  # fmt: skip
    said = ["same seed same bits", "other seed other bits"]
    repeated = facts.second.looks.get("again")
    if repeated is not None and isinstance(repeated[1], str):
        trial.note(f"{repeated[0]}() cannot be called a second time: {repeated[1]}")
    elif repeated is not None:
        name, later, code = repeated
        called, moved = code in facts.second.began, []
        # What was written over the model's own initialisation, or read from a file, a second call undoes by design.
        over = set(facts.read) | facts.written_after(code)
        # A tie throws one of two initialisations away; a second call begins with the tie made, and the other wins.
        tied = set(facts.second.tied.values())
        kept = [replace(r, members=tuple(m for m in r.members if m.name not in over)) for r in facts.roles]
        for role in (r for r in kept if r.members):
            shared = all(m.name in tied for m in role.members)
            for sentence in questions.changed_laws([role], later):
                said_so = f"{sentence}, when {name}() runs a second time"
                if not called:
                    moved.append(sentence)
                elif shared:
                    trial.note(f"{said_so}: it is tied, and each of its names is initialised by a rule of its own")
                else:
                    trial.fails(said_so)
        if moved:
            trial.doubts_that(
                f"{name}() is not called while the model is built, and gives another law: {moved[0]}"
                + (f"; {len(moved) - 1} more likewise" if moved[1:] else "")
                + "; call it in the factory, if its law is the one that is meant"
            )
        undone = [
            n
            for n in sorted(facts.written_after(code))
            if n in later and later[n].digest != facts.second.records[n].digest
        ]
        if undone:
            trial.note(
                f"{len(undone)} tensors are written after {name}(), such as {undone[0]}; a second call undoes it"
            )
        said.append(f"{name}() {'twice ' if called else ''}keeps the law")
    low = facts.low_precision
    if isinstance(low, str):
        trial.note(low)
    else:
        trial.says(questions.changed_in_low_precision(facts, low))
        said.append("bfloat16 keeps the law")
    trial.measured = "; ".join(said) if not trial.failures else f"{len(trial.failures)} tensors or roles differ"


def equal_matrices(trial: ModelTrial) -> None:
    """Of one model: matrices and units that are equal, whatever made them so."""
    matrices = {n: r for n, r in trial.facts.first.records.items() if r.parameter and r.matrix and not r.constant}
    for copy in (
        *questions.equal_tensors(matrices),
        *questions.equal_units(matrices, trial.facts.first.looks["signal"]),
    ):
        if copy.kind != "note":
            trial.doubts_that(f"{copy.sentence}; a second build tells whether they were drawn")
    trial.not_applicable(f"no two of {len(matrices):,} matrices are copies, and no two units of one")


@claim(
    "tensors-are-distinct",
    of_one_model=equal_matrices,
    says="No two random tensors, units or draws are copies; what is constant is broken by its gradient.",
    source="Goodfellow, Bengio & Courville 2016, section 8.4: initial parameters must break symmetry",
    topic="symmetry",
    label="distinct",
    kind="model",
    decided_by="exact: digests of whole tensors (from two dimensions up; equal vectors and one frozen copy are"
    " notes), the generator's state before every draw, the order of the first 64 entries. Equal non-zero rows or"
    " columns of three entries or more, and constant matrices, are decided by one backward pass: equal units whose"
    " gradients are equal fail, others are noted with their pattern; a constant matrix fails whose gradient is zero,"
    " or equal in all rows or all columns, and stays so for two small steps; a few equal matrices of a stack whose"
    " others are not are open where their gradients differ; one that has none either where all that"
    " is constant is random is not used by the batch, a note. One layer under several names is open where a list holds"
    " no other, where it is the default of a parameter, and where it is given one input more than once; so are equal"
    " matrices that no seed changes."
    + _NOT_SEEN
    + " Nor are tensors that are correlated but unequal, and the state of NumPy's generator.",
)
def tensors_are_distinct(trial: ModelTrial) -> None:
    """Compare random tensors, their units and their draws; ask the gradient about constant matrices."""
    if _shows_no_tensor(trial):
        return
    random = trial.facts.random
    signal = trial.facts.first.looks["signal"]
    equal = [*questions.equal_tensors(random), *questions.equal_units(random, signal)]
    repeated = list(questions.repeated_draws(random))
    if repeated:
        trial.fix = trial.facts.fixes.get("one state")
    trial.says((*equal, *repeated))
    for copy in questions.equal_tensors({n: r for n, r in trial.facts.read.items() if r.trainable}):
        if copy.kind == "fails":
            trial.doubts_that(f"{copy.sentence}, and the same at every seed: read so, or drawn with one seed")
    constant = [
        n for n, r in trial.facts.first.records.items() if r.parameter and r.trainable and r.constant and r.matrix
    ]
    for sentence in questions.shared_layers(trial.facts):
        trial.doubts_that(sentence)
    broken = [n for n in constant if signal.gradients.get(n) in ("differ", "later")]
    words = {
        "zero": "is zero",
        "rows": "is the same for all its rows",
        "columns": "is the same for all its columns",
    }
    stopped: dict[tuple[str, bool], list[str]] = {}
    for name, kind in signal.gradients.items():
        if kind in words:
            zero = kind == "zero" and trial.facts.first.records[name].low == 0
            stopped.setdefault((kind, zero), []).append(name)
    for (kind, zero), names in stopped.items():
        likely = "nothing breaks its symmetry"
        fix = "draw it at random (a matrix with a variance of about 1 over its inputs)"
        if zero:
            likely = "zero beside zero: what it makes meets another zero, or a ReLU at 0, or it is given zeros alone"
            fix = "draw it at random, or the other zero"
        said = f"constant, and its gradient {words[kind]}"
        for sentence in questions.folded([(n, trial.facts.block_role_of(n), said) for n in names]):
            trial.fails(sentence, likely=likely, fix=fix)
    beyond = [n for n, kind in signal.gradients.items() if kind == "unreached"]
    if beyond:
        trial.note(f"constant, and not used by this batch, whatever their values: {questions.listed(beyond)}")
    shut = [name for name, kind in signal.gradients.items() if kind == "shut"]
    if shut:
        trial.note(f"constant, and a layer behind it lets no gradient through: {questions.listed(shut)}")
    unknown = [n for n in constant if n not in signal.gradients]
    if unknown and trial.facts.written:
        why = signal.problem or signal.unheard
        trial.doubts_that(f"{questions.listed(unknown)}: constant, and no gradient could be taken ({why})")
    if broken:
        trial.note(f"constant and told apart by their gradient: {questions.listed(broken)}")
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
    decided_by="exact where a call of torch.nn.init, or an operation of torch, names the law: its arguments, compared"
    " among tensors of one class, starred path and shape, slice by slice where slices were written later. More than"
    " two levels that are ordered with depth are a design. The entries give a second opinion: what has a mean square"
    " that the named law gives with probability at most 1e-12 (Chernoff) counts as not named. Tensors that were"
    " computed from draws are compared by their sizes: within a factor 1.2 of the middle one, four standard errors"
    " allowed, they are one law. Otherwise, and where torch did not draw: the same one of n siblings is the extreme"
    " one in all of K models, P = n^-(K-1) for exchangeable siblings; a role that torch did not draw is never said"
    " to hold. Siblings of which some were read and some are random fail." + _NOT_SEEN,
)
def siblings_share_one_law(trial: ModelTrial) -> None:
    """Compare the laws of tensors that play the same part in different blocks."""
    facts = trial.facts
    by_draw = [r for r in facts.roles if any(m.name in facts.random for m in r.members)]
    unnamed = [r for r in by_draw if not all(questions.is_traced(m) for m in r.members)]
    findings = [f for role in facts.roles for f in questions.named_deviants(role)]
    findings += [f for role in unnamed for f in questions.unnamed_deviants(role, facts, trial.level / len(unnamed))]
    findings += questions.left_random(facts)
    findings += [f for role in facts.roles for f in questions.later_notes(role.members[0])]
    trial.says(findings)
    if facts.first.looks.get("note"):
        trial.note(facts.first.looks["note"])
    trial.measured = f"{len(by_draw)} random roles, law read from the draw itself in {len(by_draw) - len(unnamed)}"
    if not by_draw:
        trial.not_applicable("no tensor of this model is random")


def finite_values(trial: ModelTrial) -> None:
    """Of one model: NaN and infinity; what law an entry was drawn from is not known."""
    trial.says(questions.absurd_in_build(trial.facts, trial.facts.first))
    trial.measured = f"{len(trial.failures)} of {len(trial.facts.first.records):,} tensors or roles are not finite"
    trial.not_applicable(f"every entry of {len(trial.facts.first.records):,} tensors is finite")


@claim(
    "no-value-is-absurd",
    of_one_model=finite_values,
    says="Every entry is finite, and none lies where the law it was drawn from has nothing.",
    source="Kalamkar et al. 2019, A Study of BFLOAT16: initial values are drawn in the dtype that is trained",
    topic="promises",
    label="values",
    kind="model",
    decided_by="exact: every entry of every parameter and buffer, in the dtype that is built (rebuilds-the-same asks"
    " it of bfloat16). An entry beyond twelve standard deviations of the traced law, or beyond the ends of its support,"
    " fails; entries that were written later are left out. Infinities in a buffer are a note: most are masks."
    + _NOT_SEEN,
)
def no_value_is_absurd(trial: ModelTrial) -> None:
    """Look for NaN, infinities and entries that their law excludes."""
    if _shows_no_tensor(trial):
        return
    # What holds the fill of fresh memory is not meant.
    trial.says(questions.absurd_in_build(trial.facts, trial.facts.second, set(trial.facts.unwritten)))
    dtypes = sorted({r.dtype for r in trial.facts.second.records.values()})
    trial.measured = f"{len(trial.facts.second.records):,} tensors of {', '.join(dtypes)}"


@claim(
    "nothing-special-is-lost",
    says="No value that was written on purpose is overwritten by a general initialisation, or reaches no parameter.",
    source="Gu & Dao 2023, Mamba: _no_reinit on the bias of dt_proj; Hugging Face: _is_hf_initialized",
    topic="promises",
    label="lost",
    kind="model",
    decided_by="exact for what was written over what, from the trace. FAILS where the parameter was marked by its"
    " author (_no_reinit, keep, _is_hf_initialized), where load_state_dict had read the value, and where the ones that"
    " the scale of a norm starts from were overwritten by a draw around zero. A special value (of a line that writes"
    " no more roles than the line that overwrites it, no default of the layer's class, no"
    " zeros or ones) is UNDECIDED with both lines; so are zeros that a narrower line had put in the place of a draw,"
    " and that a general line draws over; so is a draw into a copy or into what is computed anew from others, a tie"
    " that was made and undone, and a method that initialises and was never called, where every matrix keeps its"
    " default. Recipes that overwrite the general by the special hold." + _NOT_SEEN,
)
def nothing_special_is_lost(trial: ModelTrial) -> None:
    """Read off the trace what was overwritten, and by which line."""
    if _shows_no_tensor(trial):
        return
    if "overwritten" in trial.facts.impossible:
        trial.not_applicable(trial.facts.impossible["overwritten"])
        return
    trial.says(questions.lost_writes(trial.facts))
    trial.says(questions.undone_ties(trial.facts))
    trial.says(questions.never_called(trial.facts))
    over = sum(bool(r.lost) for r in trial.facts.first.records.values())
    trial.measured = f"{over:,} of {len(trial.facts.first.records):,} tensors were written more than once"


def promises_kept(trial: ModelTrial) -> None:
    """Of one model: promised ties and padding rows; a law is told by draws, not by the values of one model."""
    promises = trial.facts.layout.promises
    for sentence, fix in questions.broken_promises(promises):
        trial.fails(sentence, fix=fix)
    trial.measured = "; ".join(promises.kept) or None
    if trial.laws or trial.facts.layout.initializer_range is not None or not promises.kept:
        trial.not_applicable("; ".join(promises.kept) or "no tie and no padding row is promised")


@claim(
    "declared-laws-are-in-force",
    of_one_model=promises_kept,
    says="Each declared law, or the config's initializer_range, holds; so do promised ties and padding rows.",
    source="Radford et al. 2019, section 2.3: residual weights scaled by 1/sqrt(N)",
    topic="distribution",
    label="declared",
    kind="model",
    needs=("every-tensor-is-written",),
    decided_by="a traced draw tells its standard deviation exactly: HOLDS within 5 %, FAILS beyond; a cut normal may"
    " match before or after the cut. Untraced tensors: the sign e-process on second moments of fresh models. A"
    " config's initializer_range fails only where no random role has it; the others are noted with their factor. A"
    " head that the config says is tied, and a row at padding_idx that is not zero, fail. A matrix in the blocks ten"
    " times beside the one standard deviation of most, an init statement that never ran behind a guard on names, or on"
    " a class that no module has where no matrix was drawn or layers of its kind keep their default, a last layer"
    " behind a loop over a part that draws all others of its class,"
    " Xavier on several matrices in one (qkv) by the user's line, and a matrix that keeps torch's default where all"
    " others of the layer it is derived from, or that of a layer inside its own, are drawn, or that stands deeper than"
    " a loop over children() goes or came behind the line that draws all others of its class, bounds of"
    " 1/sqrt(fan_out), the variance of He or LeCun by the outputs where an initializer takes the wrong axis, ones in"
    " another gate of an LSTM than the one that forgets, a norm's scale drawn around 0, a bias beside which no input"
    " counts, a table of which most rows are put to zero behind the draw, and a bias at the log-odds of a rare class"
    " with the other sign are UNDECIDED: only a declared law can say"
    " what should have been." + _NOT_SEEN,
)
def declared_laws_are_in_force(trial: ModelTrial) -> None:
    """Hold every tensor that a declared pattern names to the declared standard deviation."""
    questions.judge_declared(trial)
    questions.initializer_range(trial)
    promises = trial.facts.layout.promises
    for sentence, fix in questions.broken_promises(promises):
        trial.fails(sentence, fix=fix)
    questions.bypassed_guards(trial)
    questions.far_from_the_rest(trial)
    questions.fused_fans(trial)
    questions.left_at_default(trial)
    questions.slips(trial)
    if promises.kept:
        trial.measured = "; ".join(filter(None, (trial.measured, *promises.kept)))
    if trial.measured is None and not trial.doubts:
        trial.not_applicable("nothing is declared; write such as laws={'*.c_proj.weight': '0.02/sqrt(2*L)'}")
