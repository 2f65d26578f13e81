"""A trial's rounds: what is returned belongs together, and no round is begun that cannot end."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest

from initcheck.claims.trial import CaseFailed, NotAsked, Stage
from initcheck.contract.contract import Contract
from initcheck.contract.layer import Layer
from initcheck.contract.profile import profile
from initcheck.contract.second_moments import Statistic
from initcheck.draws.call import BrokenCall
from initcheck.draws.streams import SCREEN, Stream
from initcheck.engine.subject import InitializerSubject
from initcheck.engine.trials.judge import Judge
from initcheck.engine.trials.onlookers import Glance, Look
from initcheck.report.verdict import Evidence
from initcheck.statistics import Decision, Judgement, Ledger, Record, band_paths
from initcheck.targets.loading import load


@pytest.fixture
def trial() -> Judge:
    (initializer,) = load("initcheck.gallery:he_normal").initializers
    return Judge(InitializerSubject(initializer, profile("quick"), 0), Ledger().claim())


@pytest.mark.parametrize(("side", "streams"), [(16, ["screen", "screen 1", "screen 2"]), (256, ["screen", "screen 1"])])
def test_an_open_judgement_is_returned_with_the_stage_it_was_made_at(
    trial: Judge, side: int, streams: list[str]
) -> None:
    asked: list[str] = []

    def never_decides(stage: Stage) -> Judgement:
        asked.append(stage.stream)
        return Judgement(Decision.UNDECIDED, 0.0, stage.level, 1.0, 1, len(asked))

    judgement, stage = trial.decide(Layer((side, side)), never_decides)
    assert asked == streams
    assert stage.stream == streams[-1]
    assert judgement.groups == len(streams)


def test_a_screen_that_is_not_confirmed_stays_open(trial: Judge) -> None:
    def only_screens(stage: Stage) -> Judgement:
        decision = Decision.UNDECIDED if stage.confirms else Decision.FAILS
        return Judgement(decision, 0.0, stage.level, 1.0, 1, 1)

    judgement, stage = trial.decide(Layer((256, 256)), only_screens)
    assert judgement.decision is Decision.UNDECIDED
    assert stage.stream == "screen 1"
    assert trial.ledger.confirmations == 2


SQUARE = Layer((16, 16))
BAND = (0.8, 1.25)


class MeanSquare(Statistic):
    """The mean square of a call's weights."""

    def per_call(self, record: Record) -> np.ndarray:
        return record.energy / self.layer.weights


class FakeDraws:
    """Calls of one mean square on each stream: a stream that is not named has 1."""

    def __init__(self, **squares: float) -> None:
        self.squares = squares
        self.asked: dict[str, int] = {}
        self.nonfinite: dict[tuple[Layer, str], str] = {}
        self.made: dict[object, object] = {}

    def once(self, what: object, make: Callable[[], object]) -> object:
        return self.made.setdefault(what, make())

    def records(self, layer: Layer, dtype: str, stream: str, calls: int) -> Record:
        assert dtype in ("float32", "bfloat16")
        self.asked[stream] = max(calls, self.asked.get(stream, 0))
        size = math.sqrt(self.squares.get(stream.replace(" ", "_"), 1.0))
        return Record.of(np.full((calls, layer.units, layer.inputs), size))

    def first_call(self, layer: Layer, dtype: str) -> tuple[object, ...]:
        return "first", layer, dtype


def stubbed(
    *,
    constant: bool = False,
    moment: bool = True,
    contract: Contract | None = None,
    weights: int = 400_000,
    dear: bool = False,
    plan: tuple[Layer, ...] = (),
    **squares: float,
) -> Judge:
    """A trial of an initializer of which everything is said here."""
    subject = SimpleNamespace(
        initializer="the initializer",
        contract=contract or Contract(dtypes=("float32", "bfloat16")),
        draws=FakeDraws(**squares),
        profile=SimpleNamespace(weights=weights, calls=40_000, dear=dear),
        is_constant=lambda layer: constant and layer is not None,
        second_moment_exists=moment,
        domain=SimpleNamespace(plan=plan, largest=max(plan, key=lambda layer: layer.weights, default=None)),
        probes=(),
    )
    return Judge(subject, Ledger(alpha=1e-6, beta=1e-3, claims=10).claim())


