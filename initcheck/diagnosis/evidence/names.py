"""What the name of an initializer says of the activation it is for."""

from __future__ import annotations

import re

from initcheck.contract.contract import ACTIVATIONS


def activations_in(text: str) -> frozenset[str]:
    """The activations that a name speaks of.

    >>> sorted(activations_in("mynet.inits:he_leaky_relu")), sorted(activations_in("selu_layers:init"))
    (['leaky_relu', 'relu'], ['selu'])
    """
    plain = (
        re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", text).lower().replace("swish", "silu").replace("leakyrelu", "leaky_relu")
    )
    return frozenset(a for a in ACTIVATIONS if re.search(rf"(?<![a-z]){a}(?![a-z])", plain))


def speaks_of_he(text: str) -> bool:
    """Whether the name of an initializer is He's, and speaks of no activation and of no other scheme beside.

    >>> [speaks_of_he(t) for t in ("m:he_normal", "m:KaimingInit", "he:lecun", "m:the_init", "m:he_or_xavier")]
    [True, True, False, False, False]
    """
    own = re.match(r"[^ ]*:([^ (]+)", text)
    plain = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", own[1]).lower() if own else ""
    other = activations_in(plain) or re.search(r"xavier|glorot|lecun|orthog", plain)
    return bool(re.search(r"(?<![a-z])(he|kaiming|msra)(?![a-z])", plain)) and not other


def speaks_of_sines(text: str) -> bool:
    """Whether the name of an initializer, or of its module, is that of sine networks.

    >>> [speaks_of_sines(t) for t in ("m:sine_init", "siren:first_layer", "m:cosine_init", "m:business")]
    [True, True, False, False]
    """
    return bool(re.search(r"(?<![a-z])(siren|sine)s?(?![a-z])", text.lower()))
