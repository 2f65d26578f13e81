"""Right initializers, in the forms of the seventh and the ninth sample: none fails for how it was read."""

import pytest

import initcheck

pytest.importorskip("keras")
pytest.importorskip("equinox")
import wild_signatures_ninth as ninth
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
    ninth.he_with_choices, ninth.WithBackend().lecun_normal, ninth.xavier_named, ninth.between_nodes,
    ninth.Lazy.glorot_uniform, ninth.LazyWidth, ninth.FillsArrays, ninth.Glorot, ninth.Scheme.HE, ninth.either_or,
    ninth.of_the_module, ninth.of_python, ninth.conv1d_filters, ninth.volumes, ninth.filters_of_shape,
    ninth.told_both_fans_, ninth.exactly_linear, ninth.dispatched, ninth.of_device, ninth.of_letters, ninth.of_modules,
    ninth.jaxtyped_, ninth.of_graphs, ninth.annotated, ninth.xavier_of_weight,
]  # fmt: skip


@pytest.mark.parametrize("form", RIGHT, ids=lambda form: getattr(form, "__name__", type(form).__name__))
def test_a_right_initializer_fails_nothing(form):
    report = initcheck.check(form, claims=CLAIMS, profile="quick")
    assert [(r.claim, r.reason, r.evidence.measured) for r in report.failures] == []
    assert report.decided
