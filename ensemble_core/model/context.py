"""What a component is given besides its input: where to work, how long, whom to tell."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from .diagnostic import Diagnostic
from .errors import Cancelled, DeadlineExceeded, MissingError
from .limits import Limits

Message = dict[str, Any]


class CancelToken:
    """A switch anybody may throw from any thread; work looks at it and stops."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def cancel(self) -> None:
        """Ask everything that holds this token to stop."""
        self._event.set()

    @property
    def cancelled(self) -> bool:
        """True once :meth:`cancel` was called."""
        return self._event.is_set()

    def wait(self, seconds: float) -> bool:
        """Sleep up to ``seconds``; True at once when cancelled."""
        return self._event.wait(seconds)


@attrs.define
class Context:
    """Handed to every call of a component.

    Attributes:
        workspace: A private folder for this piece of work; emptied afterwards.
        limits: What input may be decoded at all.
        threads: How many threads the component may use.
        expires: ``time.monotonic()`` value at which the work is killed; None: never.
        cancel: Thrown when the run is to stop.
        component: Name of the component that holds it.
        page: 0-based page being worked on, if any.
        send: Where progress and diagnostics go.
        models: The component's model files by name; see :meth:`model`.
    """

    workspace: Path
    limits: Limits = attrs.field(factory=Limits)
    threads: int = 1
    expires: float | None = None
    cancel: CancelToken = attrs.field(factory=CancelToken)
    component: str = ""
    page: int | None = None
    send: Callable[[Message], None] = lambda message: None
    models: Mapping[str, Path] = attrs.field(factory=dict)

    def model(self, name: str) -> Path:
        """Where a model file of the component's spec is; it was verified before the run.

        Raises:
            MissingError: It is not there.
        """
        if name not in self.models:
            raise MissingError(
                f"the model file {name} is missing", component=self.component,
                hint=f"ensemble models fetch {self.component}".rstrip(), code="model-missing",
            )  # fmt: skip
        return self.models[name]

    def remaining(self) -> float | None:
        """Seconds until the deadline, or None if there is none."""
        return None if self.expires is None else max(0.0, self.expires - time.monotonic())

    def check(self) -> None:
        """Call this now and then in long work.

        Raises:
            Cancelled: The run was cancelled.
            DeadlineExceeded: The time is up.
        """
        if self.cancel.cancelled:
            raise Cancelled("cancelled", component=self.component)
        if self.remaining() == 0.0:
            raise DeadlineExceeded("the deadline has passed", component=self.component)

    def progress(self, done: float, total: float = 1.0, unit: str = "") -> None:
        """Tell how far the work is; also a :meth:`check`."""
        self.check()
        self.send(
            {"type": "progress", "component": self.component, "page": self.page,
             "done": done, "total": total, "unit": unit}
        )  # fmt: skip

    def report(self, diagnostic: Diagnostic) -> None:
        """Tell the user something without failing; component and page are filled in."""
        filled = attrs.evolve(
            diagnostic,
            component=diagnostic.component or self.component,
            page=self.page if diagnostic.page is None else diagnostic.page,
        )
        self.send({"type": "diagnostic", **attrs.asdict(filled)})

    def run_tool(self, command: Sequence[str | Path], **options: Any) -> str:
        """Run a program without a shell, within the deadline; gives what it printed.

        Raises:
            MissingError: The program is not installed.
            DeadlineExceeded: It ran past the deadline and was killed.
            subprocess.CalledProcessError: It ended with another exit status than 0.
        """
        argv = [str(word) for word in command]
        try:
            done = subprocess.run(
                argv, check=True, capture_output=True, text=True, errors="replace",
                stdin=subprocess.DEVNULL, timeout=self.remaining(), cwd=self.workspace, **options,
            )  # fmt: skip
        except FileNotFoundError as error:
            raise MissingError(
                f"the program {argv[0]} is not installed", component=self.component,
                code="tool-missing",
            ) from error  # fmt: skip
        except subprocess.TimeoutExpired as error:
            late = f"{argv[0]} ran out of time"
            raise DeadlineExceeded(late, component=self.component) from error
        return str(done.stdout)
