"""Bad and odd scores: MusicXML, compressed MusicXML, and what only looks like them."""

from __future__ import annotations

import io
import struct
import zipfile
from functools import lru_cache

from .table import INPUT, LIMIT, BadFile, content

MEASURE = (
    '<measure number="1"><attributes><divisions>1</divisions><time><beats>4</beats>'
    "<beat-type>4</beat-type></time></attributes><note><pitch><step>C</step><octave>4</octave>"
    "</pitch><duration>4</duration><type>whole</type></note></measure>"
)
PARTS = '<part-list><score-part id="P1"><part-name>Flute</part-name></score-part></part-list>'
SCORE = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<score-partwise version="4.0">'
    f'{PARTS}<part id="P1">{MEASURE}</part></score-partwise>'
)
TIMEWISE = (
    f'<?xml version="1.0"?><score-timewise version="4.0">{PARTS}'
    + MEASURE.replace('"1">', '"1"><part id="P1">', 1).replace("</measure>", "</part></measure>")
    + "</score-timewise>"
)
CONTAINER = (
    '<?xml version="1.0"?><container><rootfiles><rootfile full-path="{0}"/></rootfiles></container>'
)


def entities(definitions: str, use: str) -> bytes:
    """The score with a DOCTYPE that declares entities, and one in the part's name."""
    doctype = f"<!DOCTYPE score-partwise [{definitions}]>\n<score-partwise"
    return SCORE.replace("<score-partwise", doctype, 1).replace("Flute", use).encode()


LAUGHS = '<!ENTITY a0 "ha">' + "".join(
    f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 11)
)


def zipped(*files: tuple[str, bytes | str], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, data in files:
            archive.writestr(name, data)
    return stream.getvalue()


def mxl(score: bytes | str, name: str = "score.xml", inside: str = "score.xml") -> bytes:
    return zipped(("META-INF/container.xml", CONTAINER.format(name)), (inside, score))


@lru_cache
def bomb() -> bytes:
    """600 MB of spaces inside a score, as a few hundred KB."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("META-INF/container.xml", CONTAINER.format("score.xml"))
        with archive.open("score.xml", "w") as member:
            for _ in range(600):
                member.write(b" " * 1_000_000)
    return stream.getvalue()


def lying_bomb() -> bytes:
    """The bomb, with a directory that says it unpacks to 100 bytes."""
    data = bytearray(bomb())
    at = data.rindex(b"PK\x01\x02")
    data[at + 24 : at + 28] = struct.pack("<I", 100)
    return bytes(data)


def locked() -> bytes:
    """Every entry says it is encrypted."""
    data = bytearray(mxl(SCORE))
    for magic, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.find(magic)
        while at >= 0:
            data[at + flags] |= 1
            at = data.find(magic, at + 4)
    return bytes(data)


DEEP = b'<?xml version="1.0"?><score-partwise>' + b"<part>" * 100_000

SCORES = (
    BadFile("laughs.musicxml", content(entities(LAUGHS, "&a10;")), INPUT, "entities"),
    BadFile("outside.musicxml", content(entities('<!ENTITY x SYSTEM "file:///etc/passwd">', "&x;")),
            INPUT, "entities"),
    BadFile("remote.musicxml", content(entities('<!ENTITY % x SYSTEM "http://localhost:9/x">%x;', "")),
            INPUT, "entities"),
    BadFile("half.musicxml", content(SCORE[: len(SCORE) // 2].encode()), INPUT, "XML"),
    BadFile("deep.musicxml", content(DEEP), INPUT, "XML"),
    BadFile("other.xml", content(b'<?xml version="1.0"?><rss><channel/></rss>'), INPUT, "xml"),
    BadFile("wrong-encoding.musicxml",
            content(SCORE.replace("Flute", "Flöte").encode("latin-1")), INPUT, "XML"),
    BadFile("nothing-in-it.musicxml", content(b"<score-partwise/>"), INPUT, "musicxml"),
    BadFile("timewise.xml", content(TIMEWISE.encode()), (0,)),
    BadFile("sixteen.musicxml", content(SCORE.replace("UTF-8", "UTF-16").encode("utf-16")), (0,)),
    BadFile("bomb.mxl", content(bomb), LIMIT, "bytes"),
    BadFile("lying-bomb.mxl", content(lying_bomb), (3, 10), "lying-bomb.mxl"),
    BadFile("no-container.mxl", content(zipped(("a.xml", SCORE), ("b.xml", SCORE))), INPUT, "zip"),
    BadFile("traversal.mxl", content(mxl(SCORE, "../../etc/passwd")), INPUT, "container"),
    BadFile("missing-score.mxl", content(mxl(SCORE, "elsewhere.xml")), INPUT, "container"),
    BadFile("locked.mxl", content(locked()), INPUT, "encrypted"),
    BadFile("half.mxl", content(mxl(SCORE * 50)[:300]), INPUT, "mxl"),
    BadFile("laughs.mxl", content(mxl(entities(LAUGHS, "&a10;"))), INPUT, "entities"),
    BadFile("holiday.zip", content(zipped(("beach.txt", "sun"))), INPUT, "zip"),
    BadFile("song.mid", content(b"MThd\0\0\0\6\0\0\0\1\1\xe0MTrk\0\0\0\4\0\xff/\0"), INPUT, "midi"),
    BadFile("page.html", content(b"<html><body>no music</body></html>"), INPUT, "html"),
    BadFile("score.svg", content(b'<svg xmlns="http://www.w3.org/2000/svg"/>'), INPUT, "svg"),
)  # fmt: skip