def second_moment(layer: Layer = SQUARE) -> Statistic:
    return MeanSquare(layer, Contract())


def test_a_trial_begins_with_nothing_decided() -> None:
    trial = stubbed()
    assert (trial.initializer, trial.dtype, trial.beta) == ("the initializer", "float32", 1e-3)
    assert (trial.decided, trial.undecided, trial.not_asked, trial.moot, trial.notes) == ([], [], {}, [], {})
    assert trial.thrift == 1


def test_what_a_property_says_is_kept() -> None:
    trial = stubbed()
    trial.asks(True, "never said")
    with pytest.raises(NotAsked, match=r"^a reason$"):
        trial.asks(False, "a reason")
    with pytest.raises(CaseFailed) as failed:
        trial.fail(SQUARE, measured="3.2", calls=5)
    case = "shape (16, 16), float32: dense, fan_in 16, fan_out 16"
    assert str(failed.value) == f"3.2 measured at {case}"
    trial.holds(SQUARE, measured="1.0", calls=3, weights=7)
    trial.holds(allowed="anything")
    assert [failed.value.evidence, *trial.decided] == [
        Evidence(measured="3.2", calls=5, case=case, shape=(16, 16), dtype="float32", weights=5 * 256),
        Evidence(measured="1.0", calls=3, case=case, shape=(16, 16), dtype="float32", weights=7),
        Evidence(allowed="anything"),
    ]
    with pytest.raises(CaseFailed, match="None measured at None"):
        trial.fail()
    trial.holds(SQUARE)
    assert trial.decided[-1].weights == 0


def test_a_later_note_on_a_topic_takes_its_place() -> None:
    trial = stubbed()
    for sentence, topic in (("first", "topic"), ("second", "topic"), ("third", None), ("third", None)):
        trial.note(sentence, topic=topic)
    assert trial.notes == {"topic": "second", "third": "third"}


@pytest.mark.parametrize(
    ("contract", "shape", "asked"),
    [
        ({"layout": "out_in", "fan": "fan_in"}, (4, 8), False),
        ({"layout": "out_in", "fan": "fan_in"}, (8, 8), True),
        ({"layout": "out_in", "fan": "fan_avg"}, (4, 8), True),
        ({"layout": "out_in", "fan": "fan_max"}, (4, 8), True),
    ],
)
def test_an_assumed_layout_is_asked_only_where_it_does_not_matter(
    contract: dict[str, str], shape: tuple[int, int], asked: bool
) -> None:
    assumed = Contract(**contract, origins={"layout": "assumed"})
    if asked:
        stubbed(contract=assumed).asks_layout(Layer(shape))
    else:
        with pytest.raises(NotAsked, match=r"^the layout was assumed: which axis is the input cannot be known$"):
            stubbed(contract=assumed).asks_layout(Layer(shape))
    stubbed(contract=Contract(**contract, origins={"layout": "declared"})).asks_layout(Layer(shape))


def test_a_heavy_tail_leaves_the_case_open() -> None:
    shown, hidden = stubbed(moment=True), stubbed(moment=False)
    shown.needs_second_moment()
    hidden.needs_second_moment()
    assert shown.undecided == []
    assert hidden.undecided == ["a second moment is not shown to exist: the tail of the weights is too heavy"]


