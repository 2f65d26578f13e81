"""Right initializers, in the forms of the seventh sample: none fails for how it was read."""

import pytest

import initcheck

pytest.importorskip("keras")
pytest.importorskip("equinox")
import wild_signatures_seventh as plain
import wild_signatures_seventh_frameworks as frameworks

CLAIMS = [
    "accepts-every-shape", "returns-the-shape-asked", "finite", "same-seed-same-weights", "zero-mean",
    "output-variance-near-one",
]  # fmt: skip
RIGHT = [
    plain.keyword_generator, plain.all_keywords, plain.keyword_widths, plain.positional_only, plain.legacy_state,
    plain.python_generator, plain.of_named_shape, plain.he_in_dict, plain.scalar_or_pair, plain.inizializza_pesi,
    plain.inicializar_pesos, plain.HeNormal, plain.Glorot, plain.Initializers.he, plain.Initializers.lecun,
    plain.Layer, plain.PostInit, plain.Slotted, plain.wrapped_he, plain.compiled_glorot, plain.complex_glorot,
    plain.of_dims, plain.generator_first, plain.filters, plain.of_key, plain.of_key_last, plain.jitted_by_name,
    plain.of_torch_generator, plain.torch_size, plain.torch_parameter, plain.ScaledLinear, frameworks.NnxLayer,
    frameworks.EquinoxLayer, frameworks.ConfiguredNormal,
]  # fmt: skip


@pytest.mark.parametrize("form", RIGHT, ids=lambda form: getattr(form, "__name__", type(form).__name__))
def test_a_right_initializer_fails_nothing(form):
    report = initcheck.check(form, claims=CLAIMS, profile="quick")
    assert [(r.claim, r.reason, r.evidence.measured) for r in report.failures] == []
    assert report.decided
