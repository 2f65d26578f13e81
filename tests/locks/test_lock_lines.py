"""Law files: what is written is read again, what changed is named, and what is one law is told by no rounding."""

from __future__ import annotations

import numpy as np
import pytest

import initcheck
from initcheck.errors import UsageError
from initcheck.locks.drawn_law import function_of
from initcheck.locks.lines import MOST_LINES, Line, Lock, changes, folded, read_locks, same_law, written
from initcheck.locks.presets import PRESETS, departures, judged

GPT = Lock(
    "m:build",
    (
        Line("h.*.attn.c_proj.weight", "2 x (8, 8)", "normal, std 0.01 = 0.02/sqrt(2L)", "m.py:3"),
        Line("h.*.ln.weight", "2 x (8)", "every entry 1"),
        Line("h.*.mlp.c_fc.weight", "2 x (32, 8)", "normal, std 0.02"),
        Line("wte.weight", "(64, 8)", "random, std 0.0201", entries=512),
    ),
)


def test_what_is_written_is_read_again() -> None:
    assert read_locks(written([GPT], "init.lock"), "init.lock") == (GPT,)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is no law file"),
        ("# initcheck lock 1\nweight  (3, 3)", "line 2, is no line of a law file"),
        ("# initcheck lock 1\n[m:f]\nweight (3, 3) normal", "apart by two spaces"),
    ],
)
def test_what_is_no_law_file_is_refused_with_its_line(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        read_locks(text, "init.lock")


def test_a_role_that_changed_came_or_went_is_named_with_both_lines() -> None:
    now = Lock(
        "m:build",
        (
            Line("h.*.attn.c_proj.weight", "2 x (8, 8)", "normal, std 0.02"),
            Line("h.*.mlp.c_fc.weight", "3 x (32, 8)", "normal, std 0.02"),
            Line("lm_head.weight", "(64, 8)", "uniform, +-0.1"),
            Line("wte.weight", "(64, 8)", "random, std 0.0199", entries=512),
        ),
    )
    assert list(changes(GPT, now)) == [
        "h.*.attn.c_proj.weight 2 x (8, 8): normal, std 0.02; the lock says normal, std 0.01 = 0.02/sqrt(2L)",
        "h.*.mlp.c_fc.weight: 3 x (32, 8); the lock says 2 x (32, 8)",
        "lm_head.weight (64, 8) has come, and is not in the lock: uniform, +-0.1",
        "h.*.ln.weight 2 x (8) has gone; the lock says every entry 1",
    ]


def test_a_role_that_came_to_have_two_laws_is_told_by_what_changed() -> None:
    whole = Lock("m", (Line("h.*.w", "4 x (8, 8)", "normal, std 0.02"),))
    off = Lock(
        "m",
        (Line("h.2.w", "(8, 8)", "normal, std 0.04"), Line("h.{0-1,3}.w", "3 x (8, 8)", "normal, std 0.02")),
    )
    short = Lock("m", off.lines[1:])
    assert list(changes(whole, off)) == ["h.2.w (8, 8): normal, std 0.04; the lock says normal, std 0.02 of h.*.w"]
    assert list(changes(off, whole)) == ["h.2.w (8, 8): normal, std 0.02; the lock says normal, std 0.04"]
    assert list(changes(whole, short)) == ["1 of h.*.w 4 x (8, 8) have gone; the lock says normal, std 0.02"]


def test_a_measured_number_changes_beyond_chance_only() -> None:
    assert same_law("random, std 0.02", "random, std 0.0208", entries=10_000)
    assert not same_law("random, std 0.02", "random, std 0.023", entries=10_000)
    assert not same_law("normal, std 0.02", "normal, std 0.0201")


def test_many_shapes_of_one_formula_are_one_line() -> None:
    many = [
        Line(f"layer{k}.{j}.conv{c}.weight", f"({k}, {j}, 3, 3)", f"normal, std {k + j:.4g} = sqrt(2/fan_out)")
        for k in range(1, 5)
        for j in range(6)
        for c in (1, 2)
    ]
    assert [line.text for line in folded(many)] == [
        "layer*.*.conv*.weight  48 tensors of 48 shapes  normal, std sqrt(2/fan_out)"
    ]
    assert len(folded(many[:MOST_LINES])) == MOST_LINES


@pytest.mark.parametrize(
    ("law", "std"),
    [
        ("normal, variance 2 / fan_in", (2 / 64) ** 0.5),
        ("uniform, variance 1/3 / fan_in", (1 / 192) ** 0.5),
        ("normal cut at 2 sd, variance 1 / fan_avg", (1 / 80) ** 0.5),
        ("orthogonal, variance 1 / fan_max", 96**-0.5),
        ("normal, variance 0.0004", 0.02),
        ("every entry 0.3", 0.3),
    ],
)
def test_a_line_is_drawn_as_it_says(law: str, std: float) -> None:
    w = function_of(Line("weights", "layout out_in", law))((96, 64), np.random.default_rng(0))
    assert np.sqrt((w**2).mean()) == pytest.approx(std, rel=0.03)


def test_a_law_that_no_line_holds_is_refused() -> None:
    with pytest.raises(UsageError, match="a law that no line can hold"):
        initcheck.lock(lambda shape, rng: rng.standard_t(5, shape))


def test_the_lock_of_an_initializer_names_its_law() -> None:
    text = initcheck.lock("initcheck.gallery:he_normal")
    assert text.splitlines()[-1] == "weights  layout out_in  normal, variance 2 / fan_in"


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_has_a_source_and_names_who_departs(name: str) -> None:
    assert PRESETS[name].source
    lines = (
        Line("h.*.mlp.c_fc.weight", "2 x (32, 8)", "normal, std 0.5"),
        Line("h.*.fc.bias", "2 x (32)", "every entry 1"),
    )
    found = list(departures(lines, name, 2))
    assert any("bias" in sentence for sentence in found)
    assert any("c_fc" in sentence for sentence in found) == ("linear" in PRESETS[name].laws)


def test_a_preset_scales_by_the_number_of_blocks() -> None:
    assert not list(departures(GPT.lines[:3], "gpt2", 2))
    assert list(departures(GPT.lines[:1], "gpt2", 8)) == [
        "h.*.attn.c_proj.weight: normal, std 0.01 = 0.02/sqrt(2L); gpt2 has normal, std 0.02/sqrt(2*L) = 0.005"
    ]


@pytest.mark.parametrize(
    ("like", "path", "law", "departs"),
    [
        ("bert", "encoder.0.fc.weight", "truncated_normal, std 0.01759 (0.02 before the cut at +-0.04)", False),
        ("bert", "encoder.0.fc.weight", "truncated_normal, std 0.02 (0.02274 before the cut at +-0.04548)", True),
        ("vit", "cls_token", "normal, std 1e-06", False),
        ("vit", "cls_token", "normal, std 0.02", True),
        ("vit", "patch_embed.proj.bias", "uniform +-0.03608", False),
        ("t5", "encoder.relative_attention_bias.weight", "normal, std 0.1768", False),
        ("mamba", "layers.*.in_proj.weight", "uniform +-0.25, std 1/sqrt(3 fan_in)", False),
        ("mamba", "layers.*.in_proj.weight", "normal, std 0.02", True),
        ("gpt2", "blocks.*.mlp.down.weight", "normal, std 0.02", True),
        ("gpt2", "blocks.*.attn.to_out.0.weight", "normal, std 0.01", False),
    ],
)
def test_a_preset_says_what_its_source_does(like: str, path: str, law: str, departs: bool) -> None:
    assert bool(list(departures((Line(path, "2 x (16, 16)", law),), like, 2))) == departs


def test_what_a_preset_has_no_law_for_is_not_counted_as_judged() -> None:
    bias = Line("a.relative_attention_bias.weight", "(8, 8)", "normal, std 7")
    lines = (bias, Line("a.k.weight", "(8, 8)", "normal, std 7"))
    assert judged(lines, "t5") == 1


def test_what_has_another_name_and_the_same_law_is_one_change() -> None:
    laws = {"q.weight": "normal, std 0.02", "q.bias": "every entry 0"}
    old, new, other = (
        Lock("m", tuple(Line(f"h.*.{block}.{leaf}", "4 x (8, 8)", law) for leaf, law in found.items()))
        for block, found in (
            ("attn", laws),
            ("attention", laws),
            ("attention", {**laws, "q.weight": "normal, std 0.1"}),
        )
    )
    assert list(changes(old, new)) == [
        "h.*.attention.q.weight 4 x (8, 8) is h.*.attn.q.weight in the lock; its law is kept: normal, std 0.02",
        "h.*.attention.q.bias 4 x (8, 8) is h.*.attn.q.bias in the lock; its law is kept: every entry 0",
    ]
    assert list(changes(old, other)) == [
        "h.*.attention.q.bias 4 x (8, 8) is h.*.attn.q.bias in the lock; its law is kept: every entry 0",
        "h.*.attention.q.weight 4 x (8, 8) has come, and is not in the lock: normal, std 0.1",
        "h.*.attn.q.weight 4 x (8, 8) has gone; the lock says normal, std 0.02",
    ]


_FILE = "# initcheck lock 1: laws\n\n[m:he]\nweights  any shape  normal, variance 2/fan_in\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (_FILE + _FILE.partition("\n\n")[2], "'init.lock', line 5: [m:he] stands there a second time"),
        (
            _FILE.replace("weights", "<<<<<<< HEAD\nweights"),
            "line 4: a conflict of a merge was left there, '<<<<<<< HEAD'",
        ),
        (_FILE.replace("lock 1", "lock 2"), "is a law file of version 2, and this initcheck reads version 1"),
    ],
)
def test_a_file_that_was_merged_badly_or_is_of_another_version_is_refused(text: str, words: str) -> None:
    with pytest.raises(UsageError) as refused:
        read_locks(text, "init.lock")
    assert words in str(refused.value)


