"""MusicXML in and out: a score given as input, and the exporter everybody has."""

from __future__ import annotations

from pathlib import Path

import attrs

from ensemble_core.model import (
    Artifact,
    Context,
    ContractError,
    Document,
    InputError,
    LimitExceeded,
    Score,
    option,
)
from ensemble_core.musicxml import (
    MEDIA_TYPE,
    MXL_MEDIA_TYPE,
    check_wellformed_score,
    parse,
    read_mxl,
    score_from,
    serialize,
    to_partwise,
    write_mxl,
)

LARGE = 16_000_000
"""Bytes above which a score is written as it is, without indenting it."""


class MusicXmlLoader:
    """Reads .musicxml, .xml and .mxl files, partwise or timewise, of any version."""

    def read(self, document: Document, ctx: Context) -> Score:
        """Give the score as MusicXML 4.0 partwise.

        Raises:
            InputError: Not MusicXML, damaged, or its parts do not fit together.
            LimitExceeded: It is larger than ``limits.max_input_bytes``, also unpacked.
        """
        ctx.check()
        what = document.name
        data = self._bytes(document, ctx)
        ctx.check()
        score = score_from(to_partwise(parse(data, what), what))
        try:
            check_wellformed_score(score.musicxml, what)
        except ContractError as error:  # here it is the user's file that is broken
            raise InputError(error.message) from error
        ctx.check()
        return score

    @staticmethod
    def _bytes(document: Document, ctx: Context) -> bytes:
        path = Path(document.path)
        most = int(ctx.limits.max_input_bytes)
        try:
            size = path.stat().st_size
            if size > most:
                raise LimitExceeded(
                    f"{document.name}: {size:,} bytes, the limit is {most:,}",
                    hint="raise limits.max-input-bytes if you trust the file",
                )
            with path.open("rb") as stream:
                packed = stream.read(4) == b"PK\x03\x04"
            return read_mxl(path, ctx.limits, document.name) if packed else path.read_bytes()
        except OSError as error:
            raise InputError(f"{document.name}: {error.strerror or error}") from error


@attrs.frozen
class MusicXmlOptions:
    """Options of the exporter ``musicxml``."""

    compressed: bool = option(False, "Write compressed MusicXML (.mxl)")
    indent: bool = option(True, "Indent the XML, for people who read it")


class MusicXmlExporter:
    """Writes the score as it is; the same score always gives the same bytes."""

    def __init__(self, options: MusicXmlOptions | None = None) -> None:
        self.options = options or MusicXmlOptions()

    def export(self, score: Score, ctx: Context) -> tuple[Artifact, ...]:
        """Write one file into ``ctx.workspace``.

        Raises:
            InputError: The score is not MusicXML.
        """
        ctx.check()
        data = self._bytes(score.musicxml)
        if self.options.compressed:
            path, media_type = ctx.workspace / "score.mxl", MXL_MEDIA_TYPE
            data = write_mxl(data)
        else:
            path, media_type = ctx.workspace / "score.musicxml", MEDIA_TYPE
        path.write_bytes(data)
        ctx.check()
        return (Artifact(path, media_type, path.suffix),)

    def _bytes(self, musicxml: bytes) -> bytes:
        from lxml import etree

        if len(musicxml) > LARGE:
            return musicxml  # a tree of it would take twenty times as much memory
        root = parse(musicxml, "the score")
        if root.tag != "score-partwise":
            raise InputError(f"the score is no partwise MusicXML, but <{root.tag}>")
        if not self.options.indent:
            return musicxml
        etree.indent(root, space="  ")
        return serialize(root)
