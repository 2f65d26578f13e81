"""`initcheck gain` and `initcheck.gain`: what is printed, as data, and as a page; and PyTorch's own table."""

from __future__ import annotations

import json

import numpy as np
import pytest

import initcheck
from initcheck.doors.cli import main
from initcheck.errors import UsageError
from initcheck.rendering.gain_lines import customary_gains


def test_the_page_says_gain_verdict_and_depths(capsys) -> None:
    assert main(["gain", "relu", "swiglu"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("relu  gain 1.41421: draw weights of std 1.414/sqrt(fan_in)\n")
    assert "ATTAINABLE: one gain keeps signal and gradient" in said
    assert "1.414          1          1  1000+ layers  1000+ layers  PyTorch: calculate_gain\n" in said
    assert "UNATTAINABLE at variance 1: both inputs of a gate send a gradient back" in said


def test_the_same_figures_come_as_json(capsys) -> None:
    assert main(["gain", "tanh", "--json", "-"]) == 0
    plain = json.loads(capsys.readouterr().out)
    assert (plain["format"], plain["verdict"]) == ("initcheck-gain/1", "UNATTAINABLE")
    assert plain["forward_gain"] == initcheck.gain("tanh").gain
    assert plain["gains"][2]["of"] == "PyTorch: calculate_gain"


def test_a_function_of_a_file_is_found_with_its_arguments(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "acts.py").write_text("def leaky(z, slope=0.1):\n    return (z > 0) * z + (z <= 0) * slope * z\n")
    assert main(["gain", "acts.py:leaky(slope=0.2)"]) == 0
    assert "acts.py:leaky(slope=0.2)  gain 1.38675" in capsys.readouterr().out


def test_the_picture_page_escapes_what_a_user_wrote(tmp_path) -> None:
    pytest.importorskip("matplotlib")
    from initcheck.rendering.html.gain_page import gain_page

    named = np.tanh
    page = gain_page([initcheck.gain("gelu"), initcheck.gain(named)])
    assert page.count("<svg") == 6
    assert "gelu: gain 1.53353, ATTAINABLE" in page


def test_what_has_no_second_moment_has_no_gain() -> None:
    found = initcheck.gain(lambda z: np.exp(z * z / 4))
    assert found.verdict == "UNATTAINABLE"
    assert "no finite second moment" in str(found)
    assert "gains" not in found.as_dict()


def test_a_wrong_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="'gelo' is not an activation; did you mean 'gelu'"):
        initcheck.gain("gelo")


def test_the_table_is_that_of_pytorch() -> None:
    torch = pytest.importorskip("torch")
    for name, parameter in (
        ("linear", None), ("sigmoid", None), ("tanh", None), ("relu", None), ("selu", None), ("leaky_relu", 0.2),
    ):  # fmt: skip
        ours = customary_gains(name, parameter)["PyTorch: calculate_gain"]
        assert ours == pytest.approx(torch.nn.init.calculate_gain(name, parameter))
    for name in ("gelu", "silu", "mish"):
        assert "PyTorch: calculate_gain" not in customary_gains(name, None)
        with pytest.raises(ValueError, match="nsupported nonlinearity"):
            torch.nn.init.calculate_gain(name)


def test_what_is_random_in_training_is_refused_and_so_are_complex_numbers() -> None:
    torch = pytest.importorskip("torch")
    with pytest.raises(UsageError, match="draws random numbers in training"):
        initcheck.gain(torch.nn.RReLU())
    with pytest.raises(UsageError, match="it gives complex numbers"):
        initcheck.gain(lambda z: z * np.exp(1j * z))
    with pytest.raises(UsageError, match="it raises ValueError: no such number"):
        initcheck.gain(_raises)


def _raises(z):
    raise ValueError("no such number")


def test_a_second_moment_that_float64_cannot_hold_is_said_so() -> None:
    assert "E phi^2 is 0 in float64" in str(initcheck.gain(lambda z: 1e-200 * z))


def test_an_error_of_the_variance_is_followed_at_any_frequency() -> None:
    """E sin(200 z)^2 is 1/2 at every variance near 1: a fixed grid gave a stretch of -6."""
    assert abs(initcheck.gain(lambda z: np.sin(200 * z)).field.stretch) < 1e-6
