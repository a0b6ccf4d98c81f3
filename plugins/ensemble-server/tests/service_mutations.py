"""Uploads that are not as they should be: good ones, damaged in one of many ways."""

from __future__ import annotations

import http.client
import json
import random
import struct
import zlib
from collections import Counter
from collections.abc import Callable
from io import BytesIO
from typing import Any

import attrs

BOUNDARY = b"edge"
Body = tuple[dict[str, str], bytes]


@attrs.define
class Parts:
    """An upload before it is put together."""

    data: bytes
    name: str = "page.png"
    field: str = "files"
    options: str = '{"recognizer": "mock", "export": ["musicxml"]}'
    more: dict[str, str] = attrs.field(factory=dict)
    times: int = 1
    media: str = "image/png"

    def body(self) -> bytes:
        """As multipart."""
        pieces = [self._field("options", self.options)]
        pieces += [self._field(name, value) for name, value in self.more.items()]
        head = f'Content-Disposition: form-data; name="{self.field}"; filename="{self.name}"\r\n'
        head += f"Content-Type: {self.media}\r\n\r\n"
        file = b"--" + BOUNDARY + b"\r\n" + head.encode("utf-8", "surrogatepass")
        pieces += [file + self.data + b"\r\n"] * self.times
        return b"".join(pieces) + b"--" + BOUNDARY + b"--\r\n"

    @staticmethod
    def _field(name: str, value: str) -> bytes:
        head = f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        return b"--" + BOUNDARY + b"\r\n" + head.encode("utf-8", "surrogatepass")


def pictures() -> list[bytes]:
    """Small good files of each kind."""
    from PIL import Image

    made = []
    for kind in ("PNG", "JPEG", "TIFF", "BMP", "WEBP", "PDF", "GIF"):
        stream = BytesIO()
        Image.new("L", (40, 60), 255).save(stream, kind)
        made.append(stream.getvalue())
    stream = BytesIO()
    pages = [Image.new("1", (30, 40), 1) for _ in range(3)]
    pages[0].save(stream, "TIFF", save_all=True, append_images=pages[1:])
    return [*made, stream.getvalue()]


