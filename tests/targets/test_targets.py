import functools
import json
import os
import pickle
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from initcheck.contract.contract import Contract
from initcheck.doors.cli import main
from initcheck.errors import UsageError
from initcheck.targets.loading import load, rebuild, told_apart

MODULE = """
import functools
from math import sqrt

import numpy as np

def he(shape, rng):
    return rng.normal(0, sqrt(2 / shape[0]), shape)

he.__initcheck__ = {"activation": "relu", "layout": "in_out"}

def scaled(shape, rng, gain):
    return gain * rng.normal(size=shape)

def make(gain=1.0):
    def init(shape, rng):
        return gain * rng.normal(size=shape)
    return init

def main():
    raise SystemExit("main was called")

def _private(shape):
    return np.ones(shape)

class Lecun:
    def __init__(self, seed=None):
        self.rng = np.random.default_rng(seed)
    def __call__(self, shape):
        return self.rng.normal(size=shape)

class Oops(Exception):
    pass

doubled = functools.partial(scaled, gain=2.0)
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A fresh current folder, with its modules forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [p for p in sys.path if p])
    before = set(sys.modules)

    def write(name, text):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
        return path

    yield write
    for name in set(sys.modules) - before:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


@pytest.fixture
def myinit(folder):
    return folder("myinit.py", MODULE)


def names(loaded):
    return [i.name for i in loaded.initializers]


PARAMETERS = """
import numpy as np

def initialize_parameters(n_x, n_h, n_y):
    return {"W1": np.random.randn(n_h, n_x), "b1": np.zeros((n_h, 1)), "W2": np.random.randn(n_y, n_h)}

def with_a_parameter(shape, rng, parameter):
    return parameter * rng.normal(size=shape)
