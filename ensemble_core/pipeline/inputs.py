"""From what the user gave to documents: read once, hashed, sniffed, within limits."""

from __future__ import annotations

import contextlib
import hashlib
import io
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import attrs

from ..model import Document, InputError, LimitExceeded, Limits
from ..sniff import sniff

Source = str | Path | bytes | BinaryIO
"""A path, the bytes themselves, or an open binary stream."""

CHUNK = 1 << 20


@attrs.frozen
class Input:
    """One thing to convert: one document, or several that become one score.

    Attributes:
        name: What it is called in messages, reports and output names.
        sources: Paths, bytes or streams, in order.
        names: The name of each source.
        folder: Where its outputs go when nothing else is said; None: nowhere.
    """

    name: str
    sources: tuple[Source, ...]
    names: tuple[str, ...]
    folder: Path | None = None


def as_input(source: Source | Input) -> Input:
    """One input for one source."""
    if isinstance(source, Input):
        return source
    name = source_name(source)
    folder = Path(source).parent if isinstance(source, str | Path) else None
    return Input(name, (source,), (name,), folder)


def joined(sources: Sequence[Source | Input]) -> Input:
    """One input for all sources, named after the first."""
    inputs = [as_input(source) for source in sources]
    if not inputs:
        raise InputError("nothing to join")
    return Input(
        inputs[0].name,
        tuple(source for each in inputs for source in each.sources),
        tuple(name for each in inputs for name in each.names),
        inputs[0].folder,
    )


def source_name(source: Source) -> str:
    """What messages call a source."""
    if isinstance(source, str | Path):
        return Path(source).name or str(source)
    name = getattr(source, "name", "")
    return Path(name).name if isinstance(name, str) and name else "input"


def materialize(each: Input, folder: Path) -> Input:
    """The same input with bytes and streams written to files in a private folder."""
    if all(isinstance(source, str | Path) for source in each.sources):
        return each
    paths: list[Source] = []
    for number, (source, name) in enumerate(zip(each.sources, each.names, strict=True)):
        if isinstance(source, str | Path):
            paths.append(source)
            continue
        path = folder / f"source-{id(each)}-{number}{Path(name).suffix[:16]}"
        with path.open("xb") as copy:
            shutil.copyfileobj(io.BytesIO(source) if isinstance(source, bytes) else source, copy)
        paths.append(path)
    return attrs.evolve(each, sources=tuple(paths))


def media_types(inputs: Sequence[Input]) -> list[str]:
    """The kind of content of each source; what cannot be read is left for later."""
    found: list[str] = []
    for each in inputs:
        for source in each.sources:
            with contextlib.suppress(OSError, ValueError, InputError):
                path = Path(source)  # type: ignore[arg-type]
                if path.is_file():
                    found.append(sniff(path))
    return found


def open_document(source: Source, name: str, limits: Limits) -> Document:
    """Hash and sniff a file.

    Raises:
        InputError: It does not exist, is not a file, is empty or cannot be read.
        LimitExceeded: It has more bytes than allowed.
    """
    if not isinstance(source, str | Path):
        raise TypeError("materialize() comes first")
    path = Path(source)
    digest, size = hashlib.sha256(), 0
    with _open(path, name) as stream:
        try:
            while chunk := stream.read(CHUNK):
                size += len(chunk)
                if size > limits.max_input_bytes:
                    raise LimitExceeded(
                        f"{name}: more than {limits.max_input_bytes:,} bytes",
                        hint="raise limits.max-input-bytes if you trust the file",
                    )
                digest.update(chunk)
        except OSError as error:
            raise InputError(f"{name}: cannot be read: {error.strerror or error}") from error
    if size == 0:
        raise InputError(f"{name}: the file is empty")
    return Document(path.absolute(), name, sniff(path), digest.hexdigest(), size)


def _open(path: Path, name: str) -> BinaryIO:
    try:
        if path.is_dir():
            raise InputError(f"{name}: is a folder")
        if path.exists() and not path.is_file():
            raise InputError(f"{name}: is not a regular file")
        return path.open("rb")
    except FileNotFoundError:
        raise InputError(f"{name}: no such file") from None
    except PermissionError:
        raise InputError(f"{name}: no permission to read it") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{name}: cannot be opened: {reason}") from None
