"""One file over HTTP: redirects held to known hosts, size held to the pinned one, resumed."""

from __future__ import annotations

import contextlib
import hashlib
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from ..model import Cancelled, CancelToken, MissingError, ModelFile
from .origin import Origin, shown
from .store import wrong_size

if TYPE_CHECKING:
    import requests

PIECE = 1 << 15
HOPS = 10
TRIES = 4
"""Attempts in a row that may fail without bringing the file any further."""

BUSY = (408, 425, 429)
"""Answers besides 5xx after which it is worth asking again."""


class BrokenOff(Exception):
    """The transfer ended early, or the server could not answer now; worth another try."""


class Transfer:
    """A downloader as :func:`pooch.retrieve` takes it.

    What has arrived of a file stays in a hidden file beside it and is gone on with, where
    the server can (RFC 9110, section 14) and the file is known to be the same: by its hash,
    or by the server's entity tag.

    Args:
        component: Name of the component, for messages.
        file: What is fetched.
        folder: The component's folder.
        origin: Which hosts may be asked, and how patiently.
        on_bytes: Told how many bytes there are, again and again.
        cancel: Stops it when thrown.
    """

    def __init__(
        self, component: str, file: ModelFile, folder: Path, origin: Origin,
        *, on_bytes: Callable[[int], None], cancel: CancelToken,
    ) -> None:  # fmt: skip
        self._component, self._file, self._origin = component, file, origin
        self._on_bytes, self._cancel = on_bytes, cancel
        identity = hashlib.sha256(f"{file.url} {file.size} {file.sha256}".encode()).hexdigest()
        self.part = folder / f".{file.name}.{identity[:8]}.part"
        self._tag = self.part.with_suffix(".tag")
        self.resumed = False
        """Whether what came was put together from several answers."""

    def __call__(self, url: str, output_file: str, _: Any) -> None:
        """Download ``url`` to ``output_file``.

        Raises:
            MissingError: The server does not give the file.
            Cancelled: The token was thrown.
            OSError: The file cannot be written.
        """
        best, fails = self._size(), 0
        while True:
            try:
                self._attempt(url)
                break
            except BrokenOff as error:
                if self._cancel.cancelled:
                    raise Cancelled("cancelled", component=self._component) from None
                fails = 0 if self._size() > best else fails + 1
                best = max(best, self._size())
                if fails >= TRIES:
                    raise self._failed(url, str(error)) from error
                if self._cancel.wait(self._origin.pause * (1 + fails)):
                    raise Cancelled("cancelled", component=self._component) from None
        self.part.replace(output_file)
        self._tag.unlink(missing_ok=True)

    def discard(self) -> None:
        """Remove what has arrived so far."""
        self.part.unlink(missing_ok=True)
        self._tag.unlink(missing_ok=True)

    def _attempt(self, url: str) -> None:
        """Ask once; go on where the last answer ended."""
        import requests

        done = self._resumable()
        headers = {"Accept-Encoding": "identity"}
        if done:
            headers["Range"] = f"bytes={done}-"
            if tag := self._known_tag():
                headers["If-Range"] = tag
        try:
            with _session() as session, self._ask(session, url, headers) as answer:
                self._receive(url, answer, done)
        except (requests.ConnectionError, requests.Timeout) as error:
            raise BrokenOff(_reason(error)) from error
        except requests.exceptions.ChunkedEncodingError as error:
            raise BrokenOff("the connection broke off") from error
        except requests.RequestException as error:
            raise self._failed(url, _reason(error)) from error

    @contextlib.contextmanager
    def _ask(
        self, session: requests.Session, url: str, headers: dict[str, str]
    ) -> Iterator[requests.Response]:
        """The answer at the end of all redirects, each held to the hosts that may serve."""
        for _ in range(HOPS):
            if objection := self._origin.objection(url, self._file):
                raise MissingError(
                    f"{self._file.name} is not fetched: {objection}", component=self._component,
                    hint="models.allow-hosts names further hosts", code="model-refused",
                )  # fmt: skip
            answer = session.get(
                url, headers=headers, stream=True, allow_redirects=False,
                timeout=self._origin.timeout,
            )  # fmt: skip
            if not answer.is_redirect:
                with answer, self._stopping(answer):
                    yield answer
                return
            answer.close()
            try:
                url = urljoin(url, answer.headers["Location"])
            except ValueError:
                raise self._failed(url, "it redirects to what is no address") from None
        raise self._failed(url, f"more than {HOPS} redirects")

    @contextlib.contextmanager
    def _stopping(self, answer: requests.Response) -> Iterator[None]:
        """Throwing the token ends a read that waits for a silent server."""
        over = threading.Event()

        def watch() -> None:
            while not over.wait(0.1):
                if self._cancel.cancelled:
                    with contextlib.suppress(Exception):
                        answer.raw.shutdown()  # urllib3 2.3; before it, the timeout ends the read
                    return

        threading.Thread(target=watch, daemon=True).start()
        try:
            yield
        finally:
            over.set()

    def _receive(self, url: str, answer: requests.Response, done: int) -> None:
        done = self._begin(url, answer, done)
        self.resumed = self.resumed or done > 0
        length = answer.headers.get("Content-Length", "")
        if length.isdigit() and done + int(length) != self._file.size:
            self.discard()
            raise wrong_size(self._component, self._file, shown(url), done + int(length))
        with self.part.open("ab" if done else "wb") as stream:
            self._keep_tag(answer)  # not before what another tag stood for is gone
            self._on_bytes(done)
            for piece in answer.iter_content(PIECE):
                done += len(piece)
                if done > self._file.size:
                    break
                stream.write(piece)
                self._on_bytes(done)
                if self._cancel.cancelled:
                    raise BrokenOff("cancelled")
        if done > self._file.size:
            self.discard()
            more = f"more than {self._file.size}"
            raise wrong_size(self._component, self._file, shown(url), more)
        if done < self._file.size:
            raise BrokenOff(f"only {done} of {self._file.size} bytes came")

    def _begin(self, url: str, answer: requests.Response, done: int) -> int:
        """The byte the answer's body starts at."""
        status = answer.status_code
        if status == 206:
            match = re.fullmatch(
                r"bytes (\d+)-\d+/(\d+|\*)", answer.headers.get("Content-Range", "")
            )
            fits = match and int(match[1]) == done and match[2] in ("*", str(self._file.size))
            # a server may pass over If-Range; without a known hash its tag must say the same
            if done and fits and (self._file.sha256 or self._known_tag() == _tag_of(answer)):
                return done
            self.discard()
            raise BrokenOff("it answers with another part of the file than asked for")
        if status == 416:
            self.discard()
            raise BrokenOff("it has no such part of the file")
        if status >= 500 or status in BUSY:
            raise BrokenOff(f"it answers {status} {answer.reason or ''}".rstrip())
        if status != 200:
            raise self._failed(url, f"it answers {status} {answer.reason or ''}".rstrip())
        if answer.headers.get("Content-Encoding", "identity") != "identity":
            raise self._failed(url, "it compresses the file")
        return 0

    def _resumable(self) -> int:
        """How much there is to go on with; what cannot be trusted is dropped."""
        size = self._size()
        if size and (size >= self._file.size or not (self._file.sha256 or self._known_tag())):
            self.discard()
            return 0
        return size

    def _size(self) -> int:
        try:
            return self.part.stat().st_size
        except FileNotFoundError:
            return 0

    def _known_tag(self) -> str:
        try:
            return self._tag.read_text(encoding="ascii")
        except (OSError, ValueError):
            return ""

    def _keep_tag(self, answer: requests.Response) -> None:
        """Note the entity tag; a weak one does not vouch for bytes."""
        tag = _tag_of(answer)
        if answer.status_code == 206:
            return
        if tag.startswith('"') and tag.isascii() and tag.isprintable():
            self._tag.write_text(tag, encoding="ascii")
        else:
            self._tag.unlink(missing_ok=True)

    def _failed(self, url: str, reason: str) -> MissingError:
        return MissingError(
            f"{self._file.name} cannot be fetched from {shown(url)}: {reason}",
            component=self._component, code="model-fetch-failed",
            hint="try again later, or `ensemble models import` a copy",
        )  # fmt: skip


def _tag_of(answer: requests.Response) -> str:
    return str(answer.headers.get("ETag", ""))


def _session() -> requests.Session:
    import requests

    class Session(requests.Session):
        def get_redirect_target(self, resp: requests.Response) -> None:
            """None, or a redirect's body would be read, however long; we follow by hand."""

    return Session()


def _reason(error: Exception) -> str:
    """What went wrong in plain words; the libraries' own texts show their insides."""
    import requests

    words = str(error)
    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate cannot be verified"
    if isinstance(error, requests.Timeout) or "timed out" in words:
        return "it does not answer in time"
    if "Name or service" in words or "getaddrinfo" in words or "resolve" in words:
        return "its name is not known (is there a network?)"
    if isinstance(error, requests.exceptions.ProxyError):
        return "the proxy does not let it through"
    if "refused" in words:
        return "it refuses the connection"
    return "the connection broke off"
