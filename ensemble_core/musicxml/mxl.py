"""Compressed MusicXML (.mxl): a ZIP with META-INF/container.xml that names the score in it.

Layout of the container: https://www.w3.org/2021/06/musicxml40/tutorial/compressed-mxl-files/
"""

from __future__ import annotations

import io
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from ensemble_core.model import InputError, LimitExceeded, Limits

from .reading import MEDIA_TYPE, MXL_MEDIA_TYPE, parse

CONTAINER = "META-INF/container.xml"
_EPOCH = (1980, 1, 1, 0, 0, 0)
_CONTAINER_TEXT = f"""<?xml version="1.0" encoding="UTF-8"?>
<container>
  <rootfiles>
    <rootfile full-path="score.musicxml" media-type="{MEDIA_TYPE}"/>
  </rootfiles>
</container>
"""


def read_mxl(path: Path, limits: Limits | None = None, what: str = "") -> bytes:
    """The MusicXML document inside a compressed file; nothing is unpacked to disk.

    Args:
        path: The .mxl file.
        limits: ``max_input_bytes`` bounds the uncompressed document too.
        what: What messages call it; by default the file's name.

    Raises:
        InputError: Not a ZIP, damaged, encrypted, or without a score.
        LimitExceeded: It would unpack to more than the limit; nothing was unpacked.
    """
    what = what or path.name
    most = int((limits or Limits()).max_input_bytes)
    try:
        with zipfile.ZipFile(path) as archive:
            return _member(archive, _rootfile(archive, what, most), what, most)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{what}: not a readable .mxl file: {reason}") from error


def write_mxl(musicxml: bytes) -> bytes:
    """The document as a compressed file; the same input always gives the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        # The MIME type stands first and uncompressed, so that tools can sniff it.
        _add(archive, "mimetype", MXL_MEDIA_TYPE.encode(), zipfile.ZIP_STORED)
        _add(archive, CONTAINER, _CONTAINER_TEXT.encode(), zipfile.ZIP_DEFLATED)
        _add(archive, "score.musicxml", musicxml, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _add(archive: zipfile.ZipFile, name: str, data: bytes, method: int) -> None:
    info = zipfile.ZipInfo(name, _EPOCH)
    info.compress_type = method
    info.create_system = 3
    info.external_attr = 0o644 << 16
    archive.writestr(info, data, compresslevel=6)


def _rootfile(archive: zipfile.ZipFile, what: str, most: int) -> str:
    """Name of the score in the archive: what the container says, else the only XML there is."""
    names = archive.namelist()
    if CONTAINER in names:
        root = parse(_member(archive, CONTAINER, what, min(most, 1_000_000)), f"{what}: container")
        for rootfile in root.iterfind(".//{*}rootfile"):
            name = rootfile.get("full-path", "")
            kind = rootfile.get("media-type", "")
            if kind in ("", MEDIA_TYPE) or name.endswith((".xml", ".musicxml")):
                return _inside(name, names, what)
        raise InputError(f"{what}: its container names no score")
    scores = [
        name
        for name in names
        if name.lower().endswith((".xml", ".musicxml")) and not name.startswith(("META-INF/", "__"))
    ]
    if len(scores) != 1:
        raise InputError(f"{what}: the archive holds no MusicXML score")
    return scores[0]


def _inside(name: str, names: list[str], what: str) -> str:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name:
        raise InputError(f"{what}: its container points outside the archive")
    if name not in names:
        raise InputError(f"{what}: its container names {name!r}, which is not in the archive")
    return name


def _member(archive: zipfile.ZipFile, name: str, what: str, most: int) -> bytes:
    info = archive.getinfo(name)
    if info.flag_bits & 0x1:
        raise InputError(f"{what}: the archive is encrypted")
    if info.file_size > most:
        raise LimitExceeded(
            f"{what}: unpacks to {info.file_size:,} bytes, the limit is {most:,}",
            hint="raise limits.max-input-bytes if you trust the file",
        )
    with archive.open(info) as stream:
        # The header may lie about the size, so the stream itself is bounded as well.
        data = stream.read(most + 1)
    if len(data) > most:
        raise LimitExceeded(f"{what}: unpacks to more than {most:,} bytes")
    return data
