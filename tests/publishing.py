"""A real HTTP server on this machine that publishes one file, and misbehaves as it is told."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answer = Callable[["Handler"], None]


class Publisher:
    """Answers requests by its list of answers, the last one again and again.

    Attributes:
        data: The file.
        answers: What to do with the first request, the second …
        asked: For each request its path and its ``Range`` header.
        etag: Sent with each answer, if any.
        released: Thrown at the end, so that no answer that stalls outlives its test.
    """

    def __init__(self, data: bytes) -> None:
        self.data, self.answers, self.etag = data, [whole], ""
        self.asked: list[tuple[str, str]] = []
        self.released = threading.Event()
        self.under_way = threading.Event()
        publisher = self

        class Bound(Handler):
            owner = publisher

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Bound)
        self._server.daemon_threads = True
        self.base = f"http://127.0.0.1:{self._server.server_port}"

    @contextmanager
    def running(self) -> Iterator[Publisher]:
        thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield self
        finally:
            self.released.set()
            self._server.shutdown()
            thread.join()
            self._server.server_close()


class Handler(BaseHTTPRequestHandler):
    owner: Publisher

    def do_GET(self) -> None:
        number = len(self.owner.asked)
        self.owner.asked.append((self.path, self.headers.get("Range", "")))
        answers = self.owner.answers
        answers[min(number, len(answers) - 1)](self)

    def begin(self, status: int, **headers: str | int) -> None:
        self.send_response(status)
        if self.owner.etag:
            self.send_header("ETag", self.owner.etag)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


def whole(handler: Handler) -> None:
    """All of the file, whatever part of it was asked for."""
    handler.begin(200, Content_Length=len(handler.owner.data))
    handler.wfile.write(handler.owner.data)


def ranged(handler: Handler) -> None:
    """What was asked for, as a server that knows ``Range`` and ``If-Range``."""
    wanted, only_if = handler.headers.get("Range", ""), handler.headers.get("If-Range", "")
    if not wanted or (only_if and only_if != handler.owner.etag):
        whole(handler)
        return
    data, start = handler.owner.data, int(wanted.removeprefix("bytes=").rstrip("-"))
    if start >= len(data):
        handler.begin(416, Content_Range=f"bytes */{len(data)}")
        return
    handler.begin(
        206, Content_Length=len(data) - start,
        Content_Range=f"bytes {start}-{len(data) - 1}/{len(data)}",
    )  # fmt: skip
    handler.wfile.write(data[start:])


def half(handler: Handler) -> None:
    """Promise all, send half of it, and hang up."""
    data = handler.owner.data
    handler.begin(200, Content_Length=len(data))
    handler.wfile.write(data[: len(data) // 2])


def cut(data: bytes, at: int, **headers: str | int) -> Answer:
    """Promise some bytes, send them up to ``at``, and hang up."""

    def answer(handler: Handler) -> None:
        handler.begin(200, **{"Content_Length": len(data), **headers})
        handler.wfile.write(data[:at])

    return answer


def cut_range(at: int) -> Answer:
    """Begin where it was asked to, and hang up early."""

    def answer(handler: Handler) -> None:
        data, wanted = handler.owner.data, handler.headers.get("Range", "")
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
        handler.begin(
            206 if wanted else 200, Content_Length=len(data) - start,
            Content_Range=f"bytes {start}-{len(data) - 1}/{len(data)}",
        )  # fmt: skip
        handler.wfile.write(data[start : start + at])

    return answer


def stall(handler: Handler) -> None:
    """Send half, then nothing more, without hanging up."""
    half(handler)
    handler.wfile.flush()
    handler.owner.under_way.set()
    handler.owner.released.wait(30)
    handler.close_connection = True


def slow(handler: Handler) -> None:
    """Send the file in twenty pieces, a hundredth of a second between them."""
    data = handler.owner.data
    handler.begin(200, Content_Length=len(data))
    step = len(data) // 20 + 1
    for start in range(0, len(data), step):
        handler.wfile.write(data[start : start + step])
        handler.wfile.flush()
        handler.owner.under_way.set()
        handler.owner.released.wait(0.01)


def endless(handler: Handler) -> None:
    """No length, and no end."""
    handler.begin(200)
    pour(handler)


def endless_redirect(handler: Handler) -> None:
    """A redirect whose body has no end."""
    handler.begin(302, Location="/elsewhere")
    pour(handler)


def pour(handler: Handler) -> None:
    try:
        while not handler.owner.released.is_set():
            handler.wfile.write(b"0" * 65536)
    except OSError:
        pass


def sending(data: bytes, **headers: str | int) -> Answer:
    """Other bytes than the file's."""

    def answer(handler: Handler) -> None:
        handler.begin(200, **{"Content_Length": len(data), **headers})
        handler.wfile.write(data)

    return answer


def status(code: int) -> Answer:
    """An error."""
    return lambda handler: handler.begin(code, Content_Length=0)


def redirect(to: str) -> Answer:
    """Somewhere else."""
    return lambda handler: handler.begin(302, Location=to, Content_Length=0)
