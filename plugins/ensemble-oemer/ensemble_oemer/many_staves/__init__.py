"""Systems of three or more staves, which oemer's rules do not know.

oemer's rules pair staves: given three they regroup them silently, four they read one after
another. Here the staves and systems are found in oemer's own class maps, what joins the
staves is cut, so that the rules read every staff by itself in *one* pass, and the lines of
music that come of it are put side by side, as the parts of one score.
"""

from __future__ import annotations

from .bars import Bar
from .clefs import CClef, find_c_clefs
from .cutting import cut, find_ink
from .joining import join
from .layout import Layout, Staff, find_layout
from .lines import Lines, listening
from .reading import read_page

__all__ = [
    "Bar",
    "CClef",
    "Layout",
    "Lines",
    "Staff",
    "cut",
    "find_c_clefs",
    "find_ink",
    "find_layout",
    "join",
    "listening",
    "read_page",
]
