"""What is to be read, and what it should say: a set of pages with their truth.

A set is a JSON or TOML file with a list ``pages`` of tables. ``pictures`` (or one
``picture``) and ``truth`` are paths beside that file; the rest describes the page::

    [[pages]]
    name = "schubert-lc123-verovio"
    picture = "schubert-lc123-verovio.png"
    truth = "schubert-lc123-verovio.musicxml"
    engraver = "verovio"
    kind = "piano"
    staves = 2
    condition = "clean"
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import attrs

from ensemble_core.model import ConfigError, InputError

SCORES = (".musicxml", ".mxl", ".xml")
PICTURES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".pdf", ".bmp", ".webp")


@attrs.frozen
class Case:
    """One document to read.

    Attributes:
        name: Unique in the set; names the files of its results.
        pictures: A PDF or the pictures of its pages, in order; read as one score.
        truth: The MusicXML it should become (``.mxl`` too).
        engraver: Who engraved it; empty if unknown.
        kind: What it is of (``piano``, ``quartet`` …); free text.
        staves: Staves a system has; 0: counted in the truth.
        condition: ``clean``, ``scan``, ``photo`` …
        work: Which work it is from.
    """

    name: str
    pictures: tuple[Path, ...]
    truth: Path
    engraver: str = ""
    kind: str = ""
    staves: int = 0
    condition: str = "clean"
    work: str = ""


def read_cases(paths: Sequence[Path]) -> list[Case]:
    """The cases of a command line: one set file, or a truth and its pictures.

    Raises:
        ConfigError: A set file is wrong, or names repeat.
        InputError: A file is not there, or nothing fits together.
    """
    cases = read_set(paths[0]) if len(paths) == 1 else pair(paths[0], paths[1])
    names = [case.name for case in cases]
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise ConfigError(f"two pages of the set are called {repeated[0]!r}")
    for case in cases:
        for path in (*case.pictures, case.truth):
            if not path.is_file():
                raise InputError(f"{case.name}: {path} is not there")
    return cases


def read_set(path: Path) -> list[Case]:
    """The cases a set file lists.

    Raises:
        ConfigError: It is not a set file.
        InputError: It cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8")
        rows = _parse(text, path.suffix)["pages"]
        return [_case(row, path.parent) for row in rows]
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from None
    except (ValueError, KeyError, TypeError) as error:
        reason = f"no {error} in it" if isinstance(error, KeyError) else str(error)
        raise ConfigError(f"{path}: is not a set of pages: {reason}") from None


def write_set(path: Path, cases: Iterable[Case]) -> None:
    """Write a set file (JSON) beside its pictures."""
    rows = []
    for case in cases:
        row = attrs.asdict(case)
        row["pictures"] = [_beside(picture, path.parent) for picture in case.pictures]
        row["truth"] = _beside(case.truth, path.parent)
        rows.append(row)
    text = json.dumps({"pages": rows}, indent=1, ensure_ascii=False)
    temporary = path.with_name(path.name + ".new")
    temporary.write_text(text + "\n", encoding="utf-8")
    temporary.replace(path)


def pair(truth: Path, pages: Path) -> list[Case]:
    """A truth with its pictures, or a folder of each paired by the files' stems.

    ``a.musicxml`` goes with ``a.png`` or ``a.pdf``, else with ``a-1.png``, ``a-2.png`` …

    Raises:
        InputError: Nothing pairs.
    """
    if not truth.is_dir():
        pictures = _files(pages, PICTURES) if pages.is_dir() else [pages]
        return [Case(truth.stem, tuple(pictures), truth)]
    found = _files(pages, PICTURES) if pages.is_dir() else [pages]
    cases = []
    for score in _files(truth, SCORES):
        whole = [path for path in found if path.stem == score.stem]
        numbered = re.compile(re.escape(score.stem) + r"[-_]\d+")
        several = [path for path in found if numbered.fullmatch(path.stem)]
        if whole or several:
            cases.append(Case(score.stem, tuple(whole[:1] or several), score))
    if not cases:
        raise InputError(f"no score in {truth} has the name of a picture in {pages}")
    return cases


def _files(folder: Path, suffixes: Sequence[str]) -> list[Path]:
    kept = [p for p in folder.iterdir() if p.suffix.lower() in suffixes and p.is_file()]
    return sorted(kept, key=lambda p: [int(t) if t.isdigit() else t for t in _parts(p.name)])


def _parts(name: str) -> list[str]:
    """Text and digits in turn, so that sorting never compares one with the other."""
    return re.split(r"(\d+)", name)


def _parse(text: str, suffix: str) -> dict[str, Any]:
    if suffix == ".toml":
        from ensemble_core.config.toml import loads

        return loads(text)
    parsed: dict[str, Any] = json.loads(text)
    return parsed


def _case(row: dict[str, Any], folder: Path) -> Case:
    given = dict(row)
    pictures = given.pop("pictures", None) or [given.pop("picture")]
    truth = folder / given.pop("truth")
    paths = tuple(folder / picture for picture in pictures)
    return Case(pictures=paths, truth=truth, **given)


def _beside(path: Path, folder: Path) -> str:
    return path.resolve().relative_to(folder.resolve()).as_posix()
