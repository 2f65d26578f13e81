"""Which layer of a module of torch reads each argument first: followed through the code of forward, never run."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from torch import nn
from torch.nn.modules import conv

from initcheck.models.batches.arguments import code_of, function_of
from initcheck.models.batches.read import LAYERS, Read, inputs_of, outputs_of, smallest

_DEEPEST = 8
"""Calls inside calls that are followed."""
_KEPT = frozenset((
    "view", "reshape", "flatten", "squeeze", "unsqueeze", "expand", "expand_as", "repeat", "contiguous", "permute",
    "transpose", "swapaxes", "float", "double", "half", "long", "int", "to", "type", "type_as", "cpu", "cuda", "clone",
    "detach", "requires_grad_", "relu", "tanh", "sigmoid", "clamp",
))  # fmt: skip
"""Methods of a tensor that leave it the argument, in another layout."""
_TURNED = frozenset(("permute", "transpose", "swapaxes"))
_JOINED = frozenset(("cat", "concat", "concatenate", "hstack"))
_FUNCTIONS = frozenset(("torch", "F", "functional", "nn", "th"))
_PIXELS = (255, 256)
"""What pixels are divided by: the largest, or how many there are."""


@dataclass(frozen=True)
class _Part:
    """One part of a tensor: an argument, else numbers that a layer made, of unknown count where ``width`` is 0."""

    name: str = ""
    width: int = 0
    turned: bool = False
    added: bool = False
    pixels: bool = False
    each: int = 0
    along: int = 0


_Value = tuple[_Part, ...]
_LISTS = nn.ModuleList, nn.Sequential


def readers(model: nn.Module) -> dict[str, Read]:
    """Arguments of ``forward`` and the layers that read them first; the keys that it takes of ``**kwargs`` too.

    >>> class Net(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.label, self.body = nn.Embedding(10, 4), nn.Sequential(nn.ReLU(), nn.Linear(24, 2))
    ...     def forward(self, noise, labels):
    ...         return self.body(torch.cat([noise, self.label(labels)], -1))

    Its code is read where it stands in a file:

    >>> readers(nn.Bilinear(2, 3, 4))
    {}

    Args:
        model: nothing of it is run.
    """
    if isinstance(model, nn.RNNCellBase):
        return {"input": Read(model), "hx": Read(model, 1, parts=2 if isinstance(model, nn.LSTMCell) else 0)}
    following, function = _Following(), function_of(model)
    code = code_of(function)
    if code is None:
        return {}
    own = [a.arg for a in (*code.args.posonlyargs, *code.args.args, *code.args.kwonlyargs)][1:]
    following.through(model, function, {name: (_Part(name),) for name in own}, 0, top=True)
    return following.found


class _Following:
    """What is known while the code of one model is followed."""

    def __init__(self) -> None:
        self.found: dict[str, Read] = {}
        self.several: list[_Value] = []

    def through(
        self, module: nn.Module, function: Any, given: Mapping[str, _Value], depth: int, *, top: bool = False
    ) -> _Value:
        """Follow one function of a module; what it returns first."""
        code = code_of(function)
        if code is None or depth > _DEEPEST:
            return ()
        frame = _Frame(self, module, code, dict(given), depth, top)
        frame.run(code.body)
        self.several = frame.several
        return frame.returned

    def reads(self, value: _Value, layer: nn.Module, place: int = 0, *, flat: bool = False) -> None:
        """A layer is given this."""
        named = [p for p in value if p.name]
        unknown = sum(not (p.name or p.width) for p in value)
        if not named or (unknown and not isinstance(layer, conv._ConvNd)):
            return
        # Of channels that nothing tells: one plane each, as a label or a place in the image is.
        left = inputs_of(layer) - sum(p.width for p in value) - unknown
        wide, more = divmod(left, len(named)) if len(value) > 1 else (0, 0)
        if wide < 1 and len(value) > 1:
            return
        for part in named:
            read = Read(layer, place, wide + more, part.turned, part.added, part.pixels, 0, part.each, part.along, flat)
            self.found.setdefault(part.name, read)
            more = 0  # what does not divide, the first has

    def called(self, module: nn.Module, args: list[_Value], kwargs: Mapping[str, _Value], depth: int) -> _Value:
        """What a module makes of its arguments, as far as that is known."""
        first = args[0] if args else next(iter(kwargs.values()), ())
        if isinstance(module, LAYERS):
            offsets = args[1] if len(args) > 1 else kwargs.get("offsets", ())
            bags = bool(offsets) and isinstance(module, nn.EmbeddingBag)
            self.reads(first, module, flat=bags)
            if bags:
                self.reads(offsets, module, 1)
            recurrent = isinstance(module, (nn.RNNBase, nn.RNNCellBase))
            if recurrent:
                self._state(args[1] if len(args) > 1 else kwargs.get("hx", ()), module)
            if isinstance(module, nn.MultiheadAttention):
                for value in args[1:3]:
                    self.reads(value, module)
            wide = outputs_of(module)
            return (_Part(width=wide),) if wide else ()
        if isinstance(module, nn.Sequential):
            for child in module:
                first = self.called(child, [first], {}, depth)
            return first
        if type(module).__module__.startswith("torch.nn."):
            return first if not any(True for _ in module.parameters()) else ()
        function = function_of(module)
        return self.through(module, function, _bound(function, args, kwargs), depth + 1)

    def _state(self, value: _Value, layer: nn.Module) -> None:
        parts = 2 if isinstance(layer, (nn.LSTM, nn.LSTMCell)) and len(value) == 1 else 0
        for part in value:
            if part.name:
                self.found.setdefault(part.name, Read(layer, 1, added=part.added, parts=parts))


class _Frame:
    """One call of a function: its variables, and the modules that its loops run over."""

    def __init__(
        self, following: _Following, module: nn.Module, code: ast.FunctionDef, values: dict[str, _Value], depth: int,
        top: bool,
    ) -> None:  # fmt: skip
        self._following, self._module, self._depth = following, module, depth
        self._values = values
        self._own = code.args.args[0].arg if code.args.args else ""
        self._keys = code.args.kwarg.arg if code.args.kwarg and top else None
        self._modules: dict[str, Any] = {self._own: module}
        self._counters: dict[str, int] = {}
        self.returned: _Value = ()
        self.several: list[_Value] = []

    def run(self, body: Iterable[ast.stmt]) -> None:
        """Statements in their order; of a branch both ways, of a loop its first round."""
        for statement in body:
            if isinstance(statement, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
                targets: list[ast.expr] = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
                self._assign(targets, statement)
            elif isinstance(statement, ast.Return):
                if isinstance(statement.value, ast.Tuple):
                    self.several = self.several or [self._value(one) for one in statement.value.elts]
                    self.returned = self.returned or next(filter(None, self.several), ())
                else:
                    self.returned = self.returned or self._value(statement.value)
            elif isinstance(statement, ast.For):
                self._loop(statement.iter, statement.target)
                self.run(statement.body)
            elif isinstance(statement, (ast.If, ast.While)):
                self.run(statement.body)
                self.run(statement.orelse)
            elif isinstance(statement, (ast.With, ast.Try)):
                self.run(statement.body)
            elif isinstance(statement, ast.Expr):
                self._value(statement.value)

    def _assign(self, targets: list[ast.expr], statement: ast.Assign | ast.AnnAssign | ast.AugAssign) -> None:
        self._following.several = []
        made = self._value(statement.value)
        several = self._following.several
        if isinstance(statement.value, ast.Tuple):
            several = [self._value(one) for one in statement.value.elts]
        for target in targets:
            if isinstance(target, ast.Name):
                old = self._values.get(target.id, ())
                self._values[target.id] = _beside(old, made) if isinstance(statement, ast.AugAssign) else made
            elif isinstance(target, ast.Tuple):
                several = several if len(several) == len(target.elts) else [()] * len(target.elts)
                for one, value in zip(target.elts, several, strict=True):
                    if isinstance(one, ast.Name):
                        self._values[one.id] = value

    def _loop(self, over: ast.expr, target: ast.expr) -> int:
        """The first round of a loop over layers, several lists of them side by side, or layers and arguments.

        Returns:
            How many rounds it has; 0 where that is not known.
        """
        called = getattr(over.func, "id", "") if isinstance(over, ast.Call) else ""
        inside = over.args if isinstance(over, ast.Call) else [over]
        rounds = next((len(m) for one in inside for m in map(self._object, ast.walk(one)) if isinstance(m, _LISTS)), 0)
        names = target.elts if isinstance(target, ast.Tuple) else [target]
        if called == "enumerate" and len(names) == 2:
            self._counters |= {names[0].id: rounds} if isinstance(names[0], ast.Name) and rounds else {}
            self._loop(inside[0], names[1])
        elif called == "range" and isinstance(target, ast.Name):
            self._counters |= {target.id: rounds} if rounds else {}
        elif called == "zip" and len(names) == len(inside):
            for one, name in zip(inside, names, strict=True):
                self._loop(one, name)
                if isinstance(name, ast.Name) and rounds and not isinstance(self._object(one), _LISTS):
                    self._values[name.id] = tuple(replace(p, each=rounds) for p in self._value(one))
        elif isinstance(target, ast.Name) and isinstance(found := self._object(over), _LISTS) and len(found):
            self._modules[target.id] = smallest(found)
        return rounds

    def _object(self, node: ast.AST) -> Any:
        """The module, method or parameter that an expression names; None where it names none."""
        if isinstance(node, ast.Name):
            return self._modules.get(node.id)
        if isinstance(node, ast.Attribute):
            return _attribute(self._object(node.value), node.attr)
        if isinstance(node, ast.Subscript):
            owner = self._object(node.value)
            if isinstance(owner, _LISTS) and len(owner):
                if not isinstance(node.slice, ast.Constant):
                    return smallest(owner)
                key = node.slice.value
                return owner[key] if isinstance(key, int) and -len(owner) <= key < len(owner) else None
            if isinstance(owner, nn.ModuleDict) and isinstance(node.slice, ast.Constant):
                return owner._modules.get(str(node.slice.value))
        return None

    def _value(self, node: ast.expr | None) -> _Value:
        if isinstance(node, ast.Name):
            return self._values.get(node.id, ())
        if isinstance(node, ast.Call):
            return self._call(node)
        if isinstance(node, (ast.Tuple, ast.List)):
            return tuple(part for one in node.elts for part in self._value(one) or (_Part(),))
        if isinstance(node, ast.IfExp):
            return self._value(node.body) or self._value(node.orelse)
        if isinstance(node, ast.BinOp):
            return self._operation(node)
        if isinstance(node, ast.UnaryOp):
            return self._value(node.operand)
        if isinstance(node, (ast.ListComp, ast.GeneratorExp)):
            rounds = [self._loop(loop.iter, loop.target) for loop in node.generators]
            return self._value(node.elt) * max(1, *rounds)
        if isinstance(node, ast.Subscript):
            return self._item(node)
        return ()

    def _operation(self, node: ast.BinOp) -> _Value:
        left, right = self._value(node.left), self._value(node.right)
        if any(isinstance(side, (ast.List, ast.ListComp)) for side in (node.left, node.right)):
            return left + right
        if isinstance(node.op, ast.MatMult):
            weight = self._object(node.right)
            if isinstance(weight, nn.Parameter) and weight.dim() == 2:
                return self._following.called(
                    nn.Linear(weight.shape[0], weight.shape[1], device="meta"), [left], {}, self._depth
                )
            return ()
        if isinstance(node.op, ast.Div) and getattr(node.right, "value", None) in _PIXELS:
            return tuple(replace(p, pixels=True) for p in left)
        made = _beside(left, right)
        for part in (*left, *right):
            if part.name and made and not made[0].name:  # numbers beside what a layer made: as many as that
                self._following.found.setdefault(part.name, Read(nn.Linear(made[0].width, 1, device="meta")))
        return made

    def _item(self, node: ast.Subscript) -> _Value:
        key = node.slice
        if isinstance(node.value, ast.Name) and node.value.id == self._keys:
            return (_Part(str(key.value)),) if isinstance(key, ast.Constant) else ()
        if isinstance(key, ast.Constant) and isinstance(key.value, str):  # one part of an argument that is a dict
            whole_of = self._value(node.value)
            return (_Part(f"{whole_of[0].name}.{key.value}"),) if len(whole_of) == 1 and whole_of[0].name else ()
        table = self._object(node.value)
        if isinstance(table, nn.Parameter) and table.dim() == 2:
            return self._following.called(
                nn.Embedding(table.shape[0], table.shape[1], device="meta"), [self._value(key)], {}, self._depth
            )
        axes = key.elts if isinstance(key, ast.Tuple) else [key]
        if isinstance(axes[-1], ast.Name) and axes[-1].id in self._counters and len(axes) < 3:
            each, along = self._counters[axes[-1].id], len(axes) - 1
            return tuple(replace(p, each=each, along=along) for p in self._value(node.value))
        # A new axis, or a part of the last one, is no argument any more.
        new = any(isinstance(k, ast.Constant) and k.value in (None, ...) for k in axes)
        return () if new or len(axes) > 2 else self._value(node.value)

    def _call(self, node: ast.Call) -> _Value:
        args = [self._value(a) for a in node.args]
        kwargs = {k.arg: self._value(k.value) for k in node.keywords if k.arg}
        found = self._object(node.func)
        if isinstance(found, nn.Module):
            return self._following.called(found, args, kwargs, self._depth)
        if inspect.isfunction(found) and isinstance(node.func, ast.Attribute):
            owner = self._object(node.func.value)
            return self._following.through(owner, found, _bound(found, args, kwargs), self._depth + 1)
        if not isinstance(node.func, ast.Attribute):
            return args[0] if args and getattr(node.func, "id", "") in ("rearrange", "repeat") else ()
        name, owner_name = node.func.attr, getattr(node.func.value, "id", getattr(node.func.value, "attr", ""))
        if owner_name in _FUNCTIONS:
            return self._function(name, node, args)
        value = self._value(node.func.value)
        if name in _TURNED:
            return tuple(replace(p, turned=not p.turned) for p in value)
        if name == "unsqueeze" and node.args and isinstance(node.args[0], (ast.Constant, ast.UnaryOp)):
            front = getattr(node.args[0], "value", None) == 0
            return tuple(replace(p, added=True) for p in value) if front else ()
        if name in ("view", "reshape", "flatten"):
            return tuple(p if p.name else _Part() for p in value)
        return value if name in _KEPT else ()

    def _function(self, name: str, node: ast.Call, args: list[_Value]) -> _Value:
        """A function of torch: some join, some multiply by a parameter, most leave the layout as it is."""
        if name in _JOINED:
            more = [k.value for k in node.keywords if k.arg == "dim"]
            axis = next(iter([*node.args[1:2], *more]), None)
            one = next((replace(p) for p in args[0] if p.name), None) if args else None
            if isinstance(axis, ast.Constant) and axis.value == 0 and one is not None:
                return (one,)  # more of them, each as wide
            return args[0] if args else ()
        if name in ("mul", "add") and len(args) > 1:
            return self._operation(ast.BinOp(node.args[0], ast.Add(), node.args[1]))
        weight = self._object(node.args[1]) if len(node.args) > 1 else None
        if name == "linear" and isinstance(weight, nn.Parameter) and weight.dim() == 2:
            layer = nn.Linear(weight.shape[1], weight.shape[0], device="meta")
            return self._following.called(layer, args[:1], {}, self._depth)
        if name == "one_hot" and len(node.args) > 1:
            return ()
        return args[0] if args and name not in ("stack", "einsum", "matmul", "bmm", "zeros", "ones", "linear") else ()


def _beside(one: _Value, two: _Value) -> _Value:
    """Two tensors that are added or multiplied: what is known of either, rather what a layer made."""
    made = [v for v in (one, two) if len(v) == 1 and not v[0].name and v[0].width]
    return made[0] if made else one or two


def _attribute(owner: Any, name: str) -> Any:
    """A module, a parameter or a function of the class; nothing is computed."""
    if not isinstance(owner, nn.Module):
        return None
    for kept in (owner._modules, owner._parameters):
        if name in kept:
            return kept[name]
    found = inspect.getattr_static(owner, name, None)
    return found if inspect.isfunction(found) else None


def _bound(function: Any, args: list[_Value], kwargs: Mapping[str, _Value]) -> dict[str, _Value]:
    """Values by the names of a method's parameters."""
    code = code_of(function)
    if code is None:
        return {}
    names = [a.arg for a in (*code.args.posonlyargs, *code.args.args)][1:]
    return dict(zip(names, args, strict=False)) | dict(kwargs)