"""


def test_a_target_may_say_how_it_is_read(folder):
    folder("nets.py", PARAMETERS)
    text = "nets:initialize_parameters(n_y=3, parameter='W1', signature='(in, out)')"
    [one] = load(text).initializers
    assert (one.signature, one.contract.layout) == ("(in, out)", "out_in")
    for initializer in (one, rebuild(json.loads(json.dumps(one.recipe)))):
        assert initializer.sampler.calls((5, 7), [1], "float32")[0].shape == (5, 7)
    # What the function itself calls so is passed to it.
    [own] = load("nets:with_a_parameter(parameter=0.0)").initializers
    assert not own.sampler.calls((2, 2), [1], "float32")[0].any()
    with pytest.raises(UsageError, match="has no parameter 'signatur'"):
        load("nets:with_a_parameter(parameter=0.0, signatur='(shape, rng)')")


def test_of_several_arrays_the_one_of_the_shape_asked_for_is_checked(folder):
    folder("nets.py", PARAMETERS + "\ndef init(layer_dims):\n    return initialize_parameters(*layer_dims, 3)\n")
    [one] = [i for i in load("nets").initializers if i.name == "nets:init"]
    assert "Of what it returns W1 is checked, whose shape is asked for; not asked: b1, W2." in one.notes


def test_what_returns_several_arrays_of_one_shape_is_listed_with_the_call_to_write(folder):
    folder("nets.py", PARAMETERS + "\ndef init(layer_dims):\n    return [np.random.randn(*layer_dims) for _ in 'ab']\n")
    [several] = [n for n in load("nets").not_checked if n.name == "nets:init"]
    assert several.call_to_write == "nets:init(parameter='0')"
    assert len(load(several.call_to_write).initializers) == 1


def test_a_module_is_every_public_initializer_in_it(myinit):
    loaded = load("myinit")
    assert names(loaded) == ["myinit:he", "myinit:make", "myinit:Lecun", "myinit:doubled"]
    reasons = {n.name: (n.reason, n.call_to_write) for n in loaded.not_checked}
    assert set(reasons) == {"myinit:scaled", "myinit"}
    assert "1 member shows no sign of making weights, and nothing of it was called: main." in reasons["myinit"][0]
    assert "'gain'" in reasons["myinit:scaled"][0]
    assert reasons["myinit:scaled"][1] == "myinit:scaled(gain=...)"


def test_what_was_imported_is_no_member_unless_all_says_so(folder):
    folder("other_inits.py", "def one(shape, rng): return rng.normal(size=shape)")
    folder("reexport.py", "from other_inits import one\ndef two(shape, rng): return rng.normal(size=shape)")
    folder("listed.py", "from other_inits import one\n__all__ = ['one']\ndef two(shape, rng): return 0")
    assert names(load("reexport")) == ["reexport:two"]
    assert names(load("listed")) == ["listed:one"]


@pytest.mark.parametrize(
    "target",
    ["myinit:he", "myinit.he", "myinit.py:he", "./myinit.py:he", "myinit:he()", " myinit:he "],
)
def test_every_form_finds_the_same_function(myinit, target):
    [initializer] = load(target).initializers
    assert initializer.name == target
    assert initializer.contract.activation == "relu"
    assert initializer.location[0].endswith("myinit.py")
    assert initializer.location[1] == 7


def test_arguments_are_literals(myinit):
    [dotted] = load("myinit.scaled(gain=2.0)").initializers
    [colon] = load("myinit:scaled(gain=2.0)").initializers
    [file] = load("myinit.py:scaled( gain = 2.0 )").initializers
    results = [i.sampler.calls((3, 3), [1], "float64")[0] for i in (dotted, colon, file)]
    assert np.array_equal(results[0], results[1])
    assert np.array_equal(results[0], results[2])
    [tripled] = load("myinit:make(gain=3)").initializers
    assert np.allclose(tripled.sampler.calls((3, 3), [1], "float64")[0], results[0] * 1.5)


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("myinit:hee", "did you mean 'he'?"),
        ("myinit.hee", "did you mean 'he'?"),
        ("myinti:he", "Did you mean 'myinit'?"),
        ("myinti", "there is no module 'myinti', neither installed nor in"),
        ("myinit.py:hee", "did you mean 'he'?"),
        ("myinti.py:he", "Did you mean 'myinit.py'?"),
        ("myinit:scaled(gain=__import__('os'))", "is no literal; target text is never evaluated"),
        ("myinit:scaled(gain=x)", "gain=x is no literal"),
        ("myinit:scaled(2.0)", "arguments are given by name, such as myinit:scaled(gain=2.0)"),
        ("myinit:scaled(**{'gain': 2})", "** cannot be read"),
        ("myinit:scaled(gain=1)(shape=2)", "no single call"),
        ("myinit:scaled(gain=", "a bracket is not closed; write myinit:scaled(width=64)"),
        ("myinit:scaled(gian=2.0)", "did you mean 'gain'?"),
        ("myinit:scaled", "needs the argument 'gain'"),
        ("myinit:he; import os", "cannot be read"),
        ("", "cannot be read"),
        ("myinit:", "cannot be read"),
        ("json:dumps", "json:dumps"),
    ],
)
def test_a_bad_target_says_what_is_wrong(myinit, target, words):
    with pytest.raises(UsageError) as refusal:
        load(target)
    assert words.lower() in str(refusal.value).lower()
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("target", ["torch.nn.init.kaiming_norml_", "torch.nn.int.kaiming_normal_"])
def test_a_wrong_name_of_torch_is_told_the_right_one(target):
    pytest.importorskip("torch")
    right = "kaiming_normal_" if "norml" in target else ""
    with pytest.raises(UsageError, match=f"(?i)did you mean '?{right}"):
        load(target)


def test_target_text_is_never_evaluated(myinit, tmp_path):
    with pytest.raises(UsageError):
        load("myinit:scaled(gain=open('written', 'w'))")
    assert not (tmp_path / "written").exists()


@pytest.mark.parametrize(
    ("text", "error"),
    [("1 / 0", ZeroDivisionError), ("raise SystemExit(3)", SystemExit), ("def f(:", SyntaxError)],
)
def test_a_module_that_raises_is_a_sentence_with_the_cause_chained(folder, text, error):
    folder("broken_module.py", text)
    for target in ("broken_module:f", "broken_module.py:f"):
        with pytest.raises(UsageError, match=f"cannot be imported: it raises {error.__name__}") as refusal:
            load(target)
        assert isinstance(refusal.value.__cause__, error)


def test_an_absent_framework_is_one_sentence_with_the_install_command(folder):
    folder("needs_torch.py", "import torch\ndef f(shape): return torch.randn(shape)")
    code = """
        import sys, importlib.abc
        class Absent(importlib.abc.MetaPathFinder):
            def find_spec(self, name, path=None, target=None):
                if name.partition(".")[0] == "torch":
                    raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        import importlib.util
        real = importlib.util.find_spec
        importlib.util.find_spec = lambda name, *rest: None if name == "torch" else real(name, *rest)
        sys.meta_path.insert(0, Absent())
        from initcheck.errors import UsageError
        from initcheck.targets.loading import load
        for target in ("torch.nn.init.kaiming_normal_", "torch.nn.init", "needs_torch:f"):
            try:
                load(target)
            except UsageError as error:
                assert 'install it with: pip install "initcheck[torch]"' in str(error), str(error)
            else:
                raise AssertionError(target)
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True, timeout=60)