def test_what_is_made_once_is_kept_for_each_dtype() -> None:
    trial, made = stubbed(), itertools.count()
    assert [trial.once("a", lambda: next(made)), trial.once("a", lambda: next(made))] == [0, 0]
    other = trial.in_dtype("bfloat16")
    assert (other.dtype, trial.dtype) == ("bfloat16", "float32")
    assert [other.once("a", lambda: next(made)), trial.in_dtype("bfloat16").once("a", lambda: next(made))] == [1, 1]
    assert trial.in_dtype("float16").once("a", lambda: next(made)) == 2
    other.undecide("open")
    assert trial.undecided == ["open"]
    assert other.ledger is trial.ledger


def test_the_first_call_on_a_layer_is_asked_for_in_a_dtype() -> None:
    trial = stubbed()
    assert trial.first_call(SQUARE) == ("first", SQUARE, "float32")
    assert trial.first_call(SQUARE, "bfloat16") == ("first", SQUARE, "bfloat16")


@pytest.mark.parametrize(("shape", "calls"), [((1, 1), 24 * 256), ((10, 10), 72), ((16, 16), 24), ((1, 257), 24)])
def test_a_first_look_is_24_groups_of_256_weights(shape: tuple[int, int], calls: int) -> None:
    trial = stubbed()
    assert trial.usual_calls(Layer(shape)) == calls
    trial.keeps(second_moment(Layer(shape)), BAND)
    assert trial.draws.asked == {"screen": calls}
    assert trial.decided[0].calls == calls


def test_a_sound_mean_holds_with_all_that_is_known_of_it() -> None:
    trial = stubbed(screen=1.125)
    trial.keeps(second_moment(Layer((16, 32))), BAND)
    (evidence,) = trial.decided
    assert (evidence.measured, evidence.allowed, evidence.band) == ("1.12", "[0.80, 1.25]", BAND)
    assert evidence.value == pytest.approx(1.125)
    assert evidence.interval == pytest.approx((1.125, 1.125))
    assert evidence.series == {"variance_by_width": [[32, 1.125, *BAND]]}
    assert (evidence.calls, evidence.weights, evidence.error_spent) == (24, 24 * 512, pytest.approx(1e-3 / 2))
    e_value = band_paths(np.full(24, 1.125), np.ones(24), *BAND).holds[-1]
    assert evidence.e_value_log10 == pytest.approx(e_value / math.log(10))
    assert trial.undecided == []


def test_an_unsound_mean_fails_on_calls_never_looked_at() -> None:
    trial = stubbed(screen=3.0, confirm_0=2.0)
    with pytest.raises(CaseFailed) as failed:
        trial.keeps(second_moment(), BAND)
    assert trial.draws.asked.keys() == {"screen", "confirm 0"}
    evidence = failed.value.evidence
    assert (evidence.value, evidence.measured) == (pytest.approx(2.0), "2")
    assert evidence.interval == pytest.approx((2.0, 2.0))
    assert evidence.error_spent == 1e-6 / 10 / 2
    assert evidence.e_value_log10 > 7.3
    assert evidence.calls == trial.draws.asked["confirm 0"] == 56


def test_a_gross_defect_is_confirmed_by_its_mean_in_a_few_calls() -> None:
    trial = stubbed(screen=200.0, confirm_0=200.0)
    with pytest.raises(CaseFailed):
        trial.keeps(second_moment(), BAND)
    assert trial.draws.asked == {"screen": 24, "confirm 0": 4}


def test_what_stays_open_is_judged_again_in_larger_groups() -> None:
    """The mean lies on the edge of what holds in the first round; sixteen times larger groups show it."""
    trial = stubbed(screen=2.25, screen_2=1.0)
    trial.keeps(second_moment(), (0.8, 2.25))
    assert trial.draws.asked == {"screen": 1_560, "screen 2": 32 * 16}
    (evidence,) = trial.decided
    assert (evidence.calls, evidence.weights) == (32 * 16, 32 * 16 * 256)
    assert evidence.error_spent == pytest.approx(1e-3 / 6)


