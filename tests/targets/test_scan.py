"""A scan calls nothing that its code does not show to make weights, and nothing that could do harm."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import harmless_looking as module
import numpy as np
import pytest

from initcheck.adapters.code.evidence import evidence_of
from initcheck.adapters.code.reach import CallReach
from initcheck.targets.loading import load, told_apart

HERE = Path(__file__).parent
DANGEROUS = [
    "create_weights", "init_experiment", "initialize_weights", "init_logger", "random_weights", "init_weights_from_hub",
    "reset_weights", "initialize", "pretrain_weights", "init_process_group", "glorot", "xavier_cached", "he_by_name",
    "he_evaluated", "he_that_quits", "he_with_alias", "he_imports", "he_decorated", "make_he", "tracker", "he_tracked",
    "he_hooked", "he_by_property", "he_default", "WeightInit", "DenseWeights", "LoggedLinear", "CountedInit", "main",
]  # fmt: skip
TAKEN = {"he", "xavier_", "_lecun", "Sender.xavier", "Backbone._init_weights"}


@pytest.fixture
def marks(tmp_path, monkeypatch):
    """The marks that calls of functions of the module leave, and no harm where one is called after all."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MARKS", str(tmp_path / "marks"))
    module.MARKS.clear()
    yield module.MARKS
    module.MARKS.clear()


def short(names):
    return {name.rpartition(":")[2] for name in names}


def test_nothing_that_does_harm_is_called(marks, tmp_path):
    loaded = load(str(HERE / "harmless_looking.py"))
    assert marks == []
    assert short(i.name for i in loaded.initializers) == TAKEN
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", DANGEROUS)
def test_each_is_known_by_itself(name):
    """Each does harm beside leaving its mark, and it is seen without its neighbours."""
    member = getattr(module, name)
    assert evidence_of(member, name).harm is not None, name


def test_there_are_more_than_twenty_five_of_them_and_a_call_leaves_a_mark(marks):
    assert len(DANGEROUS) >= 25
    for name in ("he_decorated", "he_tracked", "he_hooked", "he_default", "he_evaluated"):
        getattr(module, name)((2, 3), np.random.default_rng(0))
    for call in (module.WeightInit, module.DenseWeights):
        call()
    assert len(marks) == 7


def test_the_module_as_an_object_and_among_others_is_scanned_the_same(marks):
    assert short(i.name for i in load(module).initializers) == TAKEN
    both = told_apart(map(load, (module, lambda shape, rng: rng.normal(size=shape))))
    assert short(i.name for i in both.initializers) >= TAKEN
    assert marks == []


def test_the_three_groups_come_in_their_order(marks):
    loaded = load(str(HERE / "harmless_looking.py"))
    *needing, rest = loaded.not_checked
    reasons = {n.name.rpartition(":")[2]: n for n in needing}
    assert "'gain'" in reasons["scaled"].reason
    assert "subprocess.run (in glorot, line" in reasons["glorot"].reason
    assert "shutil.rmtree (in _through_two, line" in reasons["xavier_cached"].reason
    assert reasons["glorot"].call_to_write.endswith("harmless_looking.py:glorot")
    assert "members show no sign of making weights" in rest.reason
    assert len(needing) >= 15


def test_what_is_named_is_called(marks):
    [one] = load(f"{HERE / 'harmless_looking.py'}:he_decorated").initializers
    assert one.signature == "(shape, rng)"
    assert "recorded he_decorated" in marks


@pytest.mark.parametrize(
    ("name", "signature"),
    [("Sender.xavier", "(shape)"), ("Backbone._init_weights", "(module)")],
)
def test_a_method_is_named_through_its_class(marks, name, signature):
    [one] = load(f"{HERE / 'harmless_looking.py'}:{name}").initializers
    assert one.signature == signature
    assert one.sampler.calls((4, 6), [1], "float32")[0].shape == (4, 6)


ONE_NUMBER = """
import numpy as np

def const(shape, rng): return np.full(shape, 0.01)

def flat(shape, seed=0):
    w = np.empty(shape)
    w[:] = 0.5
    return w

def averaging(n_in, n_out): return np.ones((n_in, n_out)) / n_in

def mask(shape, rng): return np.ones(shape)

def padded(values, width): return np.concatenate([values, np.zeros(width)])

def window(shape): return np.ones(shape) / 3
"""


def test_one_number_everywhere_is_taken_where_it_is_called_as_an_initializer_is(tmp_path):
    (tmp_path / "one_number.py").write_text(ONE_NUMBER)
    loaded = load(str(tmp_path / "one_number.py"))
    assert short(i.name for i in loaded.initializers) == {"const", "flat", "averaging"}
    [rest] = loaded.not_checked
    assert rest.reason.endswith("nothing of them was called: mask, padded, window.")


