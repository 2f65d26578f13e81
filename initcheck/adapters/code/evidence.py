"""Whether an object looks like an initializer: by what its code makes, and by what it is called. It is not called."""

from __future__ import annotations

import functools
import inspect
import re
from dataclasses import dataclass, replace
from types import CodeType
from typing import Any

from initcheck.adapters.code.harmless import is_trusted
from initcheck.adapters.code.mentions import mentions_of
from initcheck.adapters.code.reach import CallReach
from initcheck.adapters.signatures.signature import RANDOM_ROLES, Slot, slots_of
from initcheck.errors import UsageError

_RANDOM = re.compile(
    r"(^|\.)(random|nprandom|prng)\.|(^|\.)(randn?|randint|normal|uniform|randn_like|rand_like|normal_like|bernoulli|"
    r"multinomial|randperm|next_rng_key|get_parameter)$"
)
_NOT_DRAWN = re.compile(
    r"\.(seed|manual_seed|get_state|set_state|getstate|setstate|default_rng|RandomState|Generator|PRNGKey|key|split|"
    r"choices?|permutation|shuffle|randint|randperm|integers|sample|fold_in|SeedSequence|PCG64|Philox|Random|SystemRandom|SeedGenerator|initial_seed|key_data|wrap_key_data)$"
)
_INITIALIZER = re.compile(r"(^|\.)(nn\.init|initializers?|nn\.initializers)\.|haiku\.initializers|\.(param|Param)$")
_LAYER = re.compile(r"^(torch\.nn|keras\.(src\.)?layers|flax\.(linen|nnx)|equinox\.nn|haiku)\.(.*\.)?[A-Z]\w+$")
_FIXED = re.compile(r"^(numpy|torch|jax\.numpy|keras\.ops)\.(zeros|ones|full|eye|identity|diag|empty)(_like)?$")
# Methods of a generator, whoever holds it.
_DRAWS_TEXT = """
    betavariate chisquare dirichlet exponential expovariate gammavariate gauss gumbel laplace logistic lognormal
    lognormvariate multivariate_normal noncentral_chisquare noncentral_f normal normalvariate pareto paretovariate
    permutation rademacher rand randint randn random random_sample rayleigh standard_cauchy standard_exponential
    standard_gamma standard_normal standard_t triangular truncated_normal uniform vonmises vonmisesvariate wald weibull
    weibullvariate
"""
_DRAWS = frozenset(_DRAWS_TEXT.split())
_FILLS_TEXT = """
    constant_ copy_ dirac_ eye_ fill fill_ kaiming_normal_ kaiming_uniform_ log_normal_ normal_ ones_
    orthogonal_ sparse_ trunc_normal_ uniform_ xavier_normal_ xavier_uniform_ zero_ zeros_ bernoulli_
    exponential_ cauchy_
"""
_FILLS = frozenset(_FILLS_TEXT.split())
# Parts of a name that say "weights", and whole words that do: too short to be looked for inside others.
_WEIGHTS = re.compile(
    r"weight|kernel_?init|bias_?init|initiali[sz]er|xavier|glorot|kaiming|lecun|orthog|orthonormal|siren|msra|"
    r"fan_?(in|out|avg)|^w_?init|trunc_?normal|parametri[sz]ation"
)
_SCHEMES = frozenset(["he", "icnr", "dirac", "delta", "orth", "ortho", "fixup", "lsuv", "mup", "nguyen", "w", "ws"])
_START = re.compile(r"init|reset_?param")
_DISTRIBUTIONS = re.compile(
    r"^(zeros|ones|constant|eye)_?$|normal|uniform|gauss|orthog|sparse|identity|variance_?scal|scaled|rademacher|laplace|random|rand$|randn|trunc"
)
_LAYERS = re.compile(r"layer|dense|linear|conv|neuron|perceptron|affine|fully_?connected|embedding|cell$|lstm|gru|rnn")
# Words of names of code that makes data, states of networks or anything else that is drawn.
_OTHERS_TEXT = """
    mask masks noise noisy batch batches sample samples sampler data dataset datasets dropout augment
    augmentation jitter encoding positional mixup loader corrupt perturb shuffle population centroids centers
    centres position positions state states hidden particles swarm velocity env board grid cache buffer
    optimizer logger session seed seeds image images video text prompt prompts latent latents trajectory actions
    game episodes blob blobs points dummy fake inputs test evaluate train training step loss attack mutate
    crossover process group distributed
"""
_OTHERS = frozenset(_OTHERS_TEXT.split())
_SHAPED = {"shape", "dims", "rows", "in", "tensor"}
_STORED = re.compile(
    r"^_*(w[a-z]{0,2}\d*|u|v|theta\d*|params|parameters|filters|.*weights?\d*|.*kernel\d*|w_\w+|.*matrix)$"
)
_METHODS = re.compile(r"^(__call__|init\w*|fill|sample|draw|generate|create|get_?weights?|make_?weights?|weights?)$")


