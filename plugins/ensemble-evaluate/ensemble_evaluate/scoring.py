"""Compares what was read with the truth, by every measure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs

from .cases import Case
from .notes import Agreement, align, compare, staves
from .omr_ned import Distance, omr_ned
from .reading import Reading
from .signs import Signs, signs


@attrs.frozen
class SignAccuracy:
    """Bars of the truth (on each staff), and in how many of them each sign is right."""

    bars: int = 0
    key: int = 0
    meter: int = 0
    clef: int = 0


@attrs.frozen
class Score:
    """One document read by one recognizer, judged.

    Attributes:
        case: Name of the document.
        recognizer: Who read it.
        status: ``ok``, ``partial`` or ``failed``.
        notes: Note F1, pitch F1, exact bars.
        signs: Bars with the right key, meter and clef.
        distance: OMR-NED of all objects; None when musicdiff gave no answer.
        basic: OMR-NED of notes, rests and signatures alone.
        unmeasured: Why there is no OMR-NED.
        seconds: Wall time per page inside the pipeline's steps.
        cpu_seconds, peak_mb: See :class:`~ensemble_evaluate.reading.Reading`.
        error, code: Why pages failed.
    """

    case: str
    recognizer: str
    status: str
    notes: Agreement
    signs: SignAccuracy
    distance: Distance | None
    basic: Distance | None
    unmeasured: str
    seconds: tuple[float, ...]
    cpu_seconds: float
    peak_mb: float
    error: str
    code: str


def read_truth(path: Path) -> bytes:
    """A truth as plain MusicXML.

    Raises:
        InputError: It is not a score.
    """
    from ensemble_core.musicxml import read_mxl

    return read_mxl(path) if path.suffix == ".mxl" else path.read_bytes()


def judge(
    case: Case, recognizer: str, reading: Reading, *, limit: float, cache: Path | None
) -> Score:
    """Compare a reading with its truth; a failed one has found nothing at all."""
    truth = read_truth(case.truth)
    found = reading.score.read_bytes() if reading.score else None
    differences = omr_ned(truth, found, limit, cache)
    return Score(
        case=case.name,
        recognizer=recognizer,
        status=reading.status,
        notes=compare(staves(truth), staves(found) if found else []),
        signs=sign_accuracy(truth, found),
        distance=differences.all,
        basic=differences.basic,
        unmeasured=differences.reason,
        seconds=reading.seconds,
        cpu_seconds=reading.cpu_seconds,
        peak_mb=reading.peak_mb,
        error=reading.error,
        code=reading.code,
    )


def sign_accuracy(truth: bytes, found: bytes | None) -> SignAccuracy:
    """In how many bars of the truth key, meter and clef are right.

    Bars are aligned by their notes, as for note F1; a bar that was lost has nothing right.
    """
    ours = signs(_root(truth))
    bars = sum(len(staff) for staff in ours)
    if found is None:
        return SignAccuracy(bars)
    theirs = signs(_root(found))
    pairs: list[tuple[Signs, Signs]] = []
    music = zip(staves(truth), staves(found), strict=False)
    for (a, b), left, right in zip(music, ours, theirs, strict=False):
        pairs += [(left[i], right[j]) for i, j in align(a, b)]
    return SignAccuracy(
        bars,
        sum(a.key == b.key for a, b in pairs),
        sum(a.meter == b.meter for a, b in pairs),
        sum(a.clefs == b.clefs for a, b in pairs),
    )


def _root(document: bytes) -> Any:
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
    return etree.fromstring(document, parser)


def count_staves(truth: bytes) -> int:
    """Staves of a score."""
    return len(staves(truth))
