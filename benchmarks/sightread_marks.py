"""Precision and recall of the slurs, ties and articulations that sightread writes.

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

SIGNS = ("staccato", "accent", "tenuto", "strong-accent", "staccatissimo", "fermata", "trill-mark")


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
        for note, place in _notes(part, first):
            notations = note.find("notations")
            if notations is None:
                continue
            found.update((s.tag, place, place) for s in notations.iter(*SIGNS))
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


def _notes(part: Any, first: int) -> list[tuple[Any, Place]]:
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