@dataclass(frozen=True)
class CodeEvidence:
    """What speaks for an initializer, and what forbids to call it in a scan.

    Attributes:
        makes: its code draws random numbers, fills what it is given, builds a layer, or calls who does.
        said: its name, its owner's or its parameters speak of weights.
        harm: what may do harm if it were called, and where; None where nothing does.
    """

    makes: bool
    said: bool
    harm: str | None

    @property
    def looks(self) -> bool:
        """Whether it looks like an initializer."""
        return self.makes and self.said


def evidence_of(obj: Any, name: str, owner: str = "") -> CodeEvidence:
    """The evidence of a member of a module.

    >>> import numpy as np
    >>> def he(shape, rng):
    ...     return rng.normal(0, (2 / shape[0]) ** 0.5, shape)
    >>> def get_data(samples, features):
    ...     return np.random.randn(samples, features)
    >>> def he_logged(shape, rng):
    ...     print(shape, file=open("log", "a"))
    ...     return he(shape, rng)
    >>> [evidence_of(f, f.__name__).looks for f in (he, get_data)], evidence_of(he_logged, "he_logged").harm
    ([True, False], 'open() (in he_logged, line 2)')
    >>> [evidence_of(he, name).looks for name in ("orth_plus_noise", "gaussian_noise")]
    [True, False]
    """
    if isinstance(obj, type):
        return _of_class(obj, name, owner)
    reach = CallReach().add(obj)
    function = _function(obj)
    if function is None:  # an instance: of a class of initializers, or an object of any kind
        cls = type(obj)
        found = _of_class(cls, cls.__name__, owner, reach)
        said = found.said or _words_say(name, owner, [])
        return CodeEvidence(found.makes and _has_method(cls), said, _harm(reach))
    return _of_function(function, obj, name, owner, reach)


def evidence_of_method(owner: type, name: str, module: str = "") -> CodeEvidence:
    """The evidence of one method of a class, an instance of which has to be made for it."""
    static = inspect.getattr_static(owner, name)
    function = getattr(static, "__func__", static)
    reach = CallReach().add(function)
    looks_at_it = inspect.isfunction(static) and not ignores_self(static)
    if looks_at_it:
        reach.add_method(owner, name)
    found = _of_function(function, function, name, f"{module} {owner.__name__}", reach)
    # What makes the instance can do harm, and speaks for no method: a forward draws nothing that __init__ drew.
    return replace(found, harm=_harm(reach.add(owner))) if looks_at_it else found


def ignores_self(method: Any) -> bool:
    """Whether a method never looks at its instance, so that it is as good as a function.

    >>> class Net:
    ...     def init(self, m): return m
    ...     def width(self): return self.n
    >>> ignores_self(Net.init), ignores_self(Net.width)
    (True, False)
    """
    code = getattr(method, "__code__", None)
    if not isinstance(code, CodeType) or not code.co_argcount or "super" in code.co_names:
        return False
    own = code.co_varnames[0]
    return own not in code.co_cellvars and all(m.name != own for m in mentions_of(code).found)


def _of_function(function: Any, obj: Any, name: str, owner: str, reach: CallReach) -> CodeEvidence:
    slots = _slots(obj)
    given = any(s.role in ("tensor", "tensors", "module", "nameless") for s in slots)
    inner = mentions_of(function.__code__).inner if hasattr(function, "__code__") else []
    fills = given and _fills(reach)
    started = any(_INITIALIZER.search(path) for path in reach.paths)
    layers = any(_LAYER.search(path) for path in reach.paths) and (_both_widths(slots) or started)
    named = _says_weights(name, owner)
    # One number everywhere is an initializer where it is called as one is; elsewhere it is an array like any other.
    called_so = _both_widths(slots) or (_roles(slots) & _SHAPED and _roles(slots) & set(RANDOM_ROLES))
    fixed = _fixed(reach) and (named or bool(_DISTRIBUTIONS.search(name.lower())) or bool(called_so))
    # Choosing at random makes weights where a shape is asked for, and picks out of data elsewhere.
    shaped = bool(_roles(slots) & _SHAPED)
    makes = _draws(reach) or fills or layers or fixed or (shaped and _chooses(reach))
    # What an inner function is called, and asks for, speaks for the factory that makes it.
    parameters = slots + [Slot(n, "") for code in inner for n in code.co_varnames[: code.co_argcount]]
    said = layers or (fills and not _words(name) & _OTHERS) or _words_say(name, owner, parameters)
    said = said or any(_words_say(code.co_name, owner, parameters) for code in inner)
    said = said or "__initcheck__" in getattr(function, "__dict__", {})
    return CodeEvidence(makes, said, _harm(reach))


