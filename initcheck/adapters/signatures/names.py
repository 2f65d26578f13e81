"""What the parameters of initializers are called in public code, by role: names and annotations."""

from __future__ import annotations

import re

__all__ = [
    "ANNOTATIONS",
    "CHANNELS",
    "HYPERPARAMETERS",
    "LABELS",
    "PARTS",
    "ROLE_OF_NAME",
    "SIDES_OR_WIDTHS",
    "SIZES",
    "WIDTHS_IN",
    "WIDTHS_OF_LAYERS",
    "WORDS_IN",
    "WORDS_OF_LAYERS",
    "WORDS_OF_NUMBERS",
    "WORDS_OF_SIZES",
    "WORDS_OF_WIDTHS",
    "WORDS_OUT",
]

# Role and a pattern for the text of an annotation; the first that is found decides.
ANNOTATIONS = tuple(
    (role, re.compile(pattern))
    for role, pattern in (
        ("random_state", r"\bRandomState\b"),
        ("torch_generator", r"\btorch\b[\w.]*\.Generator\b"),
        ("rng", r"\bGenerator\b(?!\[)"),
        ("python_random", r"\brandom\.Random\b|^Random$"),
        ("key", r"PRNGKey|KeyArray|\bKey\["),
        ("rngs", r"\bRngs\b|\bRngStream\b"),
        ("dtype", r"\bd_?type\b|\bDType|\bDtype"),
        ("tensors", r"\b([Tt]uple|[Ll]ist|Sequence|Iterable|Iterator)\[[\w.]*\b(Tensor|Parameter)\b"),
        ("module", r"\bModule\b|\bnn\.(Linear|Conv)|\bmodules\.(linear|conv)\."),
        (
            "shape",
            r"\b([Tt]uple|[Ll]ist|Sequence|Iterable)\[(builtins\.)?int\b|\bShape(Like)?\b|\btorch\.Size\b",
        ),
        ("tensor", r"\btorch[\w.]*\.Tensor\b|^Tensor$|\b(Uninitialized)?Parameter\b|\bndarray\b|\bNDArray\b"),
    )
)

_IN = """
    in_features in_channels input_size n_x in1_features in_dim input_dim in_size num_inputs fan_in d_in n_in
    dim_in nin n_inputs n_input inputs in_units num_in fanin input_units in_ch cin c_in ni n_prev prev
    input_features in inp size_in from_dim source rows_in in_planes inplanes in_feats din
    indim layer_in
"""
_OUT = """
    out_features out_channels units n_y features filters output_dim out_dim out_size num_outputs fan_out d_out
    n_out dim_out output_size nout n_outputs n_output outputs out_units num_out fanout output_units out_ch
    cout c_out no n_curr curr output_features out outp size_out to_dim target out_planes planes out_feats
    dout outdim layer_out n_units num_units n_neurons neurons
"""
# Numbers and choices that only the user knows: never guessed, never given a generator.
_HYPER = """
    gain scale std stddev sigma sd mode nonlinearity nonlin value val alpha beta mean mu bound limit low
    high lo hi sparsity density distribution dist activation act act_fn variance var factor loc init_range
    initializer_range bias cfg config name depth n_layers num_layers layers method kind scheme init
    init_type type minval maxval a_min a_max radius spectral_radius gamma eps leak slope negative_slope
    fan min max temperature p prob num_heads groups initialization initialisation initializer scaling
"""

WIDTHS_IN = frozenset(_IN.split())
HYPERPARAMETERS = frozenset(_HYPER.split())
_NAMES = {
    "shape": "shape size sz shp dimensions dims weight_size sizes",
    "rng": "rng generator gen prng np_rng numpy_rng random rand rnd rs",
    "random_state": "random_state randomstate rstate",
    "seed": "seed random_seed rng_seed rngseed",
    "key": "key prng_key prngkey rng_key subkey jax_key jkey",
    "rngs": "rngs",
    "tensor": "tensor t w weight weights param parameter arr array matrix mat buf",
    "module": "m module layer model net mod network linear conv submodule lin fc",
    "dtype": "dtype data_type dt param_dtype torch_dtype weight_dtype",
    "in": _IN,
    "out": _OUT,
    "rows": "rows n_row n_rows nrows num_rows d0 dim0 height row n1 dim1 m_rows",
    "cols": "cols n_col n_cols ncols num_cols d1 width columns n_columns col n2 dim2",
    "kernel": "kernel_size ksize kernel filter_size k_size receptive_field",
}
ROLE_OF_NAME = {name: role for role, names in _NAMES.items() for name in names.split()}

# The widths of a whole network in one list: layer_dims, layers_sizes, network_architecture.
WIDTHS_OF_LAYERS = re.compile(
    r"(nn_|net_?|network_|mlp_)?(layer_?(dims|dimensions|sizes|widths)|"
    r"layers_?(dims?|dimensions?|sizes?|shapes?|units|widths|structure|nodes|spec))|"
    r"(nn_|net_?|network_|mlp_)(dims?|sizes?|shape|widths|layers|structure|architecture)|architecture|topology"
)

# Several numbers that are the sides of a matrix or, as likely, the widths of a network's layers.
SIDES_OR_WIDTHS = frozenset(["sizes", "dims", "dimensions", "widths"])

# One number or several: the side of a square where a function of a shape fails.
SIZES = frozenset(["size", "sz"])

# What code that tells its parameters apart by name calls that name: beside a tensor it is passed "weight".
LABELS = frozenset(["name", "desc", "param_name", "parameter_name", "var_name", "_"])

# Words that make a number of a longer name where they end it: input_scaling, random_sign_prob.
_NUMBERS = """
    scale scaling std stddev gain radius density sparsity prob probability rate ratio fraction factor
"""
WORDS_OF_NUMBERS = frozenset(_NUMBERS.split())

# Ending a name that mentions randomness, they say that it is none: key_dim, seed_size, random_features.
WORDS_OF_SIZES = frozenset(["size", "dim", "dims", "features", "fn", "func", "mag"])

# Beside channels, a bare k is the side of a kernel.
CHANNELS = frozenset(["in_ch", "in_c", "cin", "c_in", "in_channels", "in_planes", "inplanes"])

# Before "layer" they say which kind it is: linear_layer. Others say which number: prev_layer, n_layer.
WORDS_OF_LAYERS = frozenset(["linear", "dense", "fc", "conv", "embedding", "embed", "emb", "nn", "torch"])

# Words that make a width of a longer name: prev_neurons, outgoing_dim.
WORDS_IN = frozenset(["in", "input", "inputs", "incoming", "prev", "previous", "from", "src", "source"])
WORDS_OUT = frozenset(["out", "output", "outputs", "outgoing", "next", "to", "target"])
# Beside one of those, in the constructor of a layer: features_in, in_f. Others say something else: input_dropout.
_COUNTED = """
    f feat feats feature features d dim dims n num c ch chan chans channel channels size sz unit units node nodes
    neuron neurons plane planes width nr count
"""
WORDS_OF_WIDTHS = frozenset(_COUNTED.split())

# Tried in this order on names that are in no list.
PARTS = (
    ("shape", "shape"),
    ("key", "key"),
    ("rng", "rng"),
    ("seed", "seed"),
    ("generator", "rng"),
    ("rand", "rng"),
    ("dtype", "dtype"),
    ("tensor", "tensor"),
    ("module", "module"),
)
