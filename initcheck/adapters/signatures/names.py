"""What the parameters of initializers are called in public code, by role: names and annotations."""

from __future__ import annotations

import re
import tomllib
from importlib.resources import files

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

# The table of names: one for functions and for the constructors of layers.
_TABLE = tomllib.loads(files("initcheck.adapters.signatures").joinpath("names.toml").read_text(encoding="utf-8"))
_WORDS = {kind: frozenset(words.split()) for kind, words in _TABLE["words"].items()}


def _roles(*parts: str) -> dict[str, str]:
    return {name: role for part in parts for role, names in _TABLE[part].items() for name in names.split()}


ROLE_OF_NAME = _roles("both", "functions")
ROLE_IN_LAYERS = _roles("both", "layers")
WIDTHS_IN = frozenset(_TABLE["both"]["in"].split())
HYPERPARAMETERS = _WORDS["numbers"]
WORDS_OF_NUMBERS = _WORDS["ending_numbers"]
WORDS_OF_SIZES = _WORDS["ending_sizes"]
CHANNELS = _WORDS["channels"]
WORDS_OF_LAYERS = _WORDS["layers"]
WORDS_IN = _WORDS["in"]
WORDS_OUT = _WORDS["out"]
WORDS_OF_WIDTHS = _WORDS["counted"]
SIDES_OR_WIDTHS = _WORDS["sides_or_widths"]
SIZES = _WORDS["sizes"]
LABELS = _WORDS["labels"]
TABLE_ROWS = _WORDS["table_rows"]
TABLE_COLUMNS = _WORDS["table_columns"]

# The widths of a whole network in one list: layer_dims, layers_sizes, network_architecture.
WIDTHS_OF_LAYERS = re.compile(
    r"(nn_|net_?|network_|mlp_)?(layer_?(dims|dimensions|sizes|widths)|"
    r"layers_?(dims?|dimensions?|sizes?|shapes?|units|widths|structure|nodes|spec))|"
    r"(nn_|net_?|network_|mlp_)(dims?|sizes?|shape|widths|layers|structure|architecture)|architecture|topology"
)

# Which nodes of a graph are joined, as a matrix of all pairs.
NEIGHBOURS = re.compile(r"A|(?i:adj\w*|a_?(hat|norm|tilde)|laplacian|supports?)")

# The width between: n_h, hidden_size, num_hidden_units; a number of hidden layers is none.
HIDDEN = re.compile(
    r"n_?h|h_?(dim|size)|(n_?|num_|dim_?|size_|nb_?)?hid(den)?(_?(dim|size|units|nodes|neurons|features|layer_size))?"
)
# The widths between, in a list: hidden_sizes, hidden_size_list.
HIDDEN_WIDTHS = re.compile(
    r"hidden_(layer_?)?((size|dim|dimension|width)s|\w+_list)|hidden_layer_(units|nodes|neurons)"
)

# Tried in this order on names that are in no list.
NAME_PARTS = (
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


def width_by_words(name: str) -> str | None:
    """A width by its words, in_f or features_out or glued inputnodes; every other word must be one that counts units.

    >>> width_by_words("features_in"), width_by_words("outputnodes"), width_by_words("input_dropout")
    ('in', 'out', None)
    """
    plain = name.strip("_").lower()
    words = set(filter(None, re.split(r"[_\d]+", plain)))
    if len(words) == 1:
        words = _glued(plain) or words
    for role, telling in (("in", WORDS_IN), ("out", WORDS_OUT)):
        if words & telling and words - telling and words <= telling | WORDS_OF_WIDTHS:
            return role
    return None


def _glued(word: str) -> set[str] | None:
    """The two words that a name is glued of, one that tells a side and one that counts: ``nodesin``."""
    for place in range(2, len(word) - 1):
        halves = {word[:place], word[place:]}
        if halves & (WORDS_IN | WORDS_OUT) and any(h in WORDS_OF_WIDTHS and len(h) > 1 for h in halves):
            return halves
    return None