def _of_class(cls: type, name: str, owner: str, reach: CallReach | None = None) -> CodeEvidence:
    reach = reach or CallReach().add(cls)
    framework = [path for path in reach.paths if _LAYER.search(path)]
    methods = [m for m in _own(cls) if _METHODS.match(m)] or (
        [m for m in _own(cls) if not m.startswith("_") and inspect.isroutine(inspect.getattr_static(cls, m))]
        if _says_weights(name, owner)
        else []
    )
    run = [m for m in ("forward", "__call__", "call", "build", "setup", "reset_parameters") if m in _own(cls)]
    for method in (*methods, *run):
        reach.add_method(cls, method)
    is_layer = any(re.search(r"\.(Module|Layer)$", path) for path in framework + sorted(reach.paths)) and bool(
        {"__init__", "__call__", "setup", "forward"} & set(_own(cls)) or cls.__mro__[1:2] != (object,)
    )
    stores = any(_STORED.match(attribute.lower()) for attribute in reach.stored)
    asks = [s for m in methods for s in _slots(inspect.getattr_static(cls, m))]
    initializer = any(path.endswith(".initializer.Initializer") for path in reach.paths)
    said = is_layer or initializer or (bool(asks) and _words_say(name, owner, asks)) or _says_weights(name, owner)
    said = said or (stores and "__getitem__" not in _own(cls))
    said = said or (bool(_LAYERS.search(name.lower())) and stores)
    said = said or any(_words_say(m, name, asks) and m != "__init__" for m in methods if m != "__call__")
    makes = is_layer or initializer or _draws(reach) or (_says_weights(name, owner) and _fixed(reach))
    return CodeEvidence(makes, said, _harm(reach))


def _has_method(cls: type) -> bool:
    return any(_METHODS.match(name) for name in _own(cls))


def _own(cls: type) -> list[str]:
    """The names that a class and its bases define, those of libraries left out."""
    return [n for base in cls.__mro__ if not is_trusted(base.__module__) for n in vars(base)]


def _function(obj: Any) -> Any:
    """The function that a call of it runs; None of an instance."""
    while isinstance(obj, functools.partial):
        obj = obj.func
    obj = inspect.getattr_static(obj, "__wrapped__", obj) if not isinstance(obj, type) else obj
    return obj if inspect.isroutine(obj) else None


def _draws(reach: CallReach) -> bool:
    drawn = any(_RANDOM.search(p) and not _NOT_DRAWN.search(p) for p in reach.paths)
    asked = reach.attributes & (_DRAWS | (_FILLS & {name for name in _FILLS if _DISTRIBUTIONS.search(name)}))
    laws = any(re.search(r"\.(distributions|stats)\.", p) for p in reach.paths) and {"sample", "rvs"} & reach.attributes
    return drawn or bool(asked or laws) or any(_INITIALIZER.search(p) for p in reach.paths)


def _chooses(reach: CallReach) -> bool:
    return bool(reach.attributes & {"choice", "choices", "integers"}) or any(
        re.search(r"random\.(choices?|randint)$", path) for path in reach.paths
    )


def _fills(reach: CallReach) -> bool:
    written = {"weight", "data"} & reach.stored and _draws(reach)
    return bool(reach.attributes & _FILLS or written) or any(_INITIALIZER.search(p) for p in reach.paths)


def _fixed(reach: CallReach) -> bool:
    return any(_FIXED.search(path) for path in reach.paths)


def _words(name: str) -> set[str]:
    """The words of ``snake_case`` and ``CamelCase``."""
    split = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    return {word for word in re.split(r"[\W_\d]+", split.lower()) if word}


def _says_weights(name: str, owner: str) -> bool:
    """Whether a name, or its owner's, speaks of weights or of starting something."""
    plain = "_".join(sorted(_words(name), key=name.lower().find)) or name.lower()
    if _WEIGHTS.search(name.lower()) or _SCHEMES & _words(name):
        return not _words(name) & _OTHERS - {"sample"} or bool(
            re.search(r"init|xavier|glorot|kaiming|orth", name.lower())
        )
    if _words(name) & _OTHERS:
        return False
    return bool(_START.search(plain)) or bool(re.search(r"init(s|iali|$|_)|weights", owner.lower().strip("_")))


def _words_say(name: str, owner: str, slots: list[Slot]) -> bool:
    """Whether names speak for an initializer: outright, or by halves with parameters that ask for a matrix."""
    if _says_weights(name, owner):
        return True
    if _words(name) & _OTHERS:
        return False
    parameters = {s.name.lower() for s in slots}
    shaped = bool(_roles(slots) & _SHAPED) or "shape" in parameters
    random = bool(_roles(slots) & set(RANDOM_ROLES)) or bool(parameters & {"key", "rng", "generator"})
    said = bool(parameters & {"fan_in", "fan_out", "nonlinearity", "gain", "in_axis"})
    if any(s.required and s.role == "unknown" for s in slots) and not said:
        return False  # beside a shape it is asked for something of another kind, such as an image
    return (
        _both_widths(slots)
        or (shaped and (said or random or bool(_DISTRIBUTIONS.search(name.lower()))))
        or bool({"fan_in", "fan_out"} & parameters)
    )


def _roles(slots: list[Slot]) -> set[str]:
    return {s.role for s in slots}


def _both_widths(slots: list[Slot]) -> bool:
    return {"in", "out"} <= _roles(slots)


def _slots(obj: Any) -> list[Slot]:
    try:
        return [s for s in slots_of(obj) if s.name not in ("self", "cls")]
    except UsageError:
        return []


def _harm(reach: CallReach) -> str | None:
    return next((f"{what} (in {where})" if where else what for what, where in reach.harm.items()), None)
