"""Putting finished files in their place: whole or not at all, never over anything else."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import shutil
import string
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import attrs

from ..model import ConfigError, OutputError

Policy = Literal["error", "skip", "overwrite", "resume"]
FIELDS = ("dir", "stem", "name", "suffix", "index")


@attrs.frozen
class Destination:
    """Where the files of one document go.

    Attributes:
        folder: Their folder.
        stem: Their name, to which each artifact's suffix is added.
    """

    folder: Path
    stem: str

    def path(self, suffix: str) -> Path:
        """The final path of an artifact with this suffix (``.mid``, ``-2.svg``)."""
        return self.folder / f"{self.stem}{suffix}"


def destination(
    template: str, name: str, folder: Path, index: int, suffixes: Sequence[str]
) -> Destination:
    """Where a document's files go.

    Args:
        template: A folder, a file name that ends in an exporter's suffix, or a name with
            fields in braces: ``{dir}``, ``{stem}``, ``{name}``, ``{index}``, ``{suffix}``.
            Empty: beside the input.
        name: Name of the input.
        folder: Folder of the input.
        index: 1-based number of the input in the run.
        suffixes: Of the chosen exporters; one at the template's end is taken off.

    Raises:
        ConfigError: The template has an unknown field.
    """
    stem = Path(name).stem or name
    if not template:
        return Destination(folder, stem)
    values = {"dir": str(folder), "stem": stem, "name": name, "index": index, "suffix": ""}
    try:
        fields = [
            field for _, field, _, _ in string.Formatter().parse(template) if field is not None
        ]
        unknown = [field for field in fields if field not in FIELDS]
        if unknown:
            raise ConfigError(
                f"--output: unknown field {{{unknown[0]}}}",
                hint=f"known: {', '.join('{' + f + '}' for f in FIELDS)}",
            )
        text = template.format(**values)
    except (ValueError, IndexError) as error:
        raise ConfigError(f"--output: {template!r} is not a template: {error}") from None
    path = Path(text).expanduser()
    if text.endswith(("/", os.sep)) or path.is_dir():
        return Destination(path, stem)
    ending = next((s for s in sorted(suffixes, key=len, reverse=True) if path.name.endswith(s)), "")
    if not ending and "{" not in Path(template).name:
        return Destination(path, stem)
    return Destination(path.parent, path.name[: len(path.name) - len(ending)] or stem)


def check_folder(folder: Path) -> None:
    """Refuse early a folder nothing can be written to.

    Raises:
        OutputError: A part of the path is a file, or is not writable.
    """
    place = folder
    while not place.exists() and place != place.parent:
        place = place.parent
    if not place.is_dir():
        raise OutputError(f"{folder}: {place} is not a folder")
    if not os.access(place, os.W_OK | os.X_OK):
        raise OutputError(f"{folder}: no permission to write there")


class Placer:
    """Moves a document's artifacts to their places under one policy.

    Args:
        policy: What to do with files that exist: ``error``, ``skip``, ``overwrite``, or
            ``resume`` (replace only files this same conversion wrote).
        journal: A folder that remembers what was written, for ``resume``; None: nowhere.
    """

    def __init__(self, policy: Policy, journal: Path | None) -> None:
        self.policy = policy
        self._journal = journal
        self._swept: set[Path] = set()

    def done(self, key: str) -> list[Path] | None:
        """The files a complete conversion wrote before, if all are there, unchanged."""
        complete, written = self._read(key)
        paths = [Path(path) for path in written]
        if complete and written and all(_sha256(path) == written[str(path)] for path in paths):
            return paths
        return None

    def place(self, key: str, files: Mapping[Path, Path], complete: bool = True) -> list[Path]:
        """Move files (source → final path) to their places.

        All are first copied beside their places, then renamed; what was copied is removed
        when one of them fails. What is not ``complete`` is replaced by a resumed run.

        Raises:
            OutputError: A place exists, or cannot be written.
        """
        ours = self._read(key)[1] if self.policy == "resume" else {}
        staged: list[tuple[Path, Path]] = []
        try:
            for source, final in files.items():
                if self.policy != "overwrite" and final.exists() and not _same(final, ours):
                    raise exists_already(final)
                if final.parent not in self._swept:
                    final.parent.mkdir(parents=True, exist_ok=True)
                    _sweep(final.parent)
                    self._swept.add(final.parent)  # last: documents are placed side by side
                staged.append((_stage(source, final), final))
            hashes = {str(final): _sha256(temporary) for temporary, final in staged}
            self._write(key, complete, hashes)
            for temporary, final in staged:
                temporary.replace(final)
        except OSError as error:
            raise write_error(error, files) from error
        finally:
            for temporary, _ in staged:
                with contextlib.suppress(OSError):
                    temporary.unlink(missing_ok=True)
        return [final for _, final in staged]

    def _read(self, key: str) -> tuple[bool, dict[str, str]]:
        """Whether the conversion was complete, and the hash of each file it wrote."""
        if self._journal is None:
            return False, {}
        try:
            data = json.loads((self._journal / f"{key}.json").read_text())
            return bool(data["complete"]), dict(data["files"])
        except (OSError, ValueError, KeyError, TypeError):
            return False, {}

    def _write(self, key: str, complete: bool, written: Mapping[str, str]) -> None:
        if self._journal is None:
            return
        with contextlib.suppress(OSError):
            self._journal.mkdir(parents=True, exist_ok=True, mode=0o700)
            temporary = self._journal / f"{key}.{os.getpid()}.tmp"
            temporary.write_text(json.dumps({"complete": complete, "files": written}))
            temporary.replace(self._journal / f"{key}.json")


def exists_already(path: Path) -> OutputError:
    """The one line for a file that is in the way."""
    return OutputError(
        f"{path} exists already",
        hint="--overwrite replaces it, --skip-existing leaves it",
        code="output-exists",
    )


def write_error(error: OSError, files: Mapping[Path, Path]) -> OutputError:
    """The one line for a write that failed."""
    first = next(iter(files.values()))
    reasons = {
        errno.ENOSPC: "the disk is full",
        errno.EDQUOT: "the disk quota is used up",
        errno.EACCES: "no permission to write there",
        errno.EROFS: "the file system is read-only",
        errno.ENAMETOOLONG: "the name is too long",
    }
    reason = reasons.get(error.errno or 0, error.strerror or str(error))
    return OutputError(f"{first.parent / first.name}: {reason}")


def write_whole(path: Path, data: bytes) -> None:
    """Write a small file whole or not at all.

    Raises:
        OutputError: It cannot be written.
    """
    temporary = _beside(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except OSError as error:
        raise write_error(error, {temporary: path}) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def _beside(final: Path) -> Path:
    name = hashlib.sha256(final.name.encode("utf-8", "surrogateescape")).hexdigest()[:12]
    return final.with_name(f".ensemble-{os.getpid()}-{name}.tmp")


def _stage(source: Path, final: Path) -> Path:
    temporary = _beside(final)
    try:
        with source.open("rb") as given, temporary.open("wb") as copy:
            shutil.copyfileobj(given, copy, 1 << 20)
            copy.flush()
            os.fsync(copy.fileno())
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    return temporary


def _sweep(folder: Path) -> None:
    """Remove half-written files of processes that were killed."""
    import psutil

    for path in folder.glob(".ensemble-*-*.tmp"):
        number = path.name.split("-")[1]
        with contextlib.suppress(OSError, ValueError):
            if not psutil.pid_exists(int(number)):
                path.unlink()


def _same(path: Path, written: Mapping[str, str]) -> bool:
    return str(path) in written and _sha256(path) == written[str(path)]


def _sha256(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""