def test_declared_wins_over_the_authors_dict(myinit):
    [own] = load("myinit:he").initializers
    assert own.contract.origins["activation"] == "declared"
    for contract in (Contract(activation="tanh"), {"activation": "tanh"}, "activation=tanh"):
        [said] = load("myinit:he", contract=contract).initializers
        assert said.contract.activation == "tanh"
        assert said.contract.layout == "in_out"


def test_what_is_known_of_torch_gives_way_to_what_is_declared():
    pytest.importorskip("torch")
    [known] = load("torch.nn.init.xavier_normal_(gain=1.5)").initializers
    assert known.contract.gain == 1.5
    assert known.contract.origins["gain"] == "known"
    [told] = load("torch.nn.init.xavier_normal_(gain=1.5)", contract="activation=relu").initializers
    assert told.contract.activation == "relu"
    assert told.contract.gain is None
    assert told.contract.fan == "fan_avg"


def test_an_unknown_contract_key_names_the_closest(myinit):
    with pytest.raises(UsageError, match="did you mean 'activation'"):
        load("myinit:he", contract={"activaton": "relu"})
    with pytest.raises(UsageError, match="is no Contract"):
        load("myinit:he", contract=3)


def test_the_authors_dict_may_say_how_to_call(folder):
    folder("authored.py", """
        def odd(a, b, gain):
            return gain * a.normal(size=b)
        odd.__initcheck__ = {"signature": "(rng, shape)", "args": {"gain": 2.0}, "fan": "fan_in"}
        def bad(shape, rng): return rng.normal(size=shape)
        bad.__initcheck__ = {"activaton": "relu"}
    """)  # fmt: skip
    [odd] = load("authored:odd").initializers
    assert odd.signature == "(rng, shape)"
    assert odd.contract.fan == "fan_in"
    with pytest.raises(UsageError, match="did you mean 'activation'"):
        load("authored:bad")


def test_tables_of_a_toml_file(myinit, folder):
    folder("pyproject.toml", """
        [[tool.initcheck.targets]]
        target = "myinit:he"
        waive = {"zero-mean" = "shifted on purpose"}
        [[tool.initcheck.targets]]
        target = "myinit:scaled"
        args = {gain = 2.0}
        signature = "(shape, rng)"
        contract = {activation = "relu", widths = [1, 64]}
        [[tool.initcheck.targets]]
        target = "myinit:scaled(gain=1.0)"
        contract = "activation=linear,layout=out_in"
        name = "mine"
    """)  # fmt: skip
    he, scaled, mine = load("@pyproject.toml").initializers
    assert he.contract.waive == {"zero-mean": "shifted on purpose"}
    assert he.contract.activation == "relu"
    assert scaled.contract.widths == (1, 64)
    assert mine.name == "mine"
    assert mine.contract.layout == "out_in"


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ('[[tool.initcheck.targets]]\ntargt = "x"', "did you mean 'target'?"),
        ("[[tool.initcheck.targets]]\nsignature = '(shape)'", "needs target ="),
        ("[[tool.initcheck.targets]]\ntarget = 'myinit:he'\nargs = 3", "must be a table"),
        ("[[tool.initcheck.targets]]\ntarget = 'myinit:he'\nsignature = 3", "must be text"),
        (
            "[[tool.initcheck.targets]]\ntarget = 'myinit:he'\ncontract = {fan = 'fan_inn'}",
            "did you mean 'fan_in'?",
        ),
        ("[tool.initcheck]\nx = 1", "it has no table [[tool.initcheck.targets]]"),
        ("[tool.initcheck\n", "is not TOML"),
    ],
)
def test_a_bad_table_says_what_is_wrong(myinit, folder, table, words):
    folder("pyproject.toml", table)
    with pytest.raises(UsageError) as refusal:
        load("@pyproject.toml")
    assert words in str(refusal.value)


