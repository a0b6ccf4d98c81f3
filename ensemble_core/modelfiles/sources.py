"""What an import is made from: a folder, a zip or tar archive, or the file itself.

Archives are untrusted. Nothing is unpacked under a name of theirs: entries are looked at
one by one, and only the bytes of a wanted one are read, never more than its pinned size.
"""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import lzma
import os
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import IO, Any

import attrs

from ..model import InputError, ModelFile

MOST = 20_000_000_000
"""Bytes an archive may unpack to; all of it must be run through to list a compressed tar."""

PIECE = 1 << 20
"""Bytes that are read at once; a tar header longer than that is an attack."""


@attrs.frozen
class Entry:
    """A file in the source.

    Attributes:
        name: Its path there, with forward slashes.
        size: As the source says, in bytes.
        open: Gives its bytes as a stream.
    """

    name: str
    size: int
    open: Callable[[], IO[bytes]]


def entries(source: Path, wanted: Callable[[str], bool]) -> Iterator[Entry]:
    """The files of a source whose names are wanted; use each before asking for the next.

    Raises:
        InputError: The source is none, or is damaged.
    """
    with reading(source):
        if source.is_dir():
            found = _of_folder(source, wanted)
        elif wanted(source.as_posix()) or not _is_archive(source):
            found = iter([file_entry(source)])
        elif zipfile.is_zipfile(source):
            found = _of_zip(source, wanted)
        else:
            found = _of_tar(source, wanted)
        yield from found


def file_entry(path: Path) -> Entry:
    """A file of the disk as an entry.

    Raises:
        OSError: It is not there.
    """
    return Entry(path.as_posix(), path.stat().st_size, partial(_open, path))


def take(entry: Entry, file: ModelFile, target: Path) -> None:
    """Copy an entry's bytes to a file: at most one more than there must be.

    Raises:
        InputError: The entry cannot be read.
        OSError: The file cannot be written.
    """
    room = file.size + 1
    with contextlib.ExitStack() as stack:
        with reading(entry.name):
            stream = stack.enter_context(entry.open())
        copy = stack.enter_context(target.open("wb"))
        while room:
            with reading(entry.name):
                piece = stream.read(min(room, PIECE))
            if not piece:
                return
            copy.write(piece)
            room -= len(piece)


@contextlib.contextmanager
def reading(source: str | Path) -> Iterator[None]:
    """Say in one line why something cannot be read.

    Raises:
        InputError: It cannot.
    """
    try:
        yield
    except (
        OSError, EOFError, RuntimeError, NotImplementedError, ValueError,
        zipfile.BadZipFile, tarfile.TarError, lzma.LZMAError, zlib.error,
    ) as error:  # fmt: skip
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise InputError(f"{source} cannot be read: {reason.splitlines()[0].lower()}") from error


def _of_folder(folder: Path, wanted: Callable[[str], bool]) -> Iterator[Entry]:
    for place, folders, names in os.walk(folder):
        folders.sort()
        for path in (Path(place) / name for name in sorted(names)):
            if wanted(path.as_posix()) and path.is_file():
                yield file_entry(path)


def _of_zip(source: Path, wanted: Callable[[str], bool]) -> Iterator[Entry]:
    with zipfile.ZipFile(source) as archive:
        for info in archive.infolist():
            if not info.is_dir() and wanted(info.filename):
                yield Entry(info.filename, info.file_size, partial(archive.open, info))


def _of_tar(source: Path, wanted: Callable[[str], bool]) -> Iterator[Entry]:
    with _unpacked(source) as stream, tarfile.open(fileobj=_Bounded(stream), mode="r:") as archive:
        while member := archive.next():
            content = archive.extractfile(member) if member.isreg() else None
            if content is not None and wanted(member.name):
                yield Entry(member.name, member.size, partial(_same, content))
            archive.members.clear()  # type: ignore[attr-defined]  # there may be millions


def _open(path: Path) -> IO[bytes]:
    return path.open("rb")


def _same(stream: IO[bytes]) -> IO[bytes]:
    return stream


def _unpacked(source: Path) -> Any:
    kind = _magic(source)
    if kind == "gzip":
        return gzip.open(source)
    if kind == "bzip2":
        return bz2.open(source)
    return lzma.open(source) if kind == "xz" else source.open("rb")


def _is_archive(source: Path) -> bool:
    return bool(_magic(source)) or zipfile.is_zipfile(source)


def _magic(source: Path) -> str:
    with source.open("rb") as stream:
        head = stream.read(262)
    known = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\x00": "xz"}
    if head[257:262] == b"ustar":
        return "tar"
    return next((name for magic, name in known.items() if head.startswith(magic)), "")


class _Bounded(io.RawIOBase):
    """A stream that refuses to be read far in one go, or altogether: bombs are built so."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._stream.tell()

    def seek(self, position: int, whence: int = 0) -> int:
        if position > MOST:
            raise tarfile.ReadError(f"it unpacks to more than {MOST} bytes")
        return self._stream.seek(position, whence)

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= PIECE:
            raise tarfile.ReadError("a header in it is too long")
        return self._stream.read(size)
