"""A file is what its content says."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image

from ensemble_core.model import InputError
from ensemble_core.sniff import HEAD, MUSICXML, MXL, sniff

SCORE = '<?xml version="1.0" encoding="{0}"?>\n<!-- a score -->\n<score-partwise version="4.0"/>'
DOCTYPE = (
    '<?xml version="1.0"?><!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 4.0'
    ' Partwise//EN" "http://www.musicxml.org/dtds/partwise.dtd"><score-partwise/>'
)


def picture(format: str, mode: str = "RGB") -> bytes:
    stream = io.BytesIO()
    Image.new(mode, (5, 4)).save(stream, format)
    return stream.getvalue()


def zipped(*names: str, mimetype: str = "", padding: int = 0) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        if mimetype:
            archive.writestr("mimetype", mimetype)
        for name in names:
            archive.writestr(name, "x" + "0" * padding)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (picture("PNG"), "image/png"),
        (picture("JPEG"), "image/jpeg"),
        (picture("TIFF"), "image/tiff"),
        (picture("GIF", "P"), "image/gif"),
        (picture("BMP"), "image/bmp"),
        (picture("WEBP"), "image/webp"),
        (picture("PPM"), "image/x-portable-anymap"),
        (picture("PPM", "1"), "image/x-portable-anymap"),
        (b"P2\n# comment\n2 2\n255\n0 0 0 0", "image/x-portable-anymap"),
        (b"II+\0\x08\0\0\0", "image/tiff"),
        (b"%PDF-1.7\n", "application/pdf"),
        (b"\r\n junk \n%PDF-1.4\n", "application/pdf"),
        (SCORE.format("UTF-8").encode(), MUSICXML),
        (b"\xef\xbb\xbf" + SCORE.format("UTF-8").encode(), MUSICXML),
        (SCORE.format("UTF-16").encode("utf-16"), MUSICXML),
        (SCORE.format("UTF-16").encode("utf-16-be"), MUSICXML),
        (b"\xfe\xff" + SCORE.format("UTF-16").encode("utf-16-be"), MUSICXML),
        (SCORE.format("ISO-8859-1").encode("latin-1"), MUSICXML),
        (DOCTYPE.encode(), MUSICXML),
        (DOCTYPE.replace("partwise", "timewise").encode(), MUSICXML),
        (b"  \n<score-timewise>", MUSICXML),
        (b'<!DOCTYPE score-partwise [<!ENTITY a "b">]><score-partwise/>', MUSICXML),
        (b'<?xml version="1.0"?><opml><score-partwise/></opml>', "application/xml"),
        (b"<!DOCTYPE html><html><score-partwise/>", "text/html"),
        (b"<HTML><body>", "text/html"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "image/svg+xml"),
        (zipped("META-INF/container.xml", "score.xml"), MXL),
        (zipped("a.xml", "META-INF/container.xml"), MXL),
        (zipped("score.musicxml"), MXL),
        (zipped("score.xml", mimetype=MXL), MXL),
        (zipped("score.xml"), MXL),
        (zipped("a.txt", "b.xml"), "application/zip"),
        (zipped("[Content_Types].xml", "META-INF/container.xml"), "application/zip"),
        (zipped("META-INF/container.xml", mimetype="application/epub+zip"), "application/epub+zip"),
        (zipped("META-INF/container.xml", "s.mscx"), "application/x-musescore+zip"),
        (b"MThd\0\0\0\x06", "audio/midi"),
        (b"\0\0\0\x18ftypheic", "image/heic"),
        (b"Just words.", "text/plain"),
        ("Grüße".encode(), "text/plain"),
        (b"BM is not a bitmap", "text/plain"),
        (b"\0\1\2\3", "application/octet-stream"),
        (b"\xff\xfe\xfd", "application/octet-stream"),
        (b"", "application/octet-stream"),
    ],
)
def test_content_decides(content: bytes, expected: str, tmp_path: Path) -> None:
    assert sniff(content) == expected
    path = tmp_path / "misleading.jpg"
    path.write_bytes(content)
    assert sniff(path) == expected
    assert sniff(str(path)) == expected


def test_a_zip_directory_far_from_the_start_is_found(tmp_path: Path) -> None:
    path = tmp_path / "late.mxl"
    path.write_bytes(zipped("big.xml", "META-INF/container.xml", padding=4 * HEAD))
    assert sniff(path) == MXL


def test_text_cut_inside_a_letter_is_text() -> None:
    assert sniff(("x" * (HEAD - 1) + "é").encode()) == "text/plain"


def test_unreadable_file_is_a_typed_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        sniff(tmp_path / "nothing.png")


@given(st.binary(max_size=300))
@example(b"PK\x03\x04")
@example(b"<!DOCTYPE x [")
@example(b"<?xml")
def test_random_bytes_never_raise(content: bytes) -> None:
    assert "/" in sniff(content)


@given(
    st.sampled_from([b"PK\x03\x04", b"<!DOCTYPE ", b"<score-", b"<\0s\0", b"\x89PNG", b"%PDF-"]),
    st.binary(max_size=200),
)
def test_random_bytes_behind_a_real_beginning_never_raise(start: bytes, rest: bytes) -> None:
    assert "/" in sniff(start + rest)
