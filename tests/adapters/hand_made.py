"""Initializers in every form that users write them, with the reading that is right for each."""

import functools
import itertools
import random
import typing

import flax.nnx as nnx
import jax
import jax.numpy as jnp
import keras
import numpy as np
import torch
from torch import nn

READABLE: list[tuple[str, object, str, dict]] = []
REFUSED: list[tuple[str, object, str]] = []


def reads(signature, /, **options):
    """Put a function into the table, with the signature it must be read as."""

    def add(obj):
        name = f"{len(READABLE)}-{getattr(obj, '__name__', type(obj).__name__)}"
        READABLE.append((name, obj, signature, options))
        return obj

    return add


def refuses(words):
    """Put a function into the table of what must be refused, with words of the sentence."""

    def add(obj):
        REFUSED.append((f"{len(REFUSED)}-{getattr(obj, '__name__', type(obj).__name__)}", obj, words))
        return obj

    return add


# -- NumPy functions


@reads("(shape, rng)")
def shape_then_rng(shape, rng):
    return rng.normal(size=shape)


@reads("(rng, shape)")
def rng_then_shape(rng, shape):
    return rng.standard_normal(shape)


@reads("(shape)")
def on_the_global_generator(shape):
    return np.random.randn(*shape)


@reads("(shape, rng)")
def optional_rng(shape, rng=None):
    return np.random.default_rng(rng).normal(size=shape)


@reads("(shape, seed)")
def with_a_seed(shape, seed):
    return np.random.default_rng(seed).normal(size=shape)