STATISTICS = "def mean(values):\n    return open('harm', 'w')\n"
BESIDE = """
import statistics
import numpy as np

def he(shape, rng):
    return rng.normal(0, (2 / shape[0]) ** 0.5, shape)

def scaled_init(shape, rng):
    return statistics.mean([1.0]) * rng.normal(size=shape)
"""


# As the console script starts, without the folder on the path; and as a module, with it first.
STARTS = {
    "script": ["-P", "-c", "import sys; from initcheck.doors.cli import main; sys.exit(main())"],
    "module": ["-m", "initcheck"],
}


@pytest.mark.long
@pytest.mark.parametrize("start", STARTS.values(), ids=STARTS)
def test_files_called_like_the_standard_library_take_nobodys_place(start, tmp_path):
    (tmp_path / "statistics.py").write_text(STATISTICS)
    for name in ("json", "random", "types", "queue", "struct", "dataclasses"):
        (tmp_path / f"{name}.py").write_text(f"raise RuntimeError('{name} of the folder was imported')")
    (tmp_path / "beside_statistics.py").write_text(BESIDE)
    command = [sys.executable, *start, "infer", "beside_statistics.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "beside_statistics.py:scaled_init" in done.stdout
    assert not (tmp_path / "harm").exists()


def blank_mask(shape, p=0.5):
    return np.random.rand(*shape) > p


def dense_weights(n_in, n_out):
    return np.random.randn(n_in, n_out)


def table(n_in, n_out):
    return np.arange(n_in * n_out).reshape(n_in, n_out)


@pytest.mark.parametrize(
    ("function", "looks"),
    [(blank_mask, False), (dense_weights, True), (table, False)],
    ids=lambda f: getattr(f, "__name__", str(f)),
)
def test_neither_a_name_nor_a_drawing_decides_alone(function, looks):
    assert evidence_of(function, function.__name__).looks is looks
    # The same code under a name that says nothing, and the same name over code that draws nothing.
    assert not evidence_of(lambda first, second: first @ second, "dense_weights").looks


def test_what_a_call_would_reach_is_followed_without_a_call():
    def inner(path):
        open(path, "w").close()

    def outer(shape, rng, hook=inner):
        hook("x")
        return rng.normal(size=shape)

    [(what, where)] = CallReach().add(outer).harm.items()
    assert what == "open()"
    assert "inner" in where


def heavy(shape, rng):
    return rng.standard_cauchy(shape) / shape[1]


def gamma_signs(shape, rng):
    return rng.choice([-1.0, 1.0], shape) * rng.standard_gamma(0.5, shape) / shape[1]


def powers(shape, rng):
    return rng.pareto(3.0, shape) / shape[1]


def one_by_one(shape):
    import random

    return np.reshape([random.expovariate(1.0) for _ in range(int(np.prod(shape)))], shape)


@pytest.mark.parametrize("function", [heavy, gamma_signs, powers, one_by_one], ids=lambda f: f.__name__)
def test_a_draw_from_any_law_is_a_draw(function):
    """Names that say nothing: the law that is drawn from is the evidence."""
    assert evidence_of(function, function.__name__).makes


DECLARING = """
import datetime, functools

def he(shape, rng):
    return rng.normal(0, (2 / shape[1]) ** 0.5, shape)

def other(shape, rng):
    return rng.normal(0, (2 / shape[1]) ** 0.5, shape)

"""


@pytest.mark.parametrize(
    "declared",
    [
        "he.__initcheck__ = {'activation': 'relo'}",
        "he.__initcheck__ = {'waive': {'zero-mean': {'why': 'r'}}}",
        "he.__initcheck__ = {'waive': {'zero-mean': {'reason': 'r', 'until': '2027-01-01'}}}",
        "he.__initcheck__ = {'signature': '(in, out)'}",
        "he.__initcheck__ = 'activation=relu'",
        "he.__initcheck__ = {'fans': 'fan_in'}\nhe = functools.partial(he)",
    ],
)
def test_a_promise_that_cannot_be_read_is_unread_though_its_neighbours_are_taken(declared, tmp_path):
    (tmp_path / "declaring.py").write_text(DECLARING + declared)
    loaded = load(str(tmp_path / "declaring.py"))
    assert short(i.name for i in loaded.initializers) == {"other"}
    assert short(n.name for n in loaded.not_checked if n.needed) == {"he"}


def test_a_promise_that_can_be_read_and_a_bystander_that_promises_nothing_leave_nothing_unread(tmp_path):
    (tmp_path / "declaring.py").write_text(
        DECLARING + "he.__initcheck__ = {'waive': {'zero-mean': {'reason': 'r', 'until': datetime.date(9999, 1, 1)}}}\n"
        "def xavier_weights(first, second, third, fourth): return first.normal(size=(second, third, fourth))\n"
    )
    loaded = load(str(tmp_path / "declaring.py"))
    he = next(i for i in loaded.initializers if i.name.endswith(":he"))
    assert he.contract.waive == {"zero-mean": "r (until 9999-01-01)"}
    assert short(n.name for n in loaded.not_checked) >= {"xavier_weights"}
    assert not any(n.needed for n in loaded.not_checked)


class Truncating:
    def __init__(self, truncate=True):
        self.truncate = truncate

    def __call__(self, shape, rng):
        drawn = rng.normal(0, shape[0] ** -0.5, shape)
        return np.clip(drawn, -1, 1) if self.truncate else drawn


@dataclasses.dataclass(frozen=True)
class TruncatingConfig:
    truncate: bool = False

    def __call__(self, shape, rng):
        return rng.normal(0, shape[0] ** -0.5, shape) * (0.5 if self.truncate else 1)


class Shortening(Truncating):
    """A method of that name, and a file's, do what they did."""

    def __call__(self, shape, rng):
        self.truncate(0)
        return rng.normal(0, shape[0] ** -0.5, shape)

    def truncate(self, size):
        open("weights", "a").truncate(size)  # noqa: SIM115 - never run


class Held:
    def __init__(self, log):
        self.log = log

    def __call__(self, shape, rng):
        self.log.truncate(0)
        return rng.normal(0, shape[0] ** -0.5, shape)


@pytest.mark.parametrize(
    ("obj", "harm"),
    [
        (Truncating, None),
        (Truncating(), None),
        (TruncatingConfig, None),
        (TruncatingConfig(), None),
        (Shortening, ".truncate() (in Shortening.truncate"),
        (Held, ".truncate() (in Held.__call__"),
    ],
)
def test_a_field_that_is_called_as_a_method_of_files_is_read_and_does_no_harm(obj, harm):
    found = evidence_of(obj, "HeInit").harm
    assert (found is None) if harm is None else found.startswith(harm)


NETWORK = """
import torch

def layer_init(layer, std=2 ** 0.5):
    torch.nn.init.orthogonal_(layer.weight, std)
    return layer

class Agent(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.actor = layer_init(torch.nn.Linear(4, 2))

    def forward(self, x):
        return self.actor(x)

    def get_value(self, x):
        return self.actor(x) * 2

    def reset(self, layer):
        torch.nn.init.normal_(layer.weight, std=layer.in_features ** -0.5)
"""


def test_what_a_network_computes_is_no_initializer_though_its_constructor_draws(tmp_path):
    """A method speaks for itself: what draws in ``__init__`` draws in no ``forward``."""
    pytest.importorskip("torch")
    path = tmp_path / "agent_with_methods.py"
    path.write_text(NETWORK)
    loaded = load(str(path))
    assert short(i.name for i in loaded.initializers) >= {"layer_init", "Agent.reset"}
    assert all("forward" not in n.name and "get_value" not in n.name for n in loaded.not_checked)


def test_a_member_that_raises_when_it_is_asked_for_its_class_is_said_and_its_neighbours_are_taken(tmp_path):
    text = (
        "class Odd:\n    @property\n    def __class__(self): raise ValueError('nobody')\n    def __call__(self): pass\n"
    )
    he = "def he(shape, rng): return rng.normal(0, (2 / shape[1]) ** 0.5, shape)\n"
    (tmp_path / "asks.py").write_text(f"{text}init_odd, __all__ = Odd(), ['he', 'init_odd']\n{he}")
    loaded = load(str(tmp_path / "asks.py"))
    assert short(i.name for i in loaded.initializers) == {"he"}
    [left] = loaded.not_checked
    assert (left.reason, left.needed) == ("init_odd raises when looked at: ValueError: nobody", False)


def test_the_reason_why_a_member_is_left_does_not_say_its_name_again(tmp_path):
    body = "    return {'W1': rng.normal(size=(n_out, n_in)), 'W2': rng.normal(size=(n_out, n_in))}\n"
    (tmp_path / "nets.py").write_text(f"def init_params(n_in, n_out, rng):\n{body}")
    [left] = load(str(tmp_path / "nets.py")).not_checked
    assert left.name.endswith("nets.py:init_params")
    assert left.reason.startswith("returns several things; say which one is checked")