def huge_png(side: int = 60_000) -> bytes:
    """A PNG that says it is enormous."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    rows = zlib.compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


NAMES = (
    "../../../../etc/passwd", "..\\..\\windows\\system.ini", "/etc/shadow", "C:\\x.png", "a\x00.png",
    "<script>alert(1)</script>.png", "\"><img src=x onerror=alert(1)>", "{{7*7}}.png", "%2e%2e%2f",
    "\u202egnp.exe", "\ud800.png", "x" * 3000, "", ".", "..", "con", "-rf", "a\r\nX-Evil: 1", "😀.png",
    "'; DROP TABLE jobs; --", "$(touch x).png", "|id", "~", "a/b/c/../d.png",
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, -1, 0, 1e308, 10**40, "", "x" * 5000, [], [[]], {}, {"use": "mock"}, {"use": None},
    {"use": {"use": "mock"}}, ["mock"] * 50, "../mock", "mock\x00", "ensemble_core:Pipeline", "auto",
    {"use": "mock", "fault": "crash"}, "os:system", float("inf"),
)  # fmt: skip
KEYS = ("recognizer", "export", "preprocess", "fallback", "options", "run", "limits", "__class__")


class Mutations:
    """Makes damaged uploads, the same for the same seed."""

    def __init__(self, seed: int = 1) -> None:
        self.random = random.Random(seed)
        self.good = pictures()
        self.kinds: list[Callable[[], Body]] = [
            self.flipped, self.cut, self.grown, self.swapped, self.named, self.optioned, self.fielded,
            self.structure, self.headers, self.enormous, self.many, self.text,
        ]  # fmt: skip

    def make(self, number: int) -> tuple[str, Body]:
        """One upload, and what kind of damage it has."""
        kind = self.kinds[number % len(self.kinds)]
        return kind.__name__, kind()

    def _file(self) -> bytes:
        return self.random.choice(self.good)

    def _plain(self, parts: Parts) -> Body:
        head = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY.decode()}"}
        return head, parts.body()

    def flipped(self) -> Body:
        """Some bits of the file are others."""
        data = bytearray(self._file())
        for _ in range(self.random.choice((1, 3, 20, 200))):
            data[self.random.randrange(len(data))] ^= 1 << self.random.randrange(8)
        return self._plain(Parts(bytes(data)))

    def cut(self) -> Body:
        """The file ends early, or begins late."""
        data = self._file()
        place = self.random.randrange(len(data))
        return self._plain(Parts(data[:place] if self.random.random() < 0.7 else data[place:]))

    def grown(self) -> Body:
        """There is something after, before or within the file."""
        data, more = self._file(), self.random.randbytes(self.random.choice((1, 100, 100_000)))
        place = self.random.choice((0, len(data), self.random.randrange(len(data))))
        return self._plain(Parts(data[:place] + more + data[place:]))

    def swapped(self) -> Body:
        """Two files in one, or a name that lies."""
        one, other = self._file(), self._file()
        data = one[: len(one) // 2] + other[len(other) // 2 :]
        return self._plain(Parts(data, name=self.random.choice(("a.pdf", "a.svg", "a.html", "a"))))

    def named(self) -> Body:
        """The name is a trick."""
        more = {"name": self.random.choice(NAMES)} if self.random.random() < 0.5 else {}
        return self._plain(Parts(self._file(), name=self.random.choice(NAMES), more=more))

    def optioned(self) -> Body:
        """The options are nonsense."""
        asked: Any = {"recognizer": "mock", "export": ["musicxml"]}
        for _ in range(self.random.randrange(1, 4)):
            asked[self.random.choice(KEYS)] = self.random.choice(VALUES)
        if self.random.random() < 0.3:
            asked["options"] = {
                self.random.choice(("mock", "deskew", "x")): self.random.choice(VALUES)
            }
        if self.random.random() < 0.2:
            asked = self.random.choice(VALUES)
        return self._plain(Parts(self._file(), options=json.dumps(asked)))

    def fielded(self) -> Body:
        """Fields are missing, unknown, or no numbers."""
        key = self.random.choice(
            ("priority", "deadline", "name", "options", "files", "x", "a" * 500)
        )
        value = self.random.choice(
            ("", "1", "-11", "1e400", "nan", "٣", "\x00", "[" * 5000, "x" * 200_000)
        )
        field = self.random.choice(("files", "file", "x", "", "options"))
        return self._plain(Parts(self._file(), field=field, more={key: value}))

    def structure(self) -> Body:
        """The body's own structure is damaged."""
        head, body = self._plain(Parts(self._file()))
        data = bytearray(body)
        kind = self.random.randrange(4)
        if kind == 0:
            del data[self.random.randrange(len(data)) :]
        elif kind == 1:
            place = self.random.randrange(min(300, len(data)))
            data[place : place + self.random.randrange(1, 20)] = self.random.randbytes(5)
        elif kind == 2:
            data = data.replace(b"\r\n", b"\n")
        else:
            data = data.replace(b"Content-Disposition", b"Content-Disposition: x\r\nX" * 200)
        return head, bytes(data)

    def headers(self) -> Body:
        """The request's headers are damaged."""
        head, body = self._plain(Parts(self._file()))
        head["Content-Type"] = self.random.choice((
            "multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=x",
            "multipart/mixed; boundary=edge", "application/json", "", "multipart/form-data; boundary=" + "b" * 5000,
            'multipart/form-data; boundary="ed\\"ge"', "image/png",
        ))  # fmt: skip
        if self.random.random() < 0.3:
            head["Idempotency-Key"] = self.random.choice(("k", "x" * 300, "\xff", " "))
        return head, body

    def enormous(self) -> Body:
        """A picture that says it is very large, or is nothing but zeros when unpacked."""
        side = self.random.choice((20_000, 60_000, 2**31 - 1))
        return self._plain(Parts(huge_png(side)))

    def many(self) -> Body:
        """More files than are allowed, or exactly as many."""
        return self._plain(Parts(self.good[0], times=self.random.choice((50, 51, 300))))

    def text(self) -> Body:
        """Something else entirely."""
        data = self.random.choice((
            b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", b"<!DOCTYPE html><script>1</script>",
            b"PK\x03\x04" + bytes(60), b"%PDF-1.7\n%%EOF", b"%!PS\n", b"GIF89a" + bytes(20), b"\x00" * 1000,
            b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>", b"MThd",
            b"#!/bin/sh\nid\n", b"\x1f\x8b" + bytes(50), b"II*\x00" + b"\xff" * 100,
        ))  # fmt: skip
        return self._plain(Parts(data, name=self.random.choice(NAMES), media="image/svg+xml"))


@attrs.define
class Answers:
    """What came back.

    Attributes:
        statuses: How often which.
        codes: The codes of the problems.
        accepted: Ids of jobs.
        wrong: What must not be.
    """

    statuses: Counter[int] = attrs.field(factory=Counter)
    codes: Counter[str] = attrs.field(factory=Counter)
    accepted: list[str] = attrs.field(factory=list)
    wrong: list[str] = attrs.field(factory=list)


def send_all(host: str, port: int, count: int, seed: int = 1) -> Answers:
    """Send so many damaged uploads, and look at each answer."""
    mutations, answers = Mutations(seed), Answers()
    for number in range(count):
        kind, (headers, body) = mutations.make(number)
        connection = http.client.HTTPConnection(host, port, timeout=60)
        try:
            connection.request("POST", "/v1/jobs", body, headers)
            answer = connection.getresponse()
            text = answer.read()
        except (ConnectionError, http.client.HTTPException) as error:
            answers.wrong.append(f"{number} {kind}: {error!r}")
            continue
        finally:
            connection.close()
        answers.statuses[answer.status] += 1
        _judge(answers, f"{number} {kind}", answer, text)
    return answers


def _judge(answers: Answers, which: str, answer: http.client.HTTPResponse, text: bytes) -> None:
    if answer.status in {200, 202}:
        answers.accepted.append(json.loads(text)["id"])
        return
    if answer.headers.get_content_type() != "application/problem+json":
        answers.wrong.append(f"{which}: {answer.status} {answer.headers.get_content_type()}")
        return
    problem = json.loads(text)
    answers.codes[problem["code"]] += 1
    if not 400 <= answer.status < 500 or problem["status"] != answer.status:
        answers.wrong.append(f"{which}: {answer.status} {problem}")