def test_a_mark_of_byte_order_changes_nothing() -> None:
    assert read_locks("\ufeff" + _FILE, "init.lock") == read_locks(_FILE, "init.lock")


@pytest.mark.parametrize(
    ("std", "kept"),
    [((48 * 8) ** -0.5, True), ((48 * 16) ** -0.5, True), (48**-0.5, False), ((48 * 7) ** -0.5, False), (0.0, False)],
)
def test_the_query_of_t5_is_scaled_by_the_width_of_some_head(std: float, kept: bool) -> None:
    line = Line("block.*.q.weight", "3 x (32, 48)", f"normal, std {std:.4g}")
    assert (not list(departures((line,), "t5", 3))) is kept
    assert judged((line,), "t5") == 1


@pytest.mark.parametrize(
    ("path", "law", "departs"),
    [
        ("h.*.attn.c_proj.kernel", "random, std 0.01", False),
        ("h.*.attn.c_proj.kernel", "random, std 0.02", True),
        ("h.mlp.c_proj.kernel[*]", "random, std 0.01", False),
        ("h.*.mlp.c_proj", "random, std 0.02", True),
        ("h.*.mlp.wo", "random, std 0.01", False),
        ("h/mlp/c_fc/kernel", "random, std 0.02", False),
        ("wte.embedding", "random, std 0.02", False),
        ("h.ln_*.scale[*]", "every entry 1", False),
        ("h.ln_*.scale[*]", "every entry 0.5", True),
        ("h.*.bn.beta", "every entry 0", False),
    ],
)
def test_a_preset_reads_the_names_of_flax_and_keras(path: str, law: str, departs: bool) -> None:
    line = Line(path, "2 x (64, 64)", law, entries=8_192 if law.startswith("random") else 0)
    assert bool(list(departures((line,), "gpt2", 2))) == departs


