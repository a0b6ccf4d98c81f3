"""Runs as a process of its own: OMR-NED between two scores, by musicdiff.

    python -c "from ensemble_evaluate.difference import main; main()" TRUTH FOUND ANSWER

OMR-NED is musicdiff's: the edit distance between the symbols of both scores, divided by
the number of symbols in both (https://github.com/gregchapman-dev/musicdiff). ``FOUND`` may
be ``-``: nothing was read, all of the truth is missing.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

KINDS = {
    "note": "notes and rests", "space": "notes and rests", "pitch": "notes and rests",
    "pitchname": "notes and rests", "pitchtype": "notes and rests",
    "head": "note heads", "noteshape": "note heads", "noteheadfill": "note heads",
    "noteheadparenthesis": "note heads", "beam": "flags and beams", "dot": "dots",
    "tuplet": "tuplets", "accident": "accidentals", "stemdirection": "stems",
    "grace": "grace notes", "graceslash": "grace notes", "tie": "ties",
    "articulation": "articulations", "expression": "ornaments and fermatas", "slur": "slurs",
    "lyric": "lyrics", "lyricnum": "lyrics", "lyricid": "lyrics", "lyricoffset": "lyrics",
    "clef": "clefs", "keysig": "keys", "timesig": "meters", "tempo": "tempo marks",
    "barline": "bar lines", "repeat": "bar lines", "direction": "directions",
    "dynamic": "dynamics", "crescendo": "hairpins", "diminuendo": "hairpins",
    "rehearsalmark": "rehearsal marks",
    "ottava": "ottavas", "arpeggio": "arpeggios", "tremolo": "tremolos", "ending": "endings",
    "chordsym": "chord symbols", "staffinfo": "staff lines", "staffgrp": "staff groups",
    "bar": "whole bars", "part": "whole staves", "voice": "voices",
}  # fmt: skip
"""What musicdiff's edit operations are about."""

_FACETS = ("content", "symbol", "info", "offset", "duration", "style", "name", "abbreviation",
           "bartogether", "partindices", "key", "value")  # fmt: skip


def kind_of(operation: str, extra: str = "") -> tuple[str, str]:
    """What an edit operation is about, and whether it is ``missed``, ``invented`` or ``changed``.

    musicdiff is asked how to turn the reading into the truth, so what it inserts was missed.
    """
    word, how = operation, "changed"
    for mark, meaning in (("ins", "missed"), ("del", "invented"), ("edit", "changed")):
        if word.startswith(mark):
            word, how = word.removeprefix(mark), meaning
        elif word.endswith(mark):
            word, how = word.removesuffix(mark), meaning
        else:
            continue
        break
    word = word.replace("extra", extra) if extra else word
    for facet in _FACETS:
        if word not in KINDS and word.endswith(facet):
            word = word.removesuffix(facet)
    return KINDS.get(word, word or "other"), how


def main() -> None:
    """Compare and write the answer as JSON."""
    truth, found, out = sys.argv[1:4]
    answer = differ(Path(truth), None if found == "-" else Path(found))
    Path(out).write_text(json.dumps(answer), encoding="utf-8")


def differ(truth: Path, found: Path | None) -> dict[str, Any]:
    """OMR-NED of all objects, with what it is made of, and of notes and signatures alone."""
    import converter21
    from musicdiff.detaillevel import DetailLevel

    sys.setrecursionlimit(20_000)  # musicdiff recurses once a bar, and more than once a note
    converter21.register()
    right, left = _parse(truth), _parse(found)
    everything = _compare(left, right, DetailLevel.AllObjects)
    basic = _compare(left, right, DetailLevel.NotesAndRests | DetailLevel.Signatures)
    basic.pop("kinds")
    return {"all": everything, "basic": basic}


def _parse(path: Path | None) -> Any:
    import music21

    if path is None:
        return music21.stream.Score()
    return music21.converter.parse(path, forceSource=True)


def _compare(found: Any, truth: Any, detail: int) -> dict[str, Any]:
    from musicdiff.annotation import AnnScore
    from musicdiff.comparison import Comparison

    left, right = AnnScore(found, detail), AnnScore(truth, detail)
    operations, edits = Comparison.annotated_scores_diff(left, right)
    kinds: dict[str, dict[str, int]] = {}
    for operation in operations:
        extra = getattr(operation[1] or operation[2], "kind", "") or ""
        kind, how = kind_of(operation[0], extra)
        per = kinds.setdefault(kind, {"missed": 0, "invented": 0, "changed": 0})
        per[how] += operation[3]
    return {
        "edits": edits, "truth": right.notation_size(), "found": left.notation_size(),
        "kinds": kinds,
    }  # fmt: skip


if __name__ == "__main__":
    main()
