"""The client: send files, look after jobs."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO

from ensemble_core.model import InputError

from .jobs import Job
from .wire import Wire

if TYPE_CHECKING:
    import httpx

Upload = str | Path | tuple[str, bytes]
"""A file to send: its path, or its name and content."""


class Client:
    """The service, for programs. Safe to use from several threads.

    Requests that meet a busy service (429, 503) or a broken connection are tried again, as long
    as ``patience`` says and as late as the service asks.

    Args:
        url: Where the service is.
        key: An API key, or a token of an issuer the service accepts; empty: none.
        timeout: Seconds of silence that count as no answer.
        patience: Seconds for which a request is tried again; 0: never.
        transport: For tests: how requests are sent.
    """

    def __init__(
        self,
        url: str = "http://127.0.0.1:8000",
        key: str = "",
        *,
        timeout: float = 60.0,
        patience: float = 60.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._wire = Wire(url, key, timeout, patience, transport)

    def submit(
        self,
        files: Upload | Iterable[Upload],
        *,
        export: Sequence[Any] | None = None,
        recognizer: Any = None,
        preprocess: Sequence[Any] | None = None,
        fallback: Sequence[Any] | None = None,
        options: Mapping[str, Any] | None = None,
        name: str = "",
        priority: int = 0,
        deadline: float | None = None,
        idempotency_key: str = "",
    ) -> Job:
        """Send files to be converted; several become one score, in this order.

        Args:
            files: Paths, or names with content.
            export: What to make (``["musicxml", "midi"]``).
            recognizer: What reads the pages.
            preprocess: Image enhancers, in order.
            fallback: Recognizers for pages the first one fails on.
            options: By component (``{"sharpen": {"sigma": 1.2}}``).
            name: What the job is called; by default after the first file.
            priority: -10 to 10; larger is sooner.
            deadline: Seconds the conversion may take.
            idempotency_key: Sending the same again with the same key gives the same job. One is
                made up, so that a request that is tried again makes no second job.

        Raises:
            InputError: A file cannot be read.
            ApiError: The service refuses, or does not answer.
        """
        uploads = _listed(files)
        asked = {
            "export": export, "recognizer": recognizer, "preprocess": preprocess,
            "fallback": fallback, "options": options,
        }  # fmt: skip
        chosen = {key: value for key, value in asked.items() if value is not None}
        fields: dict[str, str] = {"options": json.dumps(chosen)} if chosen else {}
        if name:
            fields["name"] = name
        if priority:
            fields["priority"] = str(priority)
        if deadline is not None:
            fields["deadline"] = str(deadline)
        answer = self._wire.request(
            "POST", "/v1/jobs", data=fields,
            headers={"Idempotency-Key": idempotency_key or uuid.uuid4().hex},
            body=lambda: {"files": [("files", _opened(each)) for each in uploads]},
        )  # fmt: skip
        return Job(self._wire, answer.json())

    def job(self, job_id: str) -> Job:
        """A job by its id.

        Raises:
            NotFound: There is none, or it is another user's.
            ApiError: The service does not answer.
        """
        return Job(self._wire, {"id": job_id}).refresh()

    def jobs(self, states: Sequence[str] = (), name: str = "", page: int = 50) -> Iterator[Job]:
        """One's jobs, newest first, fetched as they are needed.

        Args:
            states: Only those in one of these states.
            name: Only those with this in their name.
            page: How many are fetched at a time.

        Raises:
            ApiError: The service refuses, or does not answer.
        """
        asked: dict[str, Any] = {"limit": page}
        if states:
            asked["state"] = list(states)
        if name:
            asked["name"] = name
        while True:
            answer = self._wire.request("GET", "/v1/jobs", params=asked).json()
            yield from (Job(self._wire, data) for data in answer["jobs"])
            if not answer["next"]:
                return
            asked["cursor"] = answer["next"]

    def cancel(self, job_id: str) -> Job:
        """Stop a job; as :meth:`Job.cancel`."""
        return Job(self._wire, {"id": job_id}).cancel()

    def retry(self, job_id: str) -> Job:
        """Have a job done again; as :meth:`Job.retry`."""
        return Job(self._wire, {"id": job_id}).retry()

    def delete(self, job_id: str) -> None:
        """Remove a job and its files; as :meth:`Job.delete`."""
        Job(self._wire, {"id": job_id}).delete()

    def capabilities(self) -> dict[str, Any]:
        """What the service reads, makes and allows.

        Raises:
            ApiError: The service refuses, or does not answer.
        """
        found: dict[str, Any] = self._wire.request("GET", "/v1/capabilities").json()
        return found

    def close(self) -> None:
        """End all connections."""
        self._wire.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self.close()


def _listed(files: Upload | Iterable[Upload]) -> list[Upload]:
    single = isinstance(files, str | Path) or (
        isinstance(files, tuple) and len(files) == 2 and isinstance(files[1], bytes)
    )
    return [files] if single else list(files)  # type: ignore[list-item, arg-type]


def _opened(upload: Upload) -> tuple[str, bytes | BinaryIO]:
    if isinstance(upload, tuple):
        return upload
    path = Path(upload)
    try:
        return path.name, path.open("rb")
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from error