def test_a_missing_table_file(folder):
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        load("@nowhere.toml")


def test_no_two_initializers_share_a_name(myinit):
    loaded = told_apart(map(load, ("myinit:he", "myinit:he", "myinit:Lecun")))
    assert names(loaded) == ["myinit:he", "myinit:he #2", "myinit:Lecun"]
    assert rebuild(loaded.initializers[1].recipe).name == "myinit:he #2"


def plain(shape, rng):
    return rng.normal(size=shape)


class Instance:
    def __call__(self, shape, rng):
        return plain(shape, rng)


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: plain, f"{__name__}:plain"),
        (lambda: lambda shape, rng: rng.normal(size=shape), "<lambda>"),
        (lambda: functools.partial(plain), f"{__name__}:plain"),
        (lambda: Instance(), f"{__name__}:Instance"),
    ],
    ids=["function", "lambda", "partial", "instance"],
)
def test_names_never_hold_an_address(make, name):
    [initializer] = load(make()).initializers
    assert name in initializer.name
    assert "0x" not in initializer.name


def bits(initializer):
    return initializer.sampler.to_numpy(initializer.sampler.calls((4, 5), [3], "float32")[0]).tobytes()


@pytest.mark.long
@pytest.mark.parametrize(
    "target",
    ["myinit:he", "myinit.py:scaled(gain=2.0)", "myinit:make(gain=2.0)", "myinit:Lecun", "myinit.doubled"],
)
def test_a_recipe_makes_the_same_initializer_in_a_fresh_process(myinit, tmp_path, target):
    [initializer] = load(target, contract={"activation": "tanh", "widths": (1, 64)}).initializers
    recipe = tmp_path / "recipe"
    recipe.write_bytes(pickle.dumps(initializer.recipe))
    code = (
        "import pickle, sys; from initcheck.targets.loading import rebuild;"
        f"i = rebuild(pickle.loads(open({str(recipe)!r}, 'rb').read()));"
        "assert i.contract.activation == 'tanh' and i.contract.widths == (1, 64);"
        "[drawn] = i.sampler.calls((4, 5), [3], 'float32');"
        "sys.stdout.write(i.name + '|' + i.sampler.to_numpy(drawn).tobytes().hex())"
    )
    out = subprocess.run(
        [sys.executable, "-c", code], cwd="/", capture_output=True, text=True, check=True, timeout=60
    ).stdout
    assert out == f"{initializer.name}|{bits(initializer).hex()}"


def test_members_of_a_module_have_recipes_of_their_own(myinit):
    for initializer in load("myinit").initializers:
        assert bits(rebuild(json.loads(json.dumps(initializer.recipe)))) == bits(initializer)


def scaled_by(shape, rng, spread):
    return spread(shape) * rng.normal(size=shape)


def test_arguments_that_are_no_plain_data_travel_too():
    [initializer] = load(scaled_by, args={"spread": lambda shape: 2.0 / shape[0]}).initializers
    again = rebuild(json.loads(json.dumps(initializer.recipe)))
    assert bits(again) == bits(initializer)


def test_a_closure_travels_as_cloudpickle():
    gain = 3.0
    [initializer] = load(lambda shape, rng: gain * rng.normal(size=shape), contract="activation=relu").initializers
    assert "pickle" in initializer.recipe
    again = rebuild(json.loads(json.dumps(initializer.recipe)))
    assert bits(again) == bits(initializer)
    assert again.contract.activation == "relu"


