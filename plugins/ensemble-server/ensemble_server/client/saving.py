"""Downloads that appear whole or not at all."""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ensemble_core.model import OutputError

from .errors import Unreachable

if TYPE_CHECKING:
    from .wire import Wire


def save(
    wire: Wire,
    source: str,
    asked: dict[str, str],
    path: str | Path,
    *,
    name: str,
    overwrite: bool,
) -> Path:
    """Save an answer as a file.

    Args:
        wire: The connection.
        source, asked: Path and query of the request.
        path: A file, or a folder for ``name`` in it.
        name: What the service calls the file.
        overwrite: Replace a file that is there.

    Raises:
        ApiError: It is refused, or does not arrive whole in all the time.
        OutputError: The file is there already, or cannot be written.
    """
    place = _place(path, name)
    if not overwrite and place.exists():
        raise _exists(place)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=".ensemble-", suffix=".tmp", dir=place.parent)
        os.close(handle)
        try:
            _fetch(wire, source, asked, Path(temporary))
            Path(temporary).chmod(0o666 & ~_umask())
            _put(Path(temporary), place, overwrite)
        finally:
            with suppress(OSError):
                Path(temporary).unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"{place}: {error.strerror or error}") from error
    return place


def _place(path: str | Path, name: str) -> Path:
    """A name from elsewhere never leads out of the folder that was asked for."""
    place = Path(path)
    if place.is_dir() or str(path).endswith(("/", os.sep)):
        plain = name.replace("\\", "/").rpartition("/")[2]
        return place / (plain if plain not in ("", ".", "..") else "file")
    return place


def _put(temporary: Path, place: Path, overwrite: bool) -> None:
    if overwrite:
        temporary.replace(place)
        return
    try:
        os.link(temporary, place)  # unlike a rename, this never replaces anything
    except FileExistsError:
        raise _exists(place) from None
    except OSError:
        if place.exists():
            raise _exists(place) from None
        temporary.replace(place)  # a file system without hard links


def _fetch(wire: Wire, source: str, asked: dict[str, str], temporary: Path) -> None:
    """Download into a file, again from the start if the connection breaks."""
    end, number = time.monotonic() + wire.patience, 0
    while True:
        try:
            _once(wire, source, asked, temporary)
            return
        except Unreachable:
            if not wire.pause(number, end):
                raise
            number += 1


def _once(wire: Wire, source: str, asked: dict[str, str], temporary: Path) -> None:
    digest, options = hashlib.sha256(), {"params": asked} if asked else {}
    with wire.stream(source, **_plain(options)) as answer, temporary.open("wb") as stream:
        for piece in answer.iter_bytes():
            digest.update(piece)
            stream.write(piece)
        stream.flush()
        os.fsync(stream.fileno())
    tag = answer.headers.get("etag", "").removeprefix("W/").strip('"')
    if len(tag) == len(digest.hexdigest()) and tag != digest.hexdigest():
        raise Unreachable("the file arrived damaged")


def _plain(options: dict[str, Any]) -> dict[str, Any]:
    """Without compression on the way: sizes and hashes are those of the file."""
    return {**options, "headers": {"Accept-Encoding": "identity", "Accept": "*/*"}}


def _exists(place: Path) -> OutputError:
    return OutputError(
        f"{place} exists already", hint="--overwrite replaces it, --skip-existing leaves it",
        code="output-exists",
    )  # fmt: skip


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