@reads("(shape, seed=seed)")
def keyword_only_seed(shape, *, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


@reads("(shape, seed=seed)")
def seed_behind_a_gain(shape, gain=1.0, seed=None):
    return gain * np.random.default_rng(seed).normal(size=shape)


@reads("(shape, RandomState)")
def scikit_style(shape, random_state):
    return random_state.randn(*shape)


@reads("(shape, RandomState)")
def legacy_rng_by_another_name(shape, rng):
    return rng.randn(*shape)


@reads("(shape, random.Random)")
def python_generator(shape, rng: random.Random):
    return np.array([rng.gauss(0, 1) for _ in range(int(np.prod(shape)))]).reshape(shape)


@reads("(shape)")
def on_pythons_generator(shape):
    return np.array([random.gauss(0, 1) for _ in range(int(np.prod(shape)))]).reshape(shape)


@reads("(in, out)")
def widths_in_out(n_in, n_out):
    return np.random.randn(n_in, n_out)


@reads("(in, out)", layout="out_in")
def widths_out_in(fan_in, fan_out):
    return np.random.randn(fan_out, fan_in)


@reads("(out, in, rng)", layout="out_in")
def widths_reversed(out_features, in_features, rng):
    return rng.normal(size=(out_features, in_features))


@reads("(in, out, rng)", layout="in_out")
def optional_second_width(input_dim, output_dim=1, rng=None):
    return rng.normal(size=(input_dim, output_dim))


@reads("(in, out, kernel_side, rng)", layout="hwio", shape=(3, 3, 5, 7))
def convolution_by_widths(in_channels, out_channels, kernel_size, rng):
    return rng.normal(size=(kernel_size, kernel_size, in_channels, out_channels))


@reads("(in, out, kernel_side, rng)", layout="oihw", shape=(7, 5, 3, 3))
def convolution_by_widths_torch(cin, cout, ksize, rng):
    return rng.normal(size=(cout, cin, ksize, ksize))


@reads("(rows, cols)")
def rows_and_columns(rows, cols):
    return np.random.uniform(-1, 1, (rows, cols))


@reads("(rows, cols, rng)")
def m_by_n(m, n, rng):
    return rng.normal(size=(m, n))


@reads("(shape, fan_in, rng)", layout="out_in")
def told_its_fan(shape, fan_in, rng):
    return rng.normal(0, np.sqrt(2 / fan_in), size=shape)


@reads("(shape, fan_in, fan_out, rng)", layout="out_in")
def told_both_fans(shape, fan_in, fan_out, rng):
    return rng.normal(0, np.sqrt(2 / (fan_in + fan_out)), size=shape)


@reads("(*shape)")
def spread_dimensions(*dims):
    return np.random.randn(*dims)


@reads("(rng, *shape)")
def rng_and_spread(rng, *shape):
    return rng.normal(size=shape)


@reads("(shape)")
def nameless_shape(x):
    return np.random.normal(size=x)


@reads("(shape, rng)")
def two_nameless(u, v):
    return v.normal(size=u)


@reads("(rng, shape)")
def two_nameless_reversed(a, b):
    return a.normal(size=b)


@reads("(rows, cols)")
def two_nameless_numbers(a, b):
    return np.random.normal(size=(a, b))


@reads("(rows, cols, rng)")
def three_nameless(a, b, c):
    return c.normal(size=(a, b))


@reads("(shape)")
def descriptive_but_unknown(blueprint):
    return np.random.normal(size=blueprint)


@reads("(shape, rng, dtype)")
def with_dtype(shape, rng, dtype):
    return rng.normal(size=shape).astype(dtype)


@reads("(shape, dtype=dtype, rng=rng)")
def all_by_keyword(shape, *, dtype=np.float32, rng):
    return rng.normal(size=shape).astype(dtype)


@reads("(shape, dtype=dtype, rng=rng)")
def options_between(shape, gain=1.0, dtype=np.float64, rng=None):
    return gain * rng.normal(size=shape).astype(dtype)


@reads("(tensor)")
def in_place_numpy(w: np.ndarray):
    w[...] = np.random.normal(size=w.shape)


@reads("(tensor, rng)")
def in_place_numpy_with_rng(weights, rng):
    weights[...] = rng.normal(size=weights.shape)


@reads("(shape, rng)")
def annotated_generator(x: tuple[int, ...], y: np.random.Generator):
    return y.normal(size=x)


@reads("(rng, shape)")
def annotated_the_other_way(g: "np.random.Generator", s: "tuple[int, ...]"):
    return g.normal(size=s)


@reads("(shape, rng)")
def annotated_optional(shape: typing.Sequence[int], generator: typing.Optional[np.random.Generator] = None):  # noqa: UP045
    return generator.normal(size=shape)


@reads("(shape)")
def optional_shape(shape=(3, 3)):
    return np.random.normal(size=shape)


@reads("(shape, rng)")
def prints_and_warns(shape, rng):
    print("drawing")
    np.seterr(all="raise")
    return rng.normal(size=shape)


@reads("(shape, rng)", parameter="0")
def weight_and_bias(shape, rng):
    return rng.normal(size=shape), np.zeros(shape[-1])


@reads("(in, out, rng)", parameter="W", layout="in_out")
def a_dict_of_parameters(n_in, n_out, rng):
    return {"W": rng.normal(size=(n_in, n_out)), "b": np.zeros(n_out)}


@reads("(widths, rng)", parameter="0.0", layout="out_in")
def pairs_of_layers(layer_sizes, rng):
    return [(rng.normal(size=(m, n)), np.zeros(m)) for n, m in itertools.pairwise(layer_sizes)]


@reads("(widths, rng)", parameter="0.0", layout="out_in")
def sizes_that_are_widths(sizes, rng):
    return [(rng.normal(size=(m, n)), np.zeros(m)) for n, m in itertools.pairwise(sizes)]


@reads("(in, out)", parameter="W1", layout="out_in", args={"n_y": 1})
def three_widths(n_x, n_h, n_y):
    return {"W1": np.random.randn(n_h, n_x), "W2": np.random.randn(n_y, n_h)}


@reads("(module)", shape=(8, 4, 3, 3))
def convolutions_only(m):
    if "Conv" in type(m).__name__:
        m.weight.data.normal_(0.0, 0.02)


@reads("(shape, rng=rng)", args={"gain": 2.0})
def with_a_gain(shape, gain, rng):
    return gain * rng.normal(size=shape)


@reads("(shape, rng)", constant=True)
def zeros(shape, rng):
    return np.zeros(shape)


reads("(shape, rng=rng)")(functools.partial(with_a_gain, gain=3.0))
reads("(shape, rng)")(lambda shape, rng: rng.normal(size=shape))


@reads("(shape, rng)")
@functools.wraps(shape_then_rng)
def decorated(*args, **kwargs):
    return shape_then_rng(*args, **kwargs)


def _without_wraps(function):
    def call(*args, **kwargs):
        return function(*args, **kwargs)

    return call


decorated_without_wraps = reads("(shape, rng)")(_without_wraps(shape_then_rng))


def _of_two(function, other):
    return lambda *shape, **kwargs: (function or other)(shape, np.random.default_rng(0))


# Which of two it calls is told by no closure: it takes what it says.
of_two_held = reads("(*shape)", constant=True)(_of_two(shape_then_rng, print))


def _beside_a_gain(gain):
    def call(*shape, **kwargs):
        return np.random.normal(0, gain(shape[0]), shape)

    return call


# What says by its own name what it takes passes nothing on.
with_a_gain_of_the_fan = reads("(*shape)")(_beside_a_gain(lambda fan_in: fan_in**-0.5))


def _calls_itself():
    def call(*args, **kwargs):
        return call(*args[0]) if isinstance(args[0], tuple) else np.random.normal(size=args)

    return call


calls_itself = reads("(*shape)")(_calls_itself())


@reads("(side)", shape=(6, 6))
def size_of_a_square(size):
    return np.random.randn(size, size)


@reads("(in, out, kernel_side)", shape=(5, 7, 3, 3), layout="oihw")
def k_beside_channels(in_ch, out_ch, k):
    return np.random.randn(out_ch, in_ch, k, k)


@reads("(in, key_size=out)", signature="(in, key_size=out)")
def size_of_keys(in_dim, key_size):
    return np.random.randn(in_dim, key_size)


@reads("(label, tensor)")
def told_by_the_name_of_the_parameter(name, arr):
    arr[:] = np.random.normal(size=arr.shape) if name.endswith("weight") else 0.0


# -- explicit signatures


@reads("(rng, shape)", signature="(rng, shape)")
def misleading_names(shape, rng):
    return shape.normal(size=rng)


@reads("(where=shape, source=rng)", signature="(_, shape, rng)")
def first_is_left_out(gain=1.0, where=None, source=None):
    return source.normal(size=where)


# -- factories


@reads("(shape, rng)")
def factory():
    return shape_then_rng


@reads("(shape, rng)")
def factory_with_defaults(gain=1.0):
    def init(shape, rng):
        return gain * rng.normal(size=shape)

    return init


@reads("(shape, rng)", args={"gain": 2.0})
def factory_with_an_argument(gain):
    return lambda shape, rng: gain * rng.normal(size=shape)


# -- classes and instances


@reads("(shape, rng)")
class CallableClass:
    def __call__(self, shape, rng):
        return rng.normal(size=shape)


@reads("SeededClass(seed=seed)(shape)")
class SeededClass:
    def __init__(self, gain=1.0, seed=None):
        self.gain, self.rng = gain, np.random.default_rng(seed)

    def __call__(self, shape):
        return self.gain * self.rng.normal(size=shape)


@reads("GeneratorClass(rng=rng)(shape)")
class GeneratorClass:
    def __init__(self, rng):
        self.rng = rng

    def __call__(self, shape):
        return self.rng.normal(size=shape)


@reads("SampleMethod(rng=rng).sample(shape)")
class SampleMethod:
    def __init__(self, rng):
        self.rng = rng

    def sample(self, shape):
        return self.rng.normal(size=shape)


@reads("(shape)")
class InitializeMethod:
    def initialize(self, shape):
        return np.random.normal(size=shape)


@reads("(in, out)", layout="in_out")
class WidthsMethod:
    def init(self, n_in, n_out):
        return np.random.normal(size=(n_in, n_out))


reads("(shape, rng)")(CallableClass())
reads("(shape)")(InitializeMethod())
reads("(shape, rng)")(CallableClass().__call__)


class ToldApart:
    def initialize(self, variable, rng):
        variable.set_value(self.generate(rng, variable.shape))

    def generate(self, rng, shape):
        return rng.randn(*shape)


reads("(RandomState, shape)")(ToldApart)


@reads("KeptRandomState(rng=random_state)(shape)")
class KeptRandomState:
    def __init__(self, rng=None):
        self.rng = rng

    def __call__(self, shape):
        return self.rng.randn(*shape)


@reads("(rows, cols)")
class MatrixAndBias:
    def W(self, n1, n2):  # noqa: N802
        return np.random.randn(n1, n2)

    def B(self, n2):  # noqa: N802
        return np.random.randn(n2)


class PassesOn:
    def __call__(self, *args, **kwargs):
        return self.forward(*args, **kwargs)


@reads("(module)")
class SaysItInForward(PassesOn):
    def forward(self, model):
        for m in model.modules():
            if isinstance(m, nn.Linear):
                nn.init.normal_(m.weight)


@reads("(shape, rng)")
def axes_are_no_widths(in_dim=-2, out_dim=-1):
    return lambda shape, rng: rng.normal(size=shape) / np.sqrt(shape[in_dim] + shape[out_dim])


# -- PyTorch

GENERATOR = "(tensor, generator=torch.Generator)"
for function in (
    nn.init.uniform_, nn.init.normal_, nn.init.trunc_normal_, nn.init.xavier_uniform_, nn.init.xavier_normal_,
    nn.init.kaiming_uniform_, nn.init.kaiming_normal_, nn.init.orthogonal_,
):  # fmt: skip
    reads(GENERATOR, layout="out_in")(function)
reads("(tensor)", args={"sparsity": 0.5})(nn.init.sparse_)
reads("(tensor)", constant=True)(nn.init.zeros_)
reads("(tensor)", constant=True)(nn.init.eye_)
reads("(tensor)", constant=True, args={"val": 0.5})(nn.init.constant_)
reads("(tensor)", constant=True, shape=(7, 5, 3))(nn.init.dirac_)
reads(GENERATOR)(functools.partial(nn.init.kaiming_normal_, nonlinearity="relu"))


@reads("(tensor)")
def in_place_torch(tensor):
    with torch.no_grad():
        return tensor.normal_()


@reads("(tensor)")
def in_place_torch_annotated(x: torch.Tensor) -> None:
    nn.init.normal_(x)


@reads("(tensor, torch.Generator)")
def in_place_torch_with_generator(w, generator):
    return w.normal_(generator=generator)


@reads("(shape)")
def torch_of_a_shape(shape):
    return torch.randn(shape)


@reads("(*shape)")
def torch_of_dimensions(*size):
    return torch.randn(*size)


@reads("(shape, generator=torch.Generator)")
def torch_with_generator(shape, *, generator=None):
    return torch.randn(shape, generator=generator)


@reads("(shape, dtype)")
def torch_with_dtype(shape, dtype):
    return torch.randn(shape, dtype=dtype)


@reads("(in, out)", layout="out_in")
def torch_widths(in_features, out_features):
    return torch.randn(out_features, in_features)


@reads("(module)", layout="out_in")
def weights_init(m):
    if isinstance(m, nn.Linear):
        nn.init.xavier_uniform_(m.weight)
        nn.init.zeros_(m.bias)


@reads("(module)", layout="out_in", shape=(7, 5, 3, 3))
def by_class_name(m):
    if m.__class__.__name__.find("Conv") != -1:
        m.weight.data.normal_(0.0, 0.02)


@reads("(module)", layout="out_in")
def walks_the_model(model):
    for m in model.modules():
        if isinstance(m, nn.Linear):
            nn.init.kaiming_normal_(m.weight)


@reads("(module)", layout="out_in")
def annotated_module(x: nn.Module) -> None:
    if hasattr(x, "weight"):
        nn.init.normal_(x.weight)


@reads("(tensors)")
def a_list_of_tensors(params: list[torch.Tensor]):
    for param in params:
        nn.init.normal_(param)


@reads("(module, fan_in)")
def a_kind_of_layer(linear_layer, in_features):
    nn.init.normal_(linear_layer.weight, std=in_features**-0.5)


@reads("(module)")
def an_embedding(embedding_layer):
    nn.init.normal_(embedding_layer.weight, std=embedding_layer.embedding_dim**-0.5)


@reads("(module)")
def a_value_that_is_a_module(value: typing.Any):
    value.reset_parameters()


# -- JAX


@reads("(key, shape)", shape=(5, 7))
def key_and_shape(key, shape):
    return jax.random.normal(key, shape)


@reads("(key, shape, dtype)", shape=(5, 7))
def key_shape_dtype(key, shape, dtype=jnp.float32):
    return jax.random.normal(key, shape, dtype)


@reads("(key, shape)", shape=(5, 7))
def rng_that_is_a_key(rng, shape):
    return jax.random.normal(rng, shape)


@reads("(key, shape)", shape=(5, 7))
def annotated_key(k: jax.Array, shape: tuple[int, ...]):
    return jax.random.normal(k, shape)


@reads("(key, in, out)", shape=(5, 7), layout="in_out")
def key_and_widths(key, in_dim, out_dim):
    return jax.random.normal(key, (in_dim, out_dim))


@reads("(shape, seed)", shape=(5, 7))
def jax_with_a_seed(shape, seed):
    return jax.random.normal(jax.random.PRNGKey(seed), shape)


@reads("(rngs, shape)", shape=(5, 7))
def flax_rngs(rngs: nnx.Rngs, shape):
    return jax.random.normal(rngs.params(), shape)


reads("(key, shape, dtype)", shape=(5, 7), layout="in_out")(jax.nn.initializers.he_normal)
reads("(key, shape, dtype)", shape=(5, 7), layout="in_out")(jax.nn.initializers.glorot_uniform())
reads("(key, shape, dtype)", shape=(5, 7), args={"stddev": 0.5})(jax.nn.initializers.normal)
reads("(key, shape, dtype)", shape=(5, 7), constant=True)(jax.nn.initializers.zeros)

# -- Keras

reads("(shape, dtype) of HeNormal(seed=seed)", shape=(5, 7), layout="in_out")(keras.initializers.HeNormal)
reads("(shape, dtype) of GlorotUniform(seed=seed)", shape=(5, 7))(keras.initializers.GlorotUniform(seed=7))
reads("(shape, dtype) of VarianceScaling(seed=seed)", shape=(5, 7), args={"scale": 3.0})(
    keras.initializers.VarianceScaling
)
reads("(shape, dtype)", shape=(5, 7), constant=True)(keras.initializers.Zeros)


@reads("(shape, dtype) of OwnKeras(seed=seed)", shape=(5, 7))
class OwnKeras(keras.initializers.Initializer):
    def __init__(self, gain=1.0, seed=None):
        self.gain, self.seed = gain, seed

    def __call__(self, shape, dtype=None):
        return self.gain * keras.random.normal(shape, dtype=dtype, seed=self.seed)

    def get_config(self):
        return {"gain": self.gain, "seed": self.seed}


@reads("(shape, dtype)", shape=(5, 7))
class KerasOnTheGlobalSeed(keras.initializers.Initializer):
    def __call__(self, shape, dtype=None):
        return keras.random.normal(shape, dtype=dtype)


@reads("(shape, dtype)", shape=(5, 7))
def keras_function(shape, dtype=None):
    return keras.random.normal(shape, dtype=dtype or "float32")


@reads("(shape, dtype) of MergesConfigurations(seed=seed)")
class MergesConfigurations(keras.initializers.VarianceScaling):
    def __init__(self, width=1.0, seed=None):
        self.width = width
        super().__init__(scale=width**2, seed=seed)

    def get_config(self):
        return {**super().get_config(), "width": self.width}


@reads("(shape, dtype)")
class WrapsAnother(keras.initializers.Initializer):
    def __init__(self, base="glorot_uniform"):
        self.base = keras.initializers.get(base)

    def __call__(self, shape, dtype=None):
        return 2 * self.base(shape, dtype=dtype)

    def get_config(self):
        return {"base": keras.initializers.serialize(self.base)}


# -- what must be refused


@refuses("'gain'")
def needs_a_gain(shape, gain, rng):
    return gain


@refuses("'std' and 'mean'")
def needs_two_numbers(shape, std, mean):
    return mean


@refuses("parameter='0' or parameter='1'")
def returns_two(shape, rng):
    return rng.normal(size=shape), rng.normal(size=shape)


@refuses("parameter='W' or parameter='U' or parameter='b'")
def returns_a_dict(n_in, n_out):
    return {"W": np.zeros((n_in, n_out)), "U": np.zeros((n_in, n_out)), "b": np.zeros(n_out)}


@refuses("parameter='0.0' or parameter='0.1'")
def returns_pairs(layer_dims):
    return [(np.zeros((n, m)), np.zeros((n, m))) for m, n in itertools.pairwise(layer_dims)]


@refuses("'int' object is not subscriptable")
def widths_of_another_kind(nn_architecture):
    return np.zeros([layer["units"] for layer in nn_architecture])


@refuses("none of these names says how a shape is asked for; give what is no width a value")
def three_unknown_names(left, middle, right):
    return np.zeros((left, middle, right))


@refuses("is ambiguous")
def works_both_ways(u, v):
    if isinstance(u, tuple):
        return v.normal(size=u)
    return np.random.normal(size=(u, v))


@refuses("cannot be read")
def no_reading_works(thing):
    raise RuntimeError("never")


@refuses("takes no shape and returns")
def returns_a_number():
    return 3.0


@refuses("it raises RuntimeError: broken")
def factory_that_raises():
    raise RuntimeError("broken")


@refuses("'std' and 'dim'")
def factory_of_a_number_and_a_width(std, dim):
    return lambda tensor: nn.init.normal_(tensor, std=std / dim)


@refuses("'dim'")
def factory_of_a_width(dim):
    bound = dim**-0.5
    return lambda tensor: nn.init.uniform_(tensor, -bound, bound)


@refuses("the argument 'split_sizes'")
def numbers_beside_a_tensor(tensor: torch.Tensor, split_sizes: list[int]):
    for part in tensor.split(split_sizes):
        nn.init.orthogonal_(part)


@refuses("'hyper_in' and 'main_in'")
def widths_that_are_none(layer, hyper_in, main_in):
    nn.init.normal_(layer.weight, std=(hyper_in * main_in) ** -0.5)


@refuses("the arguments 'random_sign_prob' and 'input_scaling'")
def numbers_by_their_last_word(shape, random_sign_prob, input_scaling):
    return input_scaling * np.sign(np.random.rand(*shape) - random_sign_prob)


@refuses("the arguments 'fan' and 'a'")
def a_tensor_called_value(value: typing.Any, fan: int, a: float):
    value.data.uniform_(-a / fan, a / fan)


@refuses("It takes an object of another kind: pass a function of the shape")
def of_an_object(blueprint):
    return blueprint.weights


@refuses("Pass a function of the shape that calls it")
def of_keywords(**kwargs):
    return np.random.randn(*kwargs["shape"])


@refuses("'hidden_size'")
class NeedsAnArgument:
    def __init__(self, hidden_size):
        self.hidden_size = hidden_size

    def __call__(self, shape):
        return np.zeros(shape)


@refuses("has no method such as init")
class NoMethod:
    def run(self, shape):
        return np.zeros(shape)

    def stop(self, shape):
        return np.ones(shape)


refuses("cannot be called")(object())
refuses("'val'")(nn.init.constant_)
refuses("'scale' and 'mode' and 'distribution'")(jax.nn.initializers.variance_scaling)
refuses("base class")(keras.initializers.Initializer)
refuses("initializes nothing")(nn.init.calculate_gain)
