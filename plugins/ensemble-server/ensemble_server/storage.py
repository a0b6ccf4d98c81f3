"""The store of files: a folder, or a bucket, by fsspec.

Keys are made of ids and numbers only; no name a user has given ever becomes part of one. A job's
files lie beside those of others, as to make a folder takes many times as long as to make a file:
:func:`start_of` is what their keys begin with.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import fsspec
from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

CHUNK = 1 << 20
JOBS = "jobs"
"""Below it lie the files of jobs, in a folder for each first letter of an id."""

INPUT = "input-"
"""How the keys of uploads go on after :func:`start_of`; other files are results."""


def start_of(job_id: str) -> str:
    """What the keys of all files of a job begin with, and those of no other job."""
    return f"{JOBS}/{job_id[:1]}/{job_id}."


def job_of(key: str) -> str:
    """The id of the job whose file it is."""
    return key.rpartition("/")[2].partition(".")[0]


class Store:
    """Files by key.

    Args:
        url: fsspec URL of the place everything lies under.
        options: Passed to fsspec: ``endpoint_url``, ``key``, ``secret`` …
    """

    def __init__(self, url: str, options: Mapping[str, Any] | None = None) -> None:
        if url.startswith("s3:"):
            # Another node may have changed what a cached listing says.
            options = {"use_listings_cache": False, **_s3_options(dict(options or {}))}
        self.fs: fsspec.AbstractFileSystem
        self.fs, root = url_to_fs(url, **dict(options or {}))
        self.root = str(root).rstrip("/")
        self.local = isinstance(self.fs, LocalFileSystem)
        if self.local:
            Path(self.root).mkdir(parents=True, exist_ok=True, mode=0o700)

    def writing(self, key: str) -> IO[bytes]:
        """An open file to be written; in a bucket it appears when it is closed."""
        if not self.local:
            stream: IO[bytes] = self.fs.open(self._path(key), "wb")
            return stream
        name = self._path(key)  # a text: to make a path of it takes as long as to open the file
        try:
            return open(name, "wb")  # noqa: PTH123
        except FileNotFoundError:
            Path(name).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            return open(name, "wb")  # noqa: PTH123

    def put(self, key: str, data: bytes) -> None:
        """Write a whole file."""
        if self.local:
            with self.writing(key) as stream:
                stream.write(data)
        else:
            self.fs.pipe_file(self._path(key), data)

    def get(self, key: str) -> bytes:
        """A whole file.

        Raises:
            FileNotFoundError: There is none.
        """
        data: bytes = self.fs.cat_file(self._path(key))
        return data

    @contextlib.contextmanager
    def fetched(self, keys: Sequence[str]) -> Iterator[tuple[Path, ...]]:
        """The files on this machine, for a while: themselves in a local store, else copies.

        Raises:
            FileNotFoundError: There is none.
        """
        if self.local:
            yield tuple(Path(self._path(key)) for key in keys)
            return
        folder = Path(tempfile.mkdtemp(prefix=f"ensemble-{os.getpid()}-"))
        try:
            copies = tuple(folder / key.rpartition("/")[2] for key in keys)
            for key, copy in zip(keys, copies, strict=True):
                self.fs.get_file(self._path(key), str(copy))
            yield copies
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def place(self, key: str) -> Path:
        """Where a file of a local store lies."""
        return Path(self._path(key))

    def bring(self, path: Path, key: str) -> None:
        """Take a file of this machine into a bucket."""
        self.fs.put_file(str(path), self._path(key))

    def copy(self, key: str, other: str) -> None:
        """Copy a file within the store.

        Raises:
            FileNotFoundError: There is none.
        """
        if self.local:
            with self.place(key).open("rb") as source, self.writing(other) as target:
                shutil.copyfileobj(source, target)
        else:
            self.fs.cp_file(self._path(key), self._path(other))

    def reading(self, key: str, start: int = 0, size: int | None = None) -> Iterator[bytes]:
        """The bytes from ``start`` on, ``size`` of them, in pieces.

        Raises:
            FileNotFoundError: There is none; raised here, not when the first piece is asked for.
        """
        stream: IO[bytes] = self.fs.open(self._path(key), "rb")
        return _pieces(stream, start, size)

    def exists(self, key: str) -> bool:
        """Whether there is such a file."""
        return bool(self.fs.exists(self._path(key)))

    def remove(self, key: str) -> None:
        """Remove a file; nothing happens if there is none."""
        self._remove([key])

    def remove_all(self, start: str, but: str = "") -> None:
        """Remove the files whose keys begin with ``start``, but not those that go on with ``but``.

        See :meth:`keys`.
        """
        found = self.keys(start)
        self._remove([key for key in found if not but or not key.startswith(start + but)])

    def keys(self, start: str) -> list[str]:
        """The keys that begin with ``start``, of one folder: what is behind its last ``/`` may be
        the beginning of a name.
        """
        folder, _, beginning = start.rpartition("/")
        return [f"{folder}/{name}" for name in self.names(folder) if name.startswith(beginning)]

    def names(self, folder: str) -> list[str]:
        """Names of what lies directly in a folder."""
        try:
            if self.local:
                return os.listdir(self._path(folder))  # noqa: PTH208 - names are all it takes
            found = self.fs.ls(self._path(folder), detail=False)
        except FileNotFoundError:
            return []
        return [str(each).rstrip("/").rpartition("/")[2] for each in found]

    def files(self, prefix: str = "") -> list[str]:
        """The keys of all files below a prefix."""
        base = self._path(prefix)
        found = self.fs.find(base)
        cut = len(self._path(""))
        return sorted(str(each)[cut:].lstrip("/") for each in found)

    def check(self) -> None:
        """Write, read and remove a small file.

        Raises:
            OSError: The store does not do what it should.
        """
        key = "health/probe"
        self.put(key, b"ok")
        if self.get(key) != b"ok":
            raise OSError("the store does not give back what was written")
        self.remove(key)

    def free(self) -> int | None:
        """Bytes free on this machine's disk; None for a bucket."""
        return shutil.disk_usage(self.root).free if self.local else None

    def _remove(self, keys: Sequence[str]) -> None:
        if self.local:
            for key in keys:
                self.place(key).unlink(missing_ok=True)
        elif keys:
            with contextlib.suppress(FileNotFoundError):
                self.fs.rm([self._path(key) for key in keys])

    def _path(self, key: str) -> str:
        if ".." in key.split("/"):
            raise ValueError(f"not a key: {key!r}")
        return f"{self.root}/{key}" if key else self.root


def is_away(error: Exception) -> bool:
    """Whether it says that the database or the store cannot be reached, or does not do its work.

    Then the same may well succeed a little later.
    """
    if isinstance(error, DBAPIError):
        return isinstance(error, OperationalError | InterfaceError) or error.connection_invalidated
    if isinstance(error, OSError):
        return not isinstance(error, FileNotFoundError)
    return type(error).__module__.startswith("botocore.")


def _pieces(stream: IO[bytes], start: int, size: int | None) -> Iterator[bytes]:
    with stream:
        if start:
            stream.seek(start)
        left = size
        while left is None or left > 0:
            piece = stream.read(CHUNK if left is None else min(CHUNK, left))
            if not piece:
                return
            if left is not None:
                left -= len(piece)
            yield piece


def _s3_options(options: dict[str, Any]) -> dict[str, Any]:
    """Settings are texts; botocore wants its own names nested."""
    endpoint = options.pop("endpoint_url", None)
    region = options.pop("region_name", None)
    client = dict(options.pop("client_kwargs", {}))
    if region:
        client["region_name"] = region
    if endpoint:
        options["endpoint_url"] = endpoint
    return {**options, "client_kwargs": client}