@pytest.mark.parametrize(
    ("stream", "shape", "beta", "after"),
    [
        (SCREEN, (16, 16), 1e-3 / 6, 4_096),  # 2^20 weights
        (SCREEN, (512, 512), 1e-3 / 6, 200),  # 200 calls
        (Stream.screen(1), (16, 16), 0.0, 4_096),
        (Stream.confirmation(0), (16, 16), 0.0, 4_096),
    ],
)
def test_bets_hold_a_mean_at_the_first_look_alone(
    stream: Stream, shape: tuple[int, int], beta: float, after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At their own share of beta, and not before what is rare had a chance to be drawn."""
    asked: dict[str, float] = {}
    monkeypatch.setattr("initcheck.engine.trials.judge.judge_band", lambda *_, **options: asked.update(options))
    stubbed().judge_at(second_moment(Layer(shape)), (0.8, 1.25), Stage(stream, 1e-2, 6e-4, 1, stream != SCREEN))
    assert asked["bets_beta"] == pytest.approx(beta)
    assert asked["bets_after"] == after


def test_larger_groups_are_not_drawn_where_those_drawn_leave_no_hope(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("initcheck.engine.trials.judge._alike", lambda values, size, band: False)
    trial = stubbed(screen=2.25, screen_2=1.0)
    trial.keeps(second_moment(), (0.8, 2.25))
    assert trial.draws.asked == {"screen": 1_560}
    assert len(trial.undecided) == 1


def test_what_stays_open_says_what_was_measured() -> None:
    trial = stubbed(screen=2.25, screen_1=2.25, screen_2=2.25)
    trial.keeps(second_moment(), (0.8, 2.25))
    assert trial.undecided == [
        "2.25 measured at shape (16, 16), float32: dense, fan_in 16, fan_out 16, allowed [0.80, 2.25]:"
        " not shown either way within 1,536 calls"
    ]
    assert trial.decided == []


@pytest.mark.parametrize(("value", "holds"), [(0.8125, True), (1.0, True), (1.25, True), (1.3125, False), (0.5, False)])
def test_a_constant_is_judged_exactly_from_one_call(value: float, holds: bool) -> None:
    trial = stubbed(constant=True, screen=value)
    expected = {
        "measured": f"{value:.3g}",
        "allowed": "[0.81, 1.25]",
        "value": pytest.approx(value),
        "calls": 1,
        "case": SQUARE.described("float32"),
    }
    if holds:
        trial.keeps(second_moment(), (0.8125 - 1e-12, 1.25 + 1e-12))
        (evidence,) = trial.decided
    else:
        with pytest.raises(CaseFailed) as failed:
            trial.keeps(second_moment(), (0.8125, 1.25))
        evidence = failed.value.evidence
    assert {key: getattr(evidence, key) for key in expected} == expected
    assert evidence.series == {"variance_by_width": [[16, pytest.approx(value, abs=1e-3), *evidence.band]]}
    assert trial.draws.asked == {"screen": 1}


def test_a_constant_on_the_edge_of_its_band_is_inside() -> None:
    for band in ((0.5, 1.0), (1.0, 2.0)):
        trial = stubbed(constant=True)
        trial.keeps(second_moment(), band)
        assert [e.band for e in trial.decided] == [band]


@pytest.mark.parametrize(("constant", "calls"), [(False, 16), (True, 1)])
def test_a_look_for_a_picture_decides_nothing(constant: bool, calls: int) -> None:
    subject = stubbed(constant=constant, screen=9.0).subject
    look = Look(subject)
    look.keeps(second_moment(), BAND)
    (evidence,) = look.decided
    assert evidence.value == pytest.approx(9.0)
    assert evidence.series == {"variance_by_width": [[16, 9.0, *BAND]]}
    assert (evidence.measured, evidence.case) == (None, SQUARE.described("float32"))
    assert subject.draws.asked == {"screen": calls}


def test_what_asks_for_a_glance_is_set_aside_by_a_glance_alone() -> None:
    trial = stubbed(screen=9.0)
    trial.subject.constant = False
    trial.glances(SQUARE, lambda calls: pytest.fail("judged like a glance"))
    glance = Glance(trial)
    with pytest.raises(NotAsked, match="only a look"):
        glance.glances(SQUARE, float)
    assert glance.far == {SQUARE: 2.0}  # 512 weights


def test_whoever_only_looks_takes_no_decision() -> None:
    trial = stubbed()
    for onlooker in (Look(trial.subject), Glance(trial)):
        with pytest.raises(NotAsked, match="only a look"):
            onlooker.decide(SQUARE, lambda stage: pytest.fail("judged"))
        with pytest.raises(NotAsked, match="only a look"):
            onlooker.ledger.next_confirmation()
    assert trial.ledger.confirmations == 0


def test_rounds_share_beta_and_their_confirmations_share_alpha() -> None:
    trial, asked = stubbed(), []

    def accuses(stage: Stage) -> Judgement:
        asked.append(stage)
        return Judgement(Decision.UNDECIDED if stage.confirms else Decision.FAILS, 5.0, stage.level, 7.0, 3, 8)

    judgement, stage = trial.decide(SQUARE, accuses)
    beta = [pytest.approx(1e-3 * share) for share in (1 / 2, 1 / 6, 1 / 6)]
    level = [1e-6 / 10 / (k * (k + 1)) for k in (1, 2, 3)]
    assert asked == [
        Stage("screen", 1e-2, beta[0], 1, False),
        Stage("confirm 0", level[0], beta[0], 1, True),
        Stage("screen 1", 1e-2, beta[1], 1, False),
        Stage("confirm 1", level[1], beta[1], 1, True),
        Stage("screen 2", 1e-2, beta[2], 16, False),
        Stage("confirm 2", level[2], beta[2], 16, True),
    ]
    # The screen's evidence, taken back: nothing was confirmed.
    assert (judgement, stage) == (Judgement(Decision.UNDECIDED, 5.0, 1e-2, 7.0, 3, 8), asked[4])


def test_a_holds_ends_the_rounds() -> None:
    trial, asked = stubbed(), []

    def second_round_holds(stage: Stage) -> Judgement:
        asked.append(stage.stream)
        decision = Decision.HOLDS if stage.stream == "screen 1" else Decision.UNDECIDED
        return Judgement(decision, 3.0, stage.beta, 1.0, 1, 24)

    judgement, stage = trial.decide(SQUARE, second_round_holds)
    assert (judgement.decision, stage.stream, asked) == (Decision.HOLDS, "screen 1", ["screen", "screen 1"])


@pytest.mark.parametrize(("options", "shrinking"), [({"rounds": 1}, False), ({}, True)])
def test_one_round_where_a_holds_is_not_what_is_asked_for(options: dict[str, int], shrinking: bool) -> None:
    trial, asked = stubbed(), []
    trial = trial.of_smaller_cases() if shrinking else trial

    def never_decides(stage: Stage) -> Judgement:
        asked.append(stage.stream)
        return Judgement(Decision.UNDECIDED, 0.0, stage.level, 1.0, 1, 24)

    trial.decide(SQUARE, never_decides, **options)
    assert asked == ["screen"]


def test_what_a_claim_asks_alone_is_a_test_from_the_first_call_on(trial: Judge) -> None:
    """At the first confirmation's level, which is spent; another case than the square is screened and confirmed."""
    asked: list[Stage] = []

    def accuses(stage: Stage) -> Judgement:
        asked.append(stage)
        return Judgement(Decision.FAILS, 8.0, stage.level, 7.0, 1, 28)

    square, first = trial.subject.domain.square, trial.ledger.following
    assert square is not None
    judgement, stage = trial.decide(square, accuses, alone=True)
    assert (judgement.decision, stage.final, stage.level) == (Decision.FAILS, True, first)
    assert trial.ledger.confirmations == 1
    trial.decide(Layer((16, 16)), accuses, alone=True)
    assert [stage.stream for stage in asked] == ["screen", "screen", "confirm 0"]
    assert asked[-1].level == trial.ledger.ledger.confirmation_level(2)


def test_a_round_without_hope_is_skipped() -> None:
    trial, asked = stubbed(), []

    def never_decides(stage: Stage) -> Judgement:
        asked.append(stage.stream)
        return Judgement(Decision.UNDECIDED, 0.0, stage.level, 1.0, 1, 24)

    trial.decide(SQUARE, never_decides, hope=lambda scale: scale > 1)
    assert asked == ["screen"]


def test_no_round_is_no_judgement() -> None:
    judgement, stage = stubbed().decide(SQUARE, lambda stage: pytest.fail("asked"), rounds=0)
    assert (judgement.decision, judgement.groups, judgement.looks) == (Decision.UNDECIDED, 0, 0)
    assert (judgement.e_value_log10, judgement.error_spent, math.isnan(judgement.measured)) == (0.0, 0.0, True)
    assert stage == Stage("", 1.0, 1.0, 1, False)


@pytest.mark.parametrize(
    ("shape", "size", "scale", "confirms", "shrinking", "groups"),
    [
        ((16, 16), 1, 1, False, False, 15_624),  # 4,000,000 weights: 15,625 calls of 256
        ((16, 16), 16, 16, False, False, 976),
        ((1, 1), 256, 1, False, False, 152),  # 40,000 calls: 156 groups of 256
        ((16, 16), 1, 1, False, True, 1_952),  # an eighth of the budget: 1,953
        ((1, 1), 64, 1, False, True, 72),  # an eighth of the calls: 78 groups of 64
        ((1024, 1024), 1, 1, False, False, 32),  # a first look is always paid for, and one more
        ((1024, 1024), 1, 1, True, False, 48),  # at a confirmation's level
        ((1024, 1024), 16, 16, False, False, 8),
    ],
)
def test_the_budget_pays_for_so_many_groups(
    shape: tuple[int, int], size: int, scale: int, confirms: bool, shrinking: bool, groups: int
) -> None:
    trial = stubbed(weights=4_000_000)
    trial = trial.of_smaller_cases() if shrinking else trial
    stage = Stage("any", 1e-5, 1e-3, scale, confirms)
    found = trial.affordable_groups(Layer(shape), size, stage)
    assert isinstance(found, int)
    assert found == groups


@pytest.mark.parametrize(
    ("shape", "size", "confirms", "shrinking", "groups"),
    [
        ((16, 16), 1, True, False, 4_096),  # 2^20 weights
        ((1, 1), 256, True, False, 4_096),
        ((1024, 1024), 1, True, False, 200),  # 200 calls
        ((1024, 1024), 16, True, False, 13),
        ((16, 16), 1, True, True, 200),
        ((16, 16), 1, False, False, 0),
    ],
)
def test_a_mean_is_confirmed_from_below_after_so_many_groups(
    shape: tuple[int, int], size: int, confirms: bool, shrinking: bool, groups: int
) -> None:
    trial = stubbed()
    trial = trial.of_smaller_cases() if shrinking else trial
    assert trial.groups_before_below(Layer(shape), size, Stage("any", 1e-5, 1e-3, 1, confirms)) == groups


def test_what_is_too_small_is_confirmed_on_a_million_weights() -> None:
    trial = stubbed(weights=4_000_000, screen=0.25, confirm_0=0.25)
    with pytest.raises(CaseFailed):
        trial.keeps(second_moment(), BAND)
    assert trial.draws.asked["screen"] == 24
    assert 4_096 <= trial.draws.asked["confirm 0"] < 6_200


@pytest.mark.parametrize(
    ("screened", "within", "holds"),
    [
        (9.0, BAND, True),  # of 24 calls; 1,584 of the others have 1
        (900.0, BAND, False),  # the mean of all is 14
        (900.0, (0.8, 100.0), True),
        (0.0, BAND, True),
        (0.0, (0.99, 1.25), False),  # the mean of all is 0.985
    ],
)
def test_a_later_round_does_not_forget_what_an_earlier_one_saw(
    screened: float, within: tuple[float, float], holds: bool
) -> None:
    trial = stubbed(screen=screened)
    trial.keeps(second_moment(), within)
    assert (len(trial.decided), len(trial.undecided)) == ((1, 0) if holds else (0, 1))


def test_the_third_round_is_begun_only_where_it_can_end() -> None:
    """At beta/6 a first look takes 32 groups: of 16 calls each, 4,000,000 weights pay for them up to 7,812 a call."""
    for weights, last in ((7_812, "screen 2"), (7_813, "screen 1")):
        asked = []

        def never_decides(stage: Stage, asked: list[str] = asked) -> Judgement:
            asked.append(stage.stream)
            return Judgement(Decision.UNDECIDED, 0.0, stage.level, 1.0, 1, 24)

        stubbed(weights=4_000_000).decide(Layer((1, weights)), never_decides)
        assert asked[-1] == last


@pytest.mark.parametrize("decision", Decision)
def test_a_judgement_is_settled_as_what_it_means_for_the_case(decision: Decision) -> None:
    trial = stubbed()
    judgement = Judgement(decision, 4.5, 1e-5, 1.0, 3, 24)
    shown = {"calls": 1_234, "measured": "1.0", "allowed": "[1, 2]"}
    if decision is Decision.FAILS:
        with pytest.raises(CaseFailed) as failed:
            trial.settle(SQUARE, judgement, **shown)
        decided = [failed.value.evidence]
    else:
        trial.settle(SQUARE, judgement, **shown)
        decided = trial.decided
    if decision is Decision.UNDECIDED:
        assert decided == []
        assert trial.undecided == [
            f"1.0 measured at {SQUARE.described('float32')}, allowed [1, 2]: not shown either way within 1,234 calls"
        ]
    else:
        (evidence,) = decided
        assert (evidence.calls, evidence.e_value_log10, evidence.error_spent) == (1_234, 4.5, 1e-5)
        assert (evidence.measured, evidence.allowed, evidence.weights) == ("1.0", "[1, 2]", 1_234 * 256)


def test_no_moment_is_taken_of_weights_that_are_not_finite() -> None:
    trial = stubbed()
    assert len(trial.records(SQUARE, "screen", 5)) == 5
    trial.draws.nonfinite[SQUARE, "float32"] = "1 of 256 weights are nan"
    with pytest.raises(BrokenCall, match=r"^1 of 256 weights are nan$") as broken:
        trial.records(SQUARE, "screen", 5)
    assert broken.value.kind == "not finite"
    assert len(trial.in_dtype("bfloat16").records(SQUARE, "screen", 5)) == 5


def test_a_glance_judges_nothing_and_keeps_how_far_a_value_lies_beyond_its_band() -> None:
    trial = stubbed(screen=2.5)
    trial.subject.constant = False
    glance = Glance(trial)
    glance.keeps(MeanSquare(SQUARE, Contract()), within=BAND)
    assert glance.far == {SQUARE: pytest.approx(math.log(2.5 / 1.25))}
    assert not trial.decided
    assert not trial.undecided
    assert trial.draws.asked == {"screen": 2}


def test_a_glance_keeps_what_a_property_made_of_the_plan() -> None:
    trial = stubbed()
    trial.once("law", lambda: "fitted")
    assert Glance(trial).once("law", lambda: "made again") == "fitted"


def test_a_mean_is_left_open_where_the_property_says_why() -> None:
    trial = stubbed(screen=3.0, confirm_0=3.0)
    trial.keeps(second_moment(), BAND, words=lambda judgement: {"measured": "three"}, unless=lambda: "another law fits")
    assert (trial.undecided, trial.decided) == (["three; another law fits"], [])
    with pytest.raises(CaseFailed, match=r"^three measured"):
        stubbed(screen=3.0, confirm_0=3.0).keeps(
            second_moment(), BAND, words=lambda judgement: {"measured": "three"}, unless=lambda: None
        )


def test_a_layer_of_the_plan_is_failed_from_its_first_call_on_at_its_share_of_one_confirmation() -> None:
    plan = (SQUARE, Layer((8, 8)))
    trial = stubbed(plan=plan, screen=3.0)
    with pytest.raises(CaseFailed) as failed:
        trial.keeps(second_moment(), BAND)
    # Of two layers in two dtypes: no screen was thrown away, and no call of a confirmation was made.
    assert set(trial.draws.asked) == {"screen"}  # type: ignore[attr-defined]
    assert failed.value.evidence.error_spent == pytest.approx(1e-6 / 10 / 2 / 4)
    assert trial.ledger.confirmations == 1
    # A second statistic of the same layer, and a layer that is no part of the plan, are screened and confirmed.
    for layer in (SQUARE, Layer((4, 4))):
        other = stubbed(plan=plan, screen=3.0, confirm_0=3.0)
        other.once(f"first band at {SQUARE!r}", lambda: None)
        with pytest.raises(CaseFailed) as failed:
            other.keeps(second_moment(layer), BAND)
        assert set(other.draws.asked) == {"screen", "confirm 0"}  # type: ignore[attr-defined]
        assert failed.value.evidence.error_spent == pytest.approx(1e-6 / 10 / 2)


def test_a_layer_of_the_plan_is_not_failed_from_below_before_a_million_weights() -> None:
    trial = stubbed(plan=(SQUARE,), weights=4_000_000, screen=0.3)
    with pytest.raises(CaseFailed) as failed:
        trial.keeps(second_moment(), BAND)
    assert failed.value.evidence.weights >= 2**20


@pytest.mark.parametrize(("rate", "asked_for"), [(1e-9, 24), (0.0, 2_000)], ids=["rare everywhere", "none here"])
def test_zeros_are_drawn_on_only_where_they_may_show_something(rate: float, asked_for: int) -> None:
    """Of weights that hardly ever differ from zero no budget shows a second moment; where others differ, zeros do."""
    asked = 0

    def init(shape: tuple[int, int], rng: np.random.Generator):
        nonlocal asked
        asked += shape == (64, 64)
        weights = rng.standard_normal(shape) / math.sqrt(shape[1])
        return weights * (rng.random(shape) < rate) if rate or shape == (64, 64) else weights

    (initializer,) = load(init, contract=Contract(activation="linear", fan="fan_in", layout="out_in")).initializers
    subject = InitializerSubject(initializer, profile("quick"), 0)
    # As of a layer whose calls are not all alike.
    subject.is_constant = lambda _: False  # type: ignore[method-assign]
    trial = Judge(subject, Ledger().claim())
    statistic = MeanSquare(Layer((64, 64)), Contract())
    if rate:
        before = asked
        trial.keeps(statistic, BAND)
        assert trial.undecided[0].startswith("0; every one of 98,304 weights is zero at shape (64, 64)")
        assert asked - before <= asked_for
    else:
        with pytest.raises(CaseFailed):
            trial.keeps(statistic, BAND)


@pytest.mark.parametrize(
    ("dear", "weights", "value", "decision"),
    [
        (False, 400_000, 0.5, Decision.FAILS),
        (True, 400_000, 0.5, Decision.UNDECIDED),
        (True, 4_000_000, 0.5, Decision.FAILS),
        (True, 400_000, 9.0, Decision.FAILS),
    ],
)
def test_of_dear_calls_a_mean_is_called_too_small_only_where_what_is_rare_can_be_drawn(
    dear: bool, weights: int, value: float, decision: Decision
) -> None:
    trial = stubbed(dear=dear, weights=weights, confirm_0=value)
    stage = Stage(Stream.confirmation(0), 1e-6, 1e-3, 1, confirms=True)
    assert trial.judge_at(second_moment(), (0.8, 1.25), stage).decision is decision
