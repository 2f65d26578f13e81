"""The pictures: every series is drawn small, says what is seen, and bad data costs only its own picture."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest
import sample_reports
from series_problems import problems

from initcheck.rendering.html import densities as laws
from initcheck.rendering.html import pictures
from initcheck.report.series import SERIES
from initcheck.report.verdict import Evidence


def drawn(band=None, **data):
    return pictures.draw(sample_reports.result(evidence=Evidence(band=band, series=data)))


def all_drawn():
    return [p for r in sample_reports.every_verdict() for p in pictures.draw(r)]


def test_every_series_is_drawn_and_small():
    found = all_drawn()
    assert {p.title for p in found} == {
        "Variance against width",
        "Signal against depth",
        "Gradient against depth",
        "Histogram of the weights",
        "Singular values",
        "Distance between gradients",
    }
    assert max(len(p.svg) for p in found) < 20_000


def test_an_svg_is_well_formed_and_carries_nothing_a_page_must_not_have():
    for picture in all_drawn():
        ET.fromstring(picture.svg)
        assert not re.search(r"<script|<style|<metadata|<!--|xlink|https?:|DejaVu", picture.svg)
        assert not re.search(r"#0[0-9a-f]{5}\b(?!\w)", picture.svg.replace('href="#', ""))


def test_identifiers_of_two_pictures_never_clash():
    ids = [name for p in all_drawn() for name in re.findall(r' id="([^"]+)"', p.svg)]
    assert ids
    assert len(ids) == len(set(ids))


def test_the_same_data_gives_the_same_svg_whatever_the_user_set():
    import matplotlib

    first = all_drawn()
    with matplotlib.rc_context({"lines.linewidth": 9, "font.size": 30, "axes.facecolor": "red"}):
        assert all_drawn() == first


def test_a_picture_says_what_is_to_be_seen():
    said = {p.title: p.description for p in all_drawn()}
    assert said["Signal against depth"].startswith(
        "From layer 0 to 20 the energy changes by a factor of 10^-20.00, 10^-1.000 a"
    )
    assert said["Distance between gradients"] == "Among 16 units, 24 of 120 pairs have the same gradient."
    assert said["Histogram of the weights"].endswith("against the normal law, dashed.")
    assert "against Marchenko-Pastur, dashed" in said["Singular values"]


def test_two_laws_are_drawn_in_one_picture():
    (both,) = drawn(two_histograms=[[-1.0, 0.0, 0.5, 0.4], [0.0, 1.0, 0.5, 0.6]])
    assert both.description == "Both laws in the same bins: root mean square 0.5 in A, 0.5 in B."
    ET.fromstring(both.svg)
    assert not drawn(two_histograms=[])


def test_many_points_are_thinned():
    (few,) = drawn(singular_values=list(range(64)))
    (many,) = drawn(singular_values=list(range(5000)))
    assert "5000 singular values" in many.description
    assert len(many.svg) < 1.5 * len(few.svg)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("variance_by_width", [["x"], [0, 1], [1, "nan"]]),
        ("signal_by_depth", [[1, 2]]),
        ("histogram", [[0, 1, 0]]),
        ("histogram", "nothing"),
        ("singular_values", ["inf"]),
        ("gradient_ties", [[1]]),
    ],
)
def test_data_that_cannot_be_drawn_costs_only_its_own_picture(name, value):
    assert drawn(**{name: value}) == ()
    (other,) = drawn(**{name: value, "gradient_by_depth": [[0, 0], [1, -1]]})
    assert other.title == "Gradient against depth"


def test_what_cannot_be_drawn_is_named():
    assert problems({"singular_values": [1.0], "law": ["normal", 1.0], "histogram": [[0, 1, 2]]}) == []
    (unknown,) = problems({"singular_valeus": [1]})
    assert "did you mean 'singular_values'?" in unknown
    (row,) = problems({"histogram": [[0, 1]]})
    assert "has the row [0, 1]; it must be [[left, right, count], ...]" in row
    assert len(problems({"law": [1.0], "signal_by_depth": []})) == 2


def test_the_samples_use_known_series_in_their_documented_shape():
    used = [r.evidence.series for r in sample_reports.every_verdict()]
    # A sample is of one initializer, that picture of two starts.
    assert set().union(*used, {"two_histograms"}) == set(SERIES)
    assert [problems(s) for s in used if problems(s)] == []


@pytest.mark.parametrize("law", ["normal", "uniform", "laplace", "truncated_normal(2)", "truncated_normal(1)"])
def test_a_density_has_mass_one_and_the_standard_deviation_it_is_named_with(law):
    name, points = laws.weights([law, 0.5], -6.0, 6.0)
    assert name == law.replace("_", " ")
    step = 12 / 80
    mass = sum(y for _, y in points) * step
    variance = sum(x * x * y for x, y in points) * step
    # The sum is a coarse one: a jump of the density is met within half a step.
    assert mass == pytest.approx(1.0, abs=0.12)
    assert variance == pytest.approx(0.25, rel=0.25)


def test_a_law_that_is_not_known_is_not_drawn():
    assert laws.weights(["cauchy", 1.0], -1, 1) == ("cauchy", [])
    assert laws.weights(["truncated_normal", 1.0], -1, 1)[1] == []
    assert laws.weights(["normal", -1.0], -1, 1)[1] == []
    assert laws.weights(None, -1, 1) == ("", [])


@pytest.mark.parametrize(("rows", "columns"), [(120, 120), (60, 240), (240, 60)])
def test_marchenko_pastur_agrees_with_a_gaussian_matrix(rows, columns):
    np = pytest.importorskip("numpy")
    std = 0.1
    measured = np.linalg.svd(np.random.default_rng(0).normal(0, std, (rows, columns)), compute_uv=False)
    expected = laws.marchenko_pastur_quantiles(rows, columns, std, len(measured))
    assert expected == sorted(expected, reverse=True)
    assert np.max(np.abs(measured - expected)) < 0.08
    wrong = laws.marchenko_pastur_quantiles(rows, columns, 1.2 * std, len(measured))
    assert np.max(np.abs(measured - wrong)) > 0.2
