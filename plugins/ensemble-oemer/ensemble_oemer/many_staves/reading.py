"""Reading a page with oemer's rules, however many staves its systems have."""

from __future__ import annotations

import threading
from pathlib import Path

from ensemble_core.model import Context

from ..engine import load_oemer
from ..inference import Maps, Tell
from ..rules import read_maps
from .clefs import find_c_clefs
from .cutting import cut, find_ink
from .joining import join
from .layout import find_layout
from .lines import listening

_one_at_a_time = threading.Lock()
"""While one page is listened to, no other may be read: oemer's builder is replaced."""

KNOWN = 2
"""Staves a system that oemer's rules were made for."""


def read_page(picture: Path, maps: Maps, ctx: Context, tell: Tell, *, dewarp: bool) -> bytes:
    """Make MusicXML of what the nets saw on a page; as :func:`~..rules.read_maps`.

    A page whose systems have one or two staves is read as it is. Larger systems are cut into
    single staves, read in the same one pass, and joined as parts; diagnostics say so.

    Raises:
        RecognitionError: oemer's rules failed on the page.
    """
    ink = find_ink(maps, picture)
    layout = find_layout(maps.staves == 1, ink)
    ctx.check()
    with _one_at_a_time:
        if layout.size <= KNOWN:
            return read_maps(picture, maps, ctx, tell, dewarp=dewarp)
        with listening(load_oemer(), layout, find_c_clefs(maps, layout)) as lines:
            data = read_maps(picture, cut(maps, layout, ink), ctx, tell, dewarp=dewarp)
    joined = join(data, lines, layout, maps)
    for diagnostic in joined.diagnostics:
        ctx.report(diagnostic)
    return joined.musicxml
