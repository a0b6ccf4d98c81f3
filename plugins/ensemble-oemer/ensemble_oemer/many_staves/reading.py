"""Reading a page with oemer's rules, however many staves its systems have."""

from __future__ import annotations

from pathlib import Path

from ensemble_core.model import Context, Diagnostic

from ..engine import load_oemer
from ..inference import Maps, Tell
from ..repair.choosing import choose
from ..retiming import retiming
from ..rules import one_at_a_time, read_maps
from .clefs import find_c_clefs
from .cutting import cut, find_ink
from .joining import join
from .layout import find_layout
from .lines import listening

KNOWN = 2
"""Staves a system that oemer's rules were made for."""


def read_page(
    picture: Path, maps: Maps, ctx: Context, tell: Tell, *, dewarp: bool, mend: bool = True
) -> bytes:
    """Make MusicXML of what the nets saw on a page; as :func:`~..rules.read_maps`.

    A page whose systems have one or two staves is read as it is; where oemer's bars do not come
    out even, their notes are timed anew (with ``mend``), and a diagnostic says so. Larger
    systems are cut into single staves, read in the same one pass, and joined as parts;
    diagnostics say so.

    Raises:
        RecognitionError: oemer's rules failed on the page.
    """
    ink = find_ink(maps, picture)
    layout = find_layout(maps.staves == 1, ink)
    ctx.check()
    with one_at_a_time:
        if layout.size <= KNOWN and not mend:
            return read_maps(picture, maps, ctx, tell, dewarp=dewarp, mend=False)
        if layout.size <= KNOWN:
            with retiming(load_oemer()) as accounts:
                data = read_maps(picture, maps, ctx, tell, dewarp=dewarp)
            chosen, changed = choose(data, accounts.other)
            if changed:
                ctx.report(_retimed(changed))
            return chosen
        with listening(load_oemer(), layout, find_c_clefs(maps, layout)) as lines:
            cut_maps = cut(maps, layout, ink)
            data = read_maps(picture, cut_maps, ctx, tell, dewarp=dewarp, mend=mend)
    joined = join(data, lines, layout, maps)
    for diagnostic in joined.diagnostics:
        ctx.report(diagnostic)
    return joined.musicxml


def _retimed(changed: int) -> Diagnostic:
    return Diagnostic(
        "info", "oemer-bars-retimed",
        f"{changed} bars: notes begin where the one before ends, not where oemer put them",
    )  # fmt: skip