@pytest.mark.parametrize(("std", "kept"), [((48 * 8) ** -0.5, True), ((48 * 4) ** -0.5, False)])
def test_the_width_of_a_head_of_t5_follows_from_its_relative_biases(std: float, kept: bool) -> None:
    query = Line("block.*.q.weight", "3 x (32, 48)", f"normal, std {std:.4g}")
    table = Line("block.0.relative_attention_bias.weight", "(32, 4)", "normal, std 0.14")
    assert (not list(departures((query, table), "t5", 3))) is kept


def test_two_lines_for_the_same_tensors_are_a_merge_that_kept_both() -> None:
    """Whichever of them the code follows, the file says two things; folded roles may stand in several lines."""
    law = "normal, std {}"
    one, other = (Line("h.*.up.weight", "3 x (8, 4)", law.format(std)) for std in (0.02, 0.2))
    for lines in ((one, other), (other, one)):
        said = next(changes(Lock("m", lines), Lock("m", (one,))))
        assert said.startswith(
            f"h.*.up.weight has 2 lines in the lock ({lines[0].law} and {lines[1].law}), for 6 tensors"
        )
        assert said.endswith("where there are 3: keep one")
    several = (one, Line("h.*.up.weight", "1 x (8, 4)", law.format(0.2)))
    assert not list(changes(Lock("m", several), Lock("m", several)))
    assert not list(changes(Lock("m", (one,)), Lock("m", (one,))))
