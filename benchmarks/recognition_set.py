"""Builds the pages recognizers are judged by: clean, scanned and photographed.

    python benchmarks/recognition_set.py [--folder build/recognition] [--works 40]

A page is the beginning of a work by one of three engravers. Only works that training leaves
alone are taken (see ``engraved.held_out``), those first whose composer hashes to 0 modulo 5
as well; each is used once: as piano part, voice, string part, song (three staves) or quartet
(four). A work one of the engravers fails on is passed over. Every clean page gets a scan and
a photo (``degrade.py``). ``pages.json`` lists them all for ``ensemble evaluate``;
``parts.json`` lists the real PDFs of quartet parts with their truth. A second run goes on
where the first one was stopped.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import shutil
import sys
import unicodedata
import zlib
from collections.abc import Iterator
from pathlib import Path

import engraved
from degrade import write_photo, write_scan
from engraved import ENGRAVERS, REPOSITORY, Work, data_folder, held_out, read_xml
from ensemble_evaluate.cases import Case, write_set
from lxml import etree

MIX = ("piano", "song", "voice", "strings", "piano", "quartet", "piano", "voice", "piano",
       "quartet", "piano", "song", "strings")  # fmt: skip
"""What the works are of, in turn: 9 of 13 have one or two staves."""

FIRST_TRY = {"piano": 26, "song": 18, "quartet": 22}
"""How many bars may fit on a page; a guess that saves engraving much too many."""

STRINGS = ("violin1", "violin2", "viola", "cello")


def candidates(folder: str) -> list[Path]:
    """Held-out works in an order that is the same everywhere and mixes composers."""
    found = [p for p in (data_folder() / "scores" / folder).glob("*.mxl") if held_out(p.name)]

    def order(path: Path) -> tuple[bool, str]:
        composer = unicodedata.normalize("NFC", path.name.split("-")[0])
        return not held_out(composer), hashlib.sha1(path.name.encode()).hexdigest()

    return sorted(found, key=order)


def choices() -> Iterator[tuple[str, Iterator[Work]]]:
    """What comes next, and the works to try for it; a work that was used is not tried again."""
    songs, quartets = iter(candidates("lieder")), iter(candidates("quartets"))
    number = itertools.count()

    def works(kind: str) -> Iterator[Work]:
        for path in songs if kind in ("piano", "voice", "song") else quartets:
            if kind == "strings":
                place = next(number) % 4
                yield Work(path, place, STRINGS[place])
            else:
                yield Work(path, {"piano": -1, "voice": 0}.get(kind), kind)

    for kind in itertools.cycle(MIX):
        yield kind, works(kind)


def clean_pages(work: Work, folder: Path) -> list[Case]:
    """The work's page by each engraver; none if one of them fails."""
    cases: list[Case] = []
    bars = FIRST_TRY.get(work.label, 56)
    for engraver in reversed(ENGRAVERS):  # LilyPond fails most
        page = engraved.engrave(work, engraver, folder, most=bars)
        if page is None:
            return []
        bars = round(page.bars * 1.25)
        truth = folder / f"{page.name}-truth.musicxml"
        cases.append(
            Case(page.name, (page.picture,), truth, engraver, work.label, work.staves,
                 "clean", work.path.stem)
        )  # fmt: skip
    return cases[::-1]


def worn(case: Case, condition: str) -> Case:
    """The scan or photo of a clean page."""
    suffix = {"scan": ".png", "photo": ".jpg"}[condition]
    name = f"{case.name}-{condition}"
    out = case.pictures[0].with_name(name + suffix)
    if not out.exists():
        make = {"scan": write_scan, "photo": write_photo}[condition]
        temporary = out.with_name(out.name + ".new")
        make(case.pictures[0], temporary, zlib.crc32(case.name.encode()))
        temporary.replace(out)
    return Case(name, (out,), case.truth, case.engraver, case.kind, case.staves, condition,
                case.work)  # fmt: skip


def build(folder: Path, works: int) -> list[Case]:
    """All pages; the set file is written anew after each work."""
    folder.mkdir(parents=True, exist_ok=True)
    refused = Refused(folder / "refused.json")
    cases: list[Case] = []
    for number, (kind, tries) in zip(range(1, works + 1), choices(), strict=False):
        for work in tries:
            name = f"{work.path.stem}-{work.label}"
            clean = [] if name in refused else clean_pages(work, folder)
            if clean:
                cases += [*clean, *(worn(c, how) for how in ("scan", "photo") for c in clean)]
                write_set(folder / "pages.json", cases)
                print(f"{number}/{works} {kind}: {name}", flush=True)
                break
            refused.add(name)
        else:
            sys.exit(f"there are not enough works of the kind {kind}")
    return cases


class Refused:
    """Works an engraver failed on, remembered from run to run."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._names: list[str] = json.loads(path.read_text()) if path.exists() else []

    def __contains__(self, name: str) -> bool:
        return name in self._names

    def add(self, name: str) -> None:
        """Remember one."""
        if name not in self._names:
            self._names.append(name)
            self._path.write_text(json.dumps(self._names, indent=1))


def real_parts(folder: Path) -> list[Case]:
    """The publishers' PDFs of quartet parts, each with that part of the score as its truth."""
    cases = []
    for pdf in sorted((data_folder() / "pdf").glob("*-Part-*.pdf")):
        work, name = pdf.stem.split("-Part-")
        root = read_xml(data_folder() / "scores" / "quartets" / f"{work}.mxl")
        wanted = name.replace("_", " ").casefold()
        names = {node.get("id"): node for node in root.iter("score-part")}
        ids = [i for i, node in names.items()
               if (node.findtext("part-name") or "").casefold() == wanted]  # fmt: skip
        if len(ids) != 1:
            told = [node.findtext("part-name") for node in names.values()]
            print(f"{pdf.name}: no part of that name, but {told}", file=sys.stderr)
            continue
        for node in [*root.findall("part"), *names.values()]:
            if node.get("id") != ids[0]:
                node.getparent().remove(node)
        for node in list(root.iter("part-group", "credit", "defaults")):
            node.getparent().remove(node)
        truth = folder / f"{pdf.stem}-truth.musicxml"
        truth.write_bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8"))
        copy = folder / pdf.name
        copy.write_bytes(pdf.read_bytes())
        cases.append(Case(pdf.stem, (copy,), truth, "publisher", name, 1, "pdf", work))
    return cases


def main() -> None:
    """Build both sets."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=REPOSITORY / "build" / "recognition")
    parser.add_argument("--works", type=int, default=40)
    given = parser.parse_args()
    if not data_folder().is_dir():
        sys.exit(f"needs the data folder; {data_folder()} is not there (ENSEMBLE_DATA)")
    if not engraved.prints_words():
        sys.exit(f"needs the font {engraved.SERIF} (Debian: fonts-urw-base35)")
    missing = [each for each in ("musescore3", "musicxml2ly", "lilypond") if not shutil.which(each)]
    if missing:
        sys.exit(f"needs {', '.join(missing)}")
    folder = given.folder.resolve()  # the engravers are run inside of it
    folder.mkdir(parents=True, exist_ok=True)
    write_set(folder / "parts.json", real_parts(folder))
    cases = build(folder, given.works)
    print(f"{len(cases)} pages in {folder}")


if __name__ == "__main__":
    main()
