"""One page, from gray pixels to bars of notes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import attrs

from ensemble_core.model import ConfigError, RecognitionError

from .options import SightreadOptions

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from .arcs import Arcs
    from .ledgers import Ledgers
    from .meaning import Reading
    from .meaning.music import Meter
    from .symbols import Seen


def read_page(
    gray: NDArray[np.uint8],
    options: SightreadOptions,
    threads: int = 1,
    progress: Callable[[float], None] = lambda done: None,
) -> Reading:
    """Read a page.

    Args:
        gray: The page, shape (height, width), 0 is ink.
        options: The recognizer's options.
        threads: How many threads the symbol detector may use.
        progress: Told how far the work is, 0 to 1; may raise to stop it.

    Raises:
        RecognitionError: No staff but of tablature, or no note or rest on any staff.
        ConfigError: ``options.time`` is not a time signature.
    """
    from .meaning import read

    meter = parse_time(options.time)
    seen, arcs, ledgers = see(gray, options, threads, progress)
    progress(0.8)
    reading = read(seen, meter, ledgers, arcs)
    if not any(bar.events for bar in reading.bars):
        raise RecognitionError(
            "there are staves but no notes on the page",
            hint="is it printed music in common notation?",
            code="no-music",
        )
    return reading


def see(
    gray: NDArray[np.uint8],
    options: SightreadOptions,
    threads: int = 1,
    progress: Callable[[float], None] = lambda done: None,
) -> tuple[Seen, Arcs, Ledgers]:
    """All that is seen on a page (staves, strokes, symbols).

    With it come what looks for ties and for ledger lines on the picture.
    """
    import numpy as np

    from .arcs import Arcs
    from .beside import Beside
    from .glyphs import LENIENT, look
    from .hairpins import find_hairpins
    from .ledgers import Ledgers
    from .multirests import find_multirests
    from .normalise import normalise
    from .octaves import find_octaves, without_signs
    from .structure import analyse
    from .symbols import SPACE
    from .voltas import find_voltas
    from .words import find_words, outside

    page = normalise(gray)
    progress(0.15)
    with Beside(threads) as beside:
        glance = look(page.image, threads, beside)
        progress(0.35)
        bones = analyse(page, glance.masks, beside)
        larger = float(np.median([staff.space.mean() for staff in bones.seen.staves])) / SPACE
        left_out = bones.seen.tablature
        if left_out and not 0.9 < larger < 1.1:  # it was the tablature that was measured
            page = normalise(gray, page.space * larger)
            glance = look(page.image, threads, beside)
            bones = analyse(page, glance.masks, beside)
        progress(0.6)
        cleared = bones.cleared
        kept = tuple(s for s in glance.symbols if s.confidence >= options.min_confidence)
        least = LENIENT * options.min_confidence
        faint = tuple(s for s in glance.faint if s.confidence >= least)
        seen = attrs.evolve(bones.seen, symbols=kept, faint=faint, tablature=left_out)
        rests = find_multirests(seen, bones.straight, page.image, threads)
        printed = cleared & page.ink  # bows that the net draws again would fill hairpins' tips
        pins = find_hairpins(bones.wordless & page.ink, kept, _thin(glance.masks))
        seen = attrs.evolve(seen, multirests=rests, hairpins=pins, curves=bones.curves())
        words = find_words(page, bones.outlines(), seen, glance.masks.get("text"), threads)
    seen = outside(seen, words)
    octaves = find_octaves(page, printed, glance.masks.get("line"), seen, threads)
    seen = attrs.evolve(seen, voltas=find_voltas(printed, seen), octaves=octaves)
    return without_signs(seen), Arcs(cleared, page.ink), Ledgers(page.image)


def _thin(masks: Mapping[str, NDArray[np.uint8]]) -> NDArray[np.uint8] | None:
    """How sure the net is of thin lines; of hairpins it may think that they are others."""
    import numpy as np

    if "hairpin" not in masks:
        return None
    lines = [masks[name] for name in ("hairpin", "curve", "line") if name in masks]
    return np.asarray(np.maximum.reduce(lines))


def parse_time(text: str) -> Meter | None:
    """The time signature an option names; None for ``auto``.

    Raises:
        ConfigError: It is neither ``auto`` nor like ``3/4``.
    """
    from .meaning.music import Meter

    if text == "auto":
        return None
    beats, _, beat_type = text.partition("/")
    if beats.isdigit() and 0 < int(beats) < 65 and beat_type in ("1", "2", "4", "8", "16", "32"):
        return Meter(int(beats), int(beat_type))
    raise ConfigError(f"time: {text!r} is not a time signature", hint="write it as 3/4, or auto")
