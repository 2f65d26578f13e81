"""Mistakes people make, one module for each family of claims that catches them."""

from __future__ import annotations

from initcheck.gallery.mistakes import (
    centering,
    distribution,
    fans,
    orthogonality,
    precision,
    promises,
    randomness,
    scale,
    symmetry,
)
from initcheck.gallery.mistakes.centering import *  # noqa: F403 - the contents are the modules' own __all__
from initcheck.gallery.mistakes.distribution import *  # noqa: F403
from initcheck.gallery.mistakes.fans import *  # noqa: F403
from initcheck.gallery.mistakes.orthogonality import *  # noqa: F403
from initcheck.gallery.mistakes.precision import *  # noqa: F403
from initcheck.gallery.mistakes.promises import *  # noqa: F403
from initcheck.gallery.mistakes.randomness import *  # noqa: F403
from initcheck.gallery.mistakes.scale import *  # noqa: F403
from initcheck.gallery.mistakes.symmetry import *  # noqa: F403

__all__: list[str] = []
__all__ += promises.__all__
__all__ += randomness.__all__
__all__ += symmetry.__all__
__all__ += centering.__all__
__all__ += scale.__all__
__all__ += fans.__all__
__all__ += distribution.__all__
__all__ += orthogonality.__all__
__all__ += precision.__all__
