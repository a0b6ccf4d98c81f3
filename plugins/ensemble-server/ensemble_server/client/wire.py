"""Requests, tried again while that is of use."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from .errors import ApiError, Busy, Unreachable, of_answer

AGAIN = (429, 502, 503, 504)
"""Statuses after which the same request may do better later."""

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 20.0


class Wire:
    """One connection pool, one key.

    Args:
        url: Where the service is.
        key: An API key or a token; empty: none.
        timeout: Seconds of silence that count as no answer.
        patience: Seconds for which a request is tried again.
        transport: For tests.
    """

    def __init__(
        self,
        url: str,
        key: str,
        timeout: float,
        patience: float,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        headers = {"Accept": "application/json, application/problem+json"}
        if key:
            headers["Authorization"] = f"Bearer {key}"
        try:
            self.http = httpx.Client(
                base_url=url.rstrip("/"), headers=headers, timeout=timeout, transport=transport,
                follow_redirects=False,
            )  # fmt: skip
        except (httpx.InvalidURL, ValueError) as error:
            raise Unreachable(f"{url!r} is no address of a service: {error}") from None
        self.url, self.patience = url, patience
        self._closed = threading.Event()

    def request(
        self,
        method: str,
        path: str,
        *,
        body: Callable[[], Any] | None = None,
        repeatable: bool = True,
        **options: Any,
    ) -> httpx.Response:
        """Send a request and read its answer.

        Args:
            method, path: What.
            body: Makes the request's further arguments anew for each try (``files=…``).
            repeatable: Doing it twice is doing it once; else it is tried again only when the
                service said that it did nothing.
            options: For httpx.

        Raises:
            ApiError: It was refused, or there was no answer in all the time.
        """

        def once() -> httpx.Response:
            more = body() if body else {}
            try:
                return self.http.request(method, path, **options, **more)
            finally:
                for _, part in more.get("files", ()):
                    close = getattr(part[1], "close", None)
                    if close:
                        close()

        return self._patiently(once, repeatable)

    @contextmanager
    def stream(self, path: str, **options: Any) -> Iterator[httpx.Response]:
        """An answer that is read in pieces.

        Raises:
            ApiError: It was refused, or there was no answer in all the time; also when the
                connection breaks within the block.
        """

        def once() -> httpx.Response:
            request = self.http.build_request("GET", path, **options)
            return self.http.send(request, stream=True)

        answer = self._patiently(once, repeatable=True)
        try:
            yield answer
        except httpx.TransportError as error:
            raise self._broken(error) from error
        finally:
            answer.close()

    def pause(self, number: int, end: float, asked: float | None = None) -> bool:
        """Wait before another try; False when there is no time for it."""
        wait = min(LONGEST_PAUSE, FIRST_PAUSE * 2**number) * random.uniform(0.7, 1.0)  # noqa: S311
        if asked is not None:
            wait = max(wait if asked <= 0 else 0.0, asked)
        if time.monotonic() + wait > end:
            return False
        return not self._closed.wait(wait)

    def close(self) -> None:
        """End all connections and pauses."""
        self._closed.set()
        self.http.close()

    def _patiently(self, once: Callable[[], httpx.Response], repeatable: bool) -> httpx.Response:
        end, number = time.monotonic() + self.patience, 0
        while True:
            failed: ApiError
            asked: float | None = None
            try:
                answer = once()
                if answer.status_code < 400:
                    return answer
                failed = _refusal(answer)
                asked = retry_after(answer)
                if isinstance(failed, Busy):
                    failed.retry_after = asked
                again = answer.status_code in AGAIN
            except httpx.TransportError as error:
                failed = self._broken(error)
                again = repeatable or isinstance(error, httpx.ConnectError)
            except httpx.InvalidURL as error:
                raise Unreachable(f"{self.url!r} is no address of a service: {error}") from None
            if not again or not self.pause(number, end, asked):
                raise failed
            number += 1

    def _broken(self, error: httpx.TransportError) -> Unreachable:
        lines = str(error).splitlines() or [type(error).__name__]
        return Unreachable(f"no answer from {self.url}: {lines[0] or type(error).__name__}")


def retry_after(answer: httpx.Response) -> float | None:
    """Seconds the service asks to wait, said in seconds or as a date."""
    text = answer.headers.get("retry-after", "").strip()
    if not text:
        return None
    try:
        return max(0.0, float(text))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (TypeError, ValueError):
        return None


def _refusal(answer: httpx.Response) -> ApiError:
    try:
        answer.read()
        body = answer.json()
    except (ValueError, httpx.TransportError):
        body = None
    finally:
        answer.close()
    return of_answer(answer.status_code, body, answer.headers.get("x-request-id", ""))
