"""Uploads, read as they come: nothing is held whole in memory, nothing is written twice.

The body is parsed on the event loop; what comes out of it is handed to a thread a megabyte at a
time, which writes. A small upload takes a single visit to that thread, which it shares with those
that come at the same time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request

from ..records.tables import Job
from ..records.together import Work
from ..service.intake import Intake, Wish, too_large
from .errors import Problem
from .reception import Reception

_BATCH = 1 << 20
_FIELDS_BYTES = 100_000
FILE_FIELDS = ("files", "file")

MakeWish = Callable[[dict[str, str]], Wish]
Act = tuple[str, Any]


class Upload:
    """A multipart body on its way into an intake.

    Args:
        intake: Where the files go.
        boundary: Of the parts.
    """

    def __init__(self, intake: Intake, boundary: bytes) -> None:
        self._intake = intake
        self._acts: list[Act] = []
        self._size = 0
        self._fields: dict[str, str] = {}
        self._fields_size = 0
        self._headers: dict[str, str] = {}
        self._header, self._value = b"", b""
        self._field: str | None = None
        self._text = bytearray()
        self._complete = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._part_begin,
                "on_header_field": self._on_header,
                "on_header_value": self._on_value,
                "on_header_end": self._on_header_end,
                "on_headers_finished": self._headers_finished,
                "on_part_data": self._data,
                "on_part_end": self._part_end,
                "on_end": self._end,
            },
        )

    def feed(self, chunk: bytes) -> None:
        """Parse a piece of the body.

        Raises:
            Problem: 400 if it is malformed; 413 if the fields are too large.
        """
        try:
            self._parser.write(chunk)
        except MultipartParseError as error:
            raise Problem(400, "invalid-multipart", f"The body is malformed: {error}") from None

    @property
    def full(self) -> bool:
        """Whether there is enough to be written."""
        return self._size >= _BATCH

    def write(self) -> None:
        """Hand over what there is; in a thread."""
        acts, self._acts, self._size = self._acts, [], 0
        for kind, value in acts:
            if kind == "data":
                self._intake.write(value)
            elif kind == "file":
                self._intake.begin_file(value)
            else:
                self._intake.end_file()

    def finishing(self, make_wish: MakeWish) -> Work[tuple[Job, bool]]:
        """Hand over the rest and put the job into the queue; in a thread."""
        try:
            if not self._complete:
                raise Problem(400, "invalid-multipart", "The body ends too early.")
            wish = make_wish(self._fields)
            yield from self._intake.beginning()
            self.write()
            return (yield from self._intake.finishing(wish))
        except BaseException:
            self._intake.abort()
            raise

    def _part_begin(self) -> None:
        self._headers, self._header, self._value = {}, b"", b""

    def _on_header(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _on_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header_end(self) -> None:
        name = self._header.decode("latin-1").lower()
        # What is in it is UTF-8 in practice; the parser of options wants latin-1 and gives bytes.
        self._headers[name] = self._value.decode("latin-1")
        self._header, self._value = b"", b""

    def _headers_finished(self) -> None:
        _, options = parse_options_header(self._headers.get("content-disposition", ""))
        name = options.get(b"name", b"").decode("utf-8", "replace")
        given = options.get(b"filename")
        if given is not None or name in FILE_FIELDS:
            if name not in FILE_FIELDS:
                raise Problem(422, "invalid-request", "Files belong into the field `files`.")
            self._field = None
            self._acts.append(("file", (given or b"").decode("utf-8", "replace")))
        else:
            self._field, self._text = name, bytearray()

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._field is None:
            self._acts.append(("data", data[start:end]))
            self._size += end - start
            return
        self._fields_size += end - start
        if self._fields_size > _FIELDS_BYTES:
            raise Problem(413, "fields-too-large", "The fields beside the files are too large.")
        self._text += data[start:end]

    def _part_end(self) -> None:
        if self._field is None:
            self._acts.append(("end", None))
        else:
            self._fields[self._field] = self._text.decode("utf-8", "replace")

    def _end(self) -> None:
        self._complete = True


async def receive(
    request: Request, intake: Intake, make_wish: MakeWish, most: int
) -> tuple[Job, bool]:
    """Read an upload and put it into the queue.

    Args:
        request: Its request.
        intake: Where the files go.
        make_wish: Makes the rest of the request of the other fields.
        most: Bytes the whole body may have.

    Raises:
        Problem: 413 before anything is read if the body says that it is too large, or while it is
            read; 400 and 415 if it is no multipart body; and as :meth:`Intake.finish` says.
    """
    upload = Upload(intake, _boundary(request))
    _check_length(request, most)
    size = 0
    try:
        async for chunk in request.stream():
            if not chunk:  # the last one is
                continue
            size += len(chunk)
            if size > most:
                raise too_large(most)
            upload.feed(chunk)
            if upload.full:
                await run_in_threadpool(upload.write)
    except ClientDisconnect:
        await run_in_threadpool(intake.abort)
        raise Problem(400, "upload-aborted", "The upload was cut short.") from None
    except BaseException:
        await run_in_threadpool(intake.abort)
        raise
    reception: Reception = request.app.state.reception
    return await reception.finish(upload.finishing(make_wish))


def _boundary(request: Request) -> bytes:
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    boundary: bytes = options.get(b"boundary", b"")
    if kind != b"multipart/form-data":
        raise Problem(415, "not-multipart", "Send the files as multipart/form-data.")
    if not boundary or len(boundary) > 200:
        raise Problem(400, "invalid-multipart", "The Content-Type has no proper boundary.")
    return boundary


def _check_length(request: Request, most: int) -> None:
    given = request.headers.get("content-length", "")
    if given.isdigit() and int(given) > most:
        # The rest of the body is not read, so this connection cannot be used again.
        problem = too_large(most)
        problem.headers["Connection"] = "close"
        raise problem
