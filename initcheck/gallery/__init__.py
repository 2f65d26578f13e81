"""Initializers from the papers, and the classic mistakes with the claims that must catch them.

>>> from initcheck.gallery import SPECIMENS
>>> next(s.fails for s in SPECIMENS if s.name == "swapped_fans")
('output-variance-near-one',)

``__all__`` holds initializers only, so that ``pytest --initcheck=initcheck.gallery`` checks each.
"""

from __future__ import annotations

from initcheck.gallery import mistakes, papers
from initcheck.gallery.mistakes import *  # noqa: F403 - the contents are the modules' own __all__
from initcheck.gallery.papers import *  # noqa: F403
from initcheck.gallery.specimen import Specimen as Specimen
from initcheck.gallery.specimen import specimens

__all__: list[str] = []
__all__ += papers.__all__
__all__ += mistakes.__all__

SPECIMENS: tuple[Specimen, ...] = specimens("initcheck.gallery.papers") + specimens("initcheck.gallery.mistakes")
