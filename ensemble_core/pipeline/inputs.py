"""From what the user gave to documents: read once, hashed, sniffed, within limits."""

from __future__ import annotations

import hashlib
import io
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


def open_document(source: Source, name: str, workspace: Path, limits: Limits) -> Document:
    """Hash and sniff a source; bytes and streams are written into the workspace.

    Raises:
        InputError: It does not exist, is not a file, is empty or cannot be read.
        LimitExceeded: It has more bytes than allowed.
    """
    path, stream = _open(source, name, workspace)
    digest, size = hashlib.sha256(), 0
    copy = path.open("xb") if not isinstance(source, str | Path) else None
    try:
        while chunk := stream.read(CHUNK):
            size += len(chunk)
            if size > limits.max_input_bytes:
                raise LimitExceeded(
                    f"{name}: more than {limits.max_input_bytes:,} bytes",
                    hint="raise limits.max-input-bytes if you trust the file",
                )
            digest.update(chunk)
            if copy:
                copy.write(chunk)
    except OSError as error:
        raise InputError(f"{name}: cannot be read: {error.strerror or error}") from error
    finally:
        if stream is not source:
            stream.close()
        if copy:
            copy.close()
    if size == 0:
        raise InputError(f"{name}: the file is empty")
    return Document(path, name, sniff(path), digest.hexdigest(), size)


def _open(source: Source, name: str, workspace: Path) -> tuple[Path, BinaryIO]:
    if isinstance(source, str | Path):
        path = Path(source)
        try:
            if path.is_dir():
                raise InputError(f"{source}: is a folder")
            if path.exists() and not path.is_file():
                raise InputError(f"{source}: is not a regular file")
            return path.absolute(), path.open("rb")
        except FileNotFoundError:
            raise InputError(f"{source}: no such file") from None
        except PermissionError:
            raise InputError(f"{source}: no permission to read it") from None
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise InputError(f"{source}: cannot be opened: {reason}") from None
    stream = io.BytesIO(source) if isinstance(source, bytes) else source
    number = len(list(workspace.iterdir()))
    return workspace / f"source-{number}{Path(name).suffix[:16]}", stream
