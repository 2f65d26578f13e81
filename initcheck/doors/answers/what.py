"""`what()` and `initcheck what X`: what every parameter of a layer, an initializer or a model starts from."""

from __future__ import annotations

import argparse
import dataclasses
import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from initcheck.adapters.classes import Method
from initcheck.adapters.frameworks.layer_weight import is_layer
from initcheck.adapters.signatures.frameworks import FRAMEWORKS, home
from initcheck.doors.answers.answer_file import write_json
from initcheck.errors import UsageError
from initcheck.layers.sampler import LayerSampler
from initcheck.starts.bare_layer import bare_sampler
from initcheck.starts.layer import laws_of_layer
from initcheck.starts.parameter_law import ParameterLaw
from initcheck.starts.plain import law_of_initializer
from initcheck.targets.loading import load, name_of
from initcheck.targets.modules import find_object
from initcheck.targets.text import parse


@dataclass(frozen=True)
class Start:
    """What something starts from.

    Attributes:
        name: the target.
        kind: ``layer``, ``initializer`` or ``model``.
        framework: whose it is.
        parameters: one law a parameter, in the framework's order.
    """

    name: str
    kind: str
    framework: str
    parameters: tuple[ParameterLaw, ...]

    def __str__(self) -> str:
        article = "an" if self.kind == "initializer" else "a"
        many = "s" * (len(self.parameters) != 1)
        head = f"{self.name}  {article} {self.kind} of {self.framework}, {len(self.parameters)} parameter{many}"
        return "\n".join([head, *(f"  {line}" for law in self.parameters for line in law.lines())])

    def as_dict(self) -> dict[str, Any]:
        """The same as plain data."""
        laws = [{**dataclasses.asdict(law), "shape": list(law.shape)} for law in self.parameters]
        return {"format": "initcheck-what/1", "target": self.name, "kind": self.kind, "framework": self.framework,
                "parameters": laws}  # fmt: skip


def what(target: Any, *, args: Mapping[str, Any] | None = None) -> tuple[Start, ...]:
    """Say what every parameter of a target starts from: law, formula, fans, gain, place in the source, PyTorch's kin.

    >>> import initcheck
    >>> [start] = initcheck.what("initcheck.gallery:he_normal")
    >>> start.parameters[0].text, start.parameters[0].called
    ('normal, std sqrt(2/fan_in): variance 2/fan_in', 'He (Kaiming) normal')

    Args:
        target: the text of a target, a layer class of PyTorch, Keras, Flax (linen, nnx) or Equinox, an initializer, or
            a function that builds a model of any of them.
        args: keyword arguments of the layer or the initializer.

    Raises:
        UsageError: there is no such target, or it can be built in no way that is known.
    """
    given = dict(args or {})
    name = target if isinstance(target, str) else name_of(target)
    found: Any = target
    if isinstance(target, str):
        text = parse(target)
        found, _ = find_object(text)
        given = {**text.args, **given}
    found = found.function if isinstance(found, Method) else found
    try:
        loaded = load(target, args=args)
    except UsageError as error:
        other = _bare(found, name, given)
        if other is None or _is_whole(found, other):
            other = _model(found, name, given) or other
        if other is None:
            raise error from None
        return (other,)
    starts = []
    for initializer in loaded.some(name):
        if isinstance(initializer.sampler, LayerSampler):
            laws, kind = tuple(laws_of_layer(initializer.sampler)), "layer"
        else:
            laws, kind = (law_of_initializer(initializer),), "initializer"
        starts.append(Start(initializer.name, kind, initializer.framework, laws))
    return tuple(starts)


def _bare(found: Any, name: str, args: Mapping[str, Any]) -> Start | None:
    if not isinstance(found, type) or is_layer(found) is None:
        return None
    sampler = bare_sampler(found, name, args)
    if sampler is None:
        return None
    try:
        laws = laws_of_layer(sampler)
    except UsageError:
        return None
    kind = sampler.builder.kind
    return Start(name, "layer", {"linen": "flax", "nnx": "flax"}.get(kind, kind), tuple(laws))


def _is_whole(found: type, read: Start) -> bool:
    """Whether a class of the user's holds layers, so that it is told as a model is: group by group, by its writes."""
    return home(found) not in FRAMEWORKS and any("." in law.name for law in read.parameters)


def _model(found: Any, name: str, args: Mapping[str, Any]) -> Start | None:
    """A whole model, where the target builds one."""
    if not callable(found):
        return None
    from initcheck.starts.model import laws_of_model  # models are built by rooms that a layer does not need

    factory = functools.partial(found, **args) if args else found
    try:
        framework, laws = laws_of_model(factory, name)
    except UsageError:
        return None
    return Start(name, "model", framework, tuple(laws))


def what_command(words: Sequence[str]) -> int:
    """Print what each target starts from; as JSON where that was asked for."""
    parser = argparse.ArgumentParser(
        prog="initcheck what",
        description="Say what every parameter of a layer, an initializer or a model starts from.",
    )
    parser.add_argument("targets", nargs="+", metavar="TARGET")
    parser.add_argument("--json", metavar="FILE", help="write the laws there as JSON ('-' prints them)")
    arguments = parser.parse_args(words)
    starts = [start for target in arguments.targets for start in what(target)]
    if arguments.json:
        write_json(starts, arguments.json)
    if arguments.json != "-":
        print("\n\n".join(str(s) for s in starts))
    return 0
