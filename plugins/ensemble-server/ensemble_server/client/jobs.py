"""A job as its owner's program sees it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import attrs

from .errors import JobFailed, Unreachable
from .saving import save

if TYPE_CHECKING:
    import httpx

    from .wire import Wire

ENDS = ("done", "partial", "failed", "cancelled")
"""The states a job stays in."""


@attrs.frozen
class File:
    """A file of a job: ``kind`` is ``input``, ``output`` or ``preview``; ``size`` in bytes."""

    name: str
    kind: str
    media_type: str
    size: int
    sha256: str
    url: str


@attrs.frozen
class Event:
    """Something that happened to a job; fleeting ones (progress) have no number."""

    number: int | None
    kind: str
    data: Mapping[str, Any]


class Job:
    """A job, as it was when the service was last asked.

    Args:
        wire: The connection.
        data: The service's answer.

    Attributes:
        data: All the service says of it.
        cached: Whether an earlier job's result was used.
    """

    def __init__(self, wire: Wire, data: Mapping[str, Any]) -> None:
        self._wire = wire
        self.data = dict(data)

    @property
    def id(self) -> str:
        """Its id."""
        return str(self.data["id"])

    @property
    def name(self) -> str:
        """What it is called."""
        return str(self.data["name"])

    @property
    def state(self) -> str:
        """``queued``, ``running``, or one of :data:`ENDS`."""
        return str(self.data["state"])

    @property
    def ended(self) -> bool:
        """Nothing will happen to it any more."""
        return self.state in ENDS

    @property
    def cached(self) -> bool:
        """Whether the result is that of an earlier job with the same files and options."""
        return bool(self.data.get("cached"))

    @property
    def created(self) -> datetime:
        """When it was sent."""
        return datetime.fromisoformat(str(self.data["created"]).replace("Z", "+00:00"))

    @property
    def error(self) -> dict[str, Any] | None:
        """Why it failed: ``code``, ``message``, ``hint``."""
        found: dict[str, Any] | None = self.data.get("error")
        return found

    @property
    def pages(self) -> list[dict[str, Any]]:
        """Page by page: ``number`` (from 1), ``status``, ``confidence``, ``measures``."""
        return list(self.data.get("pages") or ())

    @property
    def files(self) -> list[File]:
        """All its files; of a job out of a list only after :meth:`refresh`."""
        known = [field.name for field in attrs.fields(File)]
        return [File(**{name: each[name] for name in known}) for each in self.data["files"]]

    @property
    def outputs(self) -> list[File]:
        """The files that were made."""
        return [file for file in self.files if file.kind == "output"]

    def refresh(self) -> Job:
        """Ask the service how it is now.

        Raises:
            ApiError: It is not there any more, or the service does not answer.
        """
        self.data = self._wire.request("GET", self._path()).json()
        return self

    def wait(
        self, on_event: Callable[[Event], object] | None = None, timeout: float | None = None
    ) -> Job:
        """Wait until it has ended, whatever its state then.

        Args:
            on_event: Gets each event.
            timeout: Most seconds; None: no limit. It is looked at with each event, and at least
                every fifteen seconds.

        Raises:
            TimeoutError: It takes longer.
            ApiError: It is gone, or the service does not answer.
        """
        end = None if timeout is None else time.monotonic() + timeout
        for event in self._events(0, end):
            if event is not None and on_event:
                on_event(event)
        return self.refresh()

    def raise_for_state(self) -> Job:
        """Itself, if it has a result.

        Raises:
            JobFailed: It failed or was cancelled.
        """
        if self.state in {"failed", "cancelled"}:
            raise JobFailed(self.id, self.error, self.state)
        return self

    def events(self, after: int = 0) -> Iterator[Event]:
        """What happens to it, from the beginning (or after a number) to its end.

        A connection that breaks is made again, and goes on where it was.

        Raises:
            ApiError: It is gone, or the service stays away.
        """
        return (event for event in self._events(after, None) if event is not None)

    def download(
        self, name: str, path: str | Path, *, kind: str = "", overwrite: bool = True
    ) -> Path:
        """Save one of its files; whole or not at all.

        Args:
            name: Of the file.
            path: Where to; a folder (or ``"folder/"``) for its own name in it.
            kind: ``input`` or ``preview``, if an output has the same name.
            overwrite: Replace a file that is there.

        Returns:
            Where it is.

        Raises:
            ApiError: There is no such file, or it does not arrive.
            OutputError: It cannot be written, or is there already.
        """
        asked = {"kind": kind} if kind else {}
        source = self._path(f"/artifacts/{quote(name, safe='')}")
        return save(self._wire, source, asked, path, name=name, overwrite=overwrite)

    def read(self, name: str, *, kind: str = "") -> bytes:
        """The content of one of its files.

        Raises:
            ApiError: There is no such file, or it does not arrive.
        """
        asked = {"kind": kind} if kind else {}
        source = self._path(f"/artifacts/{quote(name, safe='')}")
        return self._wire.request("GET", source, params=asked).content

    def package(self, path: str | Path, *, overwrite: bool = True) -> Path:
        """Save all results and the report as one zip; as :meth:`download`."""
        name = f"{Path(self.name).stem or self.id}.zip"
        return save(self._wire, self._path("/package"), {}, path, name=name, overwrite=overwrite)

    def cancel(self) -> Job:
        """Stop it; one that has ended stays as it is.

        Raises:
            ApiError: It is gone, or the service does not answer.
        """
        self.data = self._wire.request("POST", self._path("/cancel")).json()
        return self

    def retry(self) -> Job:
        """Have it done again.

        Raises:
            Conflict: It has not ended.
            ApiError: It is gone, or the service does not answer.
        """
        self.data = self._wire.request("POST", self._path("/retry"), repeatable=False).json()
        return self

    def delete(self) -> None:
        """Remove it and all its files.

        Raises:
            ApiError: It is gone, or the service does not answer.
        """
        self._wire.request("DELETE", self._path())

    def __repr__(self) -> str:
        return f"<Job {self.id} {self.name!r}: {self.state}>"

    def _path(self, more: str = "") -> str:
        return f"/v1/jobs/{quote(self.id, safe='')}{more}"

    def _events(self, after: int, end: float | None) -> Iterator[Event | None]:
        """Events, and None for each sign of life."""
        silent_until, tries = time.monotonic() + self._wire.patience, 0
        while True:
            try:
                with self._wire.stream(self._path("/events"), params={"after": after}) as answer:
                    for event in read_events(answer):
                        silent_until, tries = time.monotonic() + self._wire.patience, 0
                        if event is not None and event.number is not None:
                            after = event.number
                        yield event
                        if event is not None and event.kind in ENDS:
                            return
                        _in_time(end)
            except Unreachable:
                if not self._wire.pause(tries, silent_until):
                    raise
                tries += 1
            else:
                if self.refresh().ended:
                    return  # the end itself was before `after`
                self._wire.pause(tries, time.monotonic() + self._wire.patience)
                tries += 1
            _in_time(end)


def read_events(answer: httpx.Response) -> Iterator[Event | None]:
    """Server-sent events; None for a comment, by which the service shows that it is alive."""
    for line in answer.iter_lines():
        if line.startswith("data:"):
            told = json.loads(line[5:])
            yield Event(told.get("number"), str(told["kind"]), told.get("data") or {})
        elif line.startswith(":"):
            yield None


def _in_time(end: float | None) -> None:
    if end is not None and time.monotonic() >= end:
        raise TimeoutError("the job has not ended yet")
