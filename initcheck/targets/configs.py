"""A config of transformers, as a class, an object or a file, becomes a function that builds its model."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from initcheck.errors import UsageError, refuse_unknown

_CONFIGS = ("PretrainedConfig", "PreTrainedConfig")
# Which head a config without `architectures` is built with: what is trained first with it.
_HEADS = (
    "AutoModelForSeq2SeqLM",
    "AutoModelForMaskedLM",
    "AutoModelForCausalLM",
    "AutoModelForImageClassification",
    "AutoModelForSpeechSeq2Seq",
    "AutoModelForCTC",
    "AutoModelForImageTextToText",
    "AutoModel",
)


def builder_of(obj: Any, args: Mapping[str, Any], text: str) -> Callable[[], Any] | None:
    """The function that builds the model of a config; None where the object is no config of transformers.

    Raises:
        UsageError: the class has no such argument, or transformers has no model for it.
    """
    if isinstance(obj, type) and _is_config(obj):
        return _builder(_made(obj, args, text), text)
    if _is_config(type(obj)):
        if args:
            raise UsageError(f"target {text!r} is a config already; it takes no arguments.")
        return _builder(obj, text)
    return None


def read_config(text: str) -> Callable[[], Any]:
    """The function that builds the model of a ``config.json``; nothing is downloaded and no code in it is run.

    Raises:
        UsageError: there is no such file, it is no config, or transformers is not installed.
    """
    path = Path(text).expanduser()
    if not path.is_file():
        raise UsageError(f"target {text!r}: there is no file {text!r} in {str(Path.cwd())!r}.")
    try:
        from transformers import AutoConfig
    except ImportError:
        raise UsageError(
            f"target {text!r} is a config of transformers, which is not installed; pip install transformers."
        ) from None
    try:
        config = AutoConfig.from_pretrained(str(path), trust_remote_code=False, local_files_only=True)
    except Exception as error:  # OSError, ValueError, and what the class of the config raises
        raise UsageError(f"target {text!r} is no config of transformers: {str(error).splitlines()[0]}") from None
    return _builder(config, text)


def is_builder(factory: Any) -> bool:
    """Whether a factory was made here: no line of the user's stands behind it."""
    return isinstance(factory, functools.partial) and factory.func is _build


def _is_config(cls: type) -> bool:
    return any(c.__name__ in _CONFIGS and c.__module__.startswith("transformers.") for c in cls.__mro__)


def _made(cls: type, args: Mapping[str, Any], text: str) -> Any:
    # A config takes whatever it is given; a misspelt name would be kept and change nothing.
    try:
        plain = cls()
        known = {*plain.to_dict(), *vars(plain), *getattr(cls, "attribute_map", {})}
    except Exception:  # a config that needs arguments
        known = set()
    if known:
        refuse_unknown(args, known, f"target {text!r}: {cls.__name__} has no")
    try:
        return cls(**args)
    except Exception as error:  # whatever the class checks
        raise UsageError(f"target {text!r}: {cls.__name__} cannot be made: {str(error).splitlines()[0]}") from None


def _builder(config: Any, text: str) -> Callable[[], Any]:
    import transformers

    for named in getattr(config, "architectures", None) or ():
        model = getattr(transformers, named, None)
        if model is not None:
            return functools.partial(_build, model._from_config, config)
    for name in _HEADS:
        auto = getattr(transformers, name, None)
        if auto is not None and type(config) in auto._model_mapping:  # its keys() would import every config
            kind = auto._model_mapping[type(config)]
            # Of several classes for one config transformers chooses by `architectures`, which nobody set.
            make = kind[0]._from_config if isinstance(kind, (tuple, list)) else auto.from_config
            return functools.partial(_build, make, config)
    raise UsageError(
        f"target {text!r}: transformers has no model for {type(config).__name__}; name the function that builds it."
    )


def _build(make: Callable[[Any], Any], config: Any) -> Any:
    # Building may write into the config.
    return make(copy.deepcopy(config))