def test_what_cannot_be_pickled_has_no_recipe():
    import threading

    lock = threading.Lock()

    def locked(shape, rng):
        with lock:
            return rng.normal(size=shape)

    [initializer] = load(locked).initializers
    assert initializer.recipe is None


def test_an_initializer_passes_through():
    [initializer] = load(plain).initializers
    [again] = load(initializer, contract="activation=relu").initializers
    assert again.sampler is initializer.sampler
    assert again.contract.activation == "relu"


def test_loading_changes_neither_directory_nor_generators(myinit):
    np.random.seed(3)
    before = os.getcwd(), np.random.get_state()[1].tobytes()
    load("myinit")
    assert (os.getcwd(), np.random.get_state()[1].tobytes()) == before


def test_one_member_whose_properties_raise_does_not_take_down_its_module() -> None:
    pytest.importorskip("torch")
    loaded = load("torch.nn")  # a Parameter's `.H` raises where it is no matrix
    assert "torch.nn:Linear" in {i.name for i in loaded.initializers}
    assert "torch.nn:Parameter" not in {i.name for i in loaded.initializers}


def test_a_backend_of_keras_that_is_missing_is_said_whatever_imports_keras(tmp_path, monkeypatch):
    (tmp_path / "keras").mkdir()
    (tmp_path / "keras" / "__init__.py").write_text("import tensorflow\n")
    (tmp_path / "mine_of_keras.py").write_text("import keras\n")
    (tmp_path / "mine_of_tensorflow.py").write_text("import tensorflow\n")
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    monkeypatch.delitem(sys.modules, "keras", raising=False)
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(UsageError, match="set another before the run: KERAS_BACKEND=jax"):
        load("mine_of_keras")
    with pytest.raises(UsageError, match="imports tensorflow, which is not installed"):
        load("mine_of_tensorflow")


def test_what_tables_name_is_found_beside_them(tmp_path, monkeypatch):
    (tmp_path / "beside_the_tables.py").write_text("def he(shape, rng):\n    return rng.normal(size=shape)\n")
    (tmp_path / "pyproject.toml").write_text('[[tool.initcheck.targets]]\ntarget = "beside_the_tables:he"\n')
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    monkeypatch.setattr(sys, "path", list(sys.path))
    [found] = load("@../pyproject.toml").initializers
    assert found.name == "beside_the_tables:he"


def test_a_file_that_a_table_names_is_looked_for_beside_the_table(tmp_path, monkeypatch):
    """From any folder, by the same name and so by the same seeds; a file of that path in the current folder is none."""
    for folder in ("project/inits", "inits"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "project/inits/he.py").write_text(
        "import numpy as np\ndef he(shape, rng): return rng.normal(0, np.sqrt(2 / shape[1]), shape)\n"
    )
    (tmp_path / "inits/he.py").write_text("def he(shape, rng): raise RuntimeError('another one')\n")
    (tmp_path / "project/pyproject.toml").write_text('[[tool.initcheck.targets]]\ntarget = "inits/he.py:he"\n')
    monkeypatch.chdir(tmp_path)
    [one] = load("@project/pyproject.toml").initializers
    assert (one.name, Path.cwd()) == ("inits/he.py:he", tmp_path)
    assert one.recipe["listed"] == "@project/pyproject.toml"
    assert rebuild(one.recipe).location[0] == str(tmp_path / "project/inits/he.py")
    monkeypatch.chdir(tmp_path / "project")
    [again] = load("@pyproject.toml").initializers
    assert (again.name, again.location, again.recipe["listed"]) == (one.name, one.location, None)


def test_what_cannot_be_read_is_named_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "two.py"
    file.write_text(
        "def good(shape, rng):\n    return rng.normal(0, shape[1] ** -0.5, shape)\n\n\n"
        "def broken(shape, rng):\n    raise ValueError('no')\n"
    )
    main([f"{file}:good", f"{file}:broken", "--claims", "finite", "--profile", "quick"])
    (said,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith("not checked"))
    assert said.startswith(f"not checked: {file}:broken: cannot be read: as (shape, rng) it raises ValueError: no")
