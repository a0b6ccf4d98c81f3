"""Precision and recall of the slurs, ties and signs at and beside the notes.

    python benchmarks/sightread_marks.py [--folder build/recognition] [--only TEXT]

Reads the clean pages that ``recognition_set.py`` built. A slur is right if it goes from and
to the right onsets of the right staff, a sign if it stands at the right onset of its staff.
Bars are paired as for note F1.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

from engraved import ENGRAVERS
from ensemble_evaluate.notes import align, staves
from lxml import etree
from sightread_accuracy import one_core

from ensemble_core.model import Context, Page

SIGNS = ("staccato", "accent", "tenuto", "strong-accent", "staccatissimo", "fermata", "trill-mark",
         "turn", "inverted-turn", "mordent", "inverted-mordent", "arpeggiate", "breath-mark",
         "caesura", "up-bow", "down-bow")  # fmt: skip


class Place(NamedTuple):
    """A staff of the score, a bar (from 0) and an onset in it, in quarter notes."""

    staff: int
    bar: int
    onset: Fraction


def marks(musicxml: bytes) -> Counter[tuple[str, Place, Place]]:
    """What stands in a document: its name, where it begins and where it ends."""
    found: Counter[tuple[str, Place, Place]] = Counter()
    first = 0
    for part in etree.fromstring(musicxml).findall("part"):
        opened: dict[str, tuple[str, Place]] = {}
        for note, place in _placed(part, first):
            if note.tag == "direction":
                _beside(note, place, opened, found)
                continue
            if note.find("grace[@slash='yes']") is not None:
                found["grace-slash", place, place] += 1
            notations = note.find("notations")
            if notations is None:
                continue
            found.update((s.tag, place, place) for s in notations.iter(*SIGNS))
            found.update((f"tremolo {t.text}", place, place) for t in notations.iter("tremolo"))
            found.update(("tie", place, place) for t in notations.iterfind("tied[@type='start']"))
            for slur in notations.iterfind("slur"):
                number, kind = slur.get("number", "1"), slur.get("type", "")
                if number in opened and opened[number][0] != kind:  # voices: a stop may be first
                    other = opened.pop(number)[1]
                    ends = (other, place) if kind == "stop" else (place, other)
                    found["slur", ends[0], ends[1]] += 1
                else:
                    opened[number] = (kind, place)
        first += max([1, *(int(node.text) for node in part.iter("staves"))])
    return found


def _beside(
    direction: Any, place: Place, opened: dict[str, tuple[str, Place]],
    found: Counter[tuple[str, Place, Place]],
) -> None:  # fmt: skip
    """Count what a ``direction`` says."""
    found.update((sign.tag, place, place) for sign in direction.iterfind("*/dynamics/*"))
    found.update((f"pedal {p.get('type')}", place, place) for p in direction.iter("pedal"))
    for node in direction.iter("wedge", "octave-shift"):
        key = f"{node.tag} {node.get('number', '1')}"
        if node.get("type") == "stop":
            kind, start = opened.pop(key, ("", place))
            found[kind, start, place] += bool(kind)
        else:
            kind = f"{node.tag} {node.get('type')}" if node.tag != "wedge" else node.get("type")
            opened[key] = (kind, place)


def _placed(part: Any, first: int) -> list[tuple[Any, Place]]:
    """The notes and directions of a part and where they stand; ``first`` is its first staff."""
    divisions, found = 1, []
    for bar, measure in enumerate(part.findall("measure")):
        now = last = Fraction(0)
        for node in measure:
            divisions = int(node.findtext("divisions") or divisions)
            length = Fraction(int(node.findtext("duration") or 0), divisions)
            if node.tag == "backup":
                now -= length
            elif node.tag == "forward":
                now += length
            elif node.tag == "note":
                if node.find("chord") is None:
                    last, now = now, now + length
                staff = first + int(node.findtext("staff") or 1) - 1
                found.append((node, Place(staff, bar, last)))
            elif node.tag == "direction":
                staff = first + int(node.findtext("staff") or 1) - 1
                onset = now + Fraction(int(node.findtext("offset") or 0), divisions)
                found.append((node, Place(staff, bar, onset)))
    return found


def compare(truth: bytes, found: bytes) -> dict[str, Counter[str]]:
    """Of each kind: how many there are in truth, how many were ``found`` and are ``right``."""
    both = zip(staves(truth), staves(found), strict=False)
    pairs = [{read: true for true, read in align(a, b)} for a, b in both]

    def mapped(place: Place) -> Place:
        known = pairs[place.staff] if place.staff < len(pairs) else {}
        return place._replace(bar=known.get(place.bar, -1 - place.bar))

    expected = marks(truth)
    seen = Counter({(name, mapped(a), mapped(b)): n for (name, a, b), n in marks(found).items()})
    counts: dict[str, Counter[str]] = {}
    for key, what in (("truth", expected), ("found", seen), ("right", expected & seen)):
        for (name, _, _), number in what.items():
            counts.setdefault(name, Counter())[key] += number
    return counts


def main() -> int:
    """Run the benchmark."""
    from ensemble_sightread.recognizer import Sightread
    from PIL import Image

    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--folder", type=Path, default=Path("build/recognition"))
    parser.add_argument("--only", default="", help="pages whose name has this")
    options = parser.parse_args()
    one_core()
    totals: dict[tuple[str, str], Counter[str]] = {}
    with tempfile.TemporaryDirectory() as workspace:
        for picture in sorted(options.folder.glob("*.png")):
            truth = picture.with_name(f"{picture.stem}-truth.musicxml")
            engraver = picture.stem.rpartition("-")[2]
            if engraver not in ENGRAVERS or options.only not in picture.stem or not truth.exists():
                continue
            with Image.open(picture) as image:
                page = Page(0, picture, *image.size)
            score = Sightread().recognize(page, Context(Path(workspace), threads=1))
            for name, counts in compare(truth.read_bytes(), score.musicxml).items():
                for group in (engraver, "all"):
                    totals.setdefault((group, name), Counter()).update(counts)
    print("| engraver | what | truth | found | right | precision | recall |")
    print("|---|---|---|---|---|---|---|")
    for (group, name), n in sorted(totals.items()):
        precision, recall = n["right"] / max(n["found"], 1), n["right"] / max(n["truth"], 1)
        print(
            f"| {group} | {name} | {n['truth']} | {n['found']} | {n['right']} "
            f"| {precision:.3f} | {recall:.3f} |"
        )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
