"""The contract of executors."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

from ensemble_core.model import (
    Cancelled,
    DeadlineExceeded,
    EnsembleError,
    Message,
    RecognitionError,
    Task,
)

from .contract import Contract
from .quiet import standard_output

_HERE = "ensemble_core.testing.operations"


class ExecutorContract(Contract):
    """What an executor must keep. Subclass it in a test file::

    class TestCluster(ExecutorContract):
        name = "cluster"
    """

    kind: ClassVar[str] = "executor"

    @contextmanager
    def opened(self, jobs: int = 2) -> Iterator[tuple[Any, list[tuple[str, Message]]]]:
        """An open executor and the messages that arrive."""
        executor, messages = self.make(), []
        executor.open(jobs, lambda task, message: messages.append((task, message)))
        try:
            yield executor, messages
        finally:
            executor.close()

    def task(self, folder: Path, name: str, function: str, **payload: Any) -> Task:
        """A task of the kit."""
        workspace = folder / name
        workspace.mkdir()
        deadline = payload.pop("deadline", 60.0)
        return Task(name, f"{_HERE}:{function}", payload, workspace, deadline)

    def test_it_gives_what_the_task_gives(self, tmp_path: Path) -> None:
        """Plain data goes in and comes out; the task works in its own folder."""
        value = {"text": "Ünïcode", "number": 1.5, "list": [1, None, True]}
        with self.opened() as (executor, messages):
            task = self.task(tmp_path, "one", "echo", value=value)
            result = executor.submit(task).result(timeout=60)
        assert result["got"] == json.loads(json.dumps(value))
        assert (tmp_path / "one" / "touched").is_file()
        kinds = [message["type"] for name, message in messages if name == "one"]
        assert "progress" in kinds, "what the task sent did not arrive"

    def test_errors_arrive_as_they_were_raised(self, tmp_path: Path) -> None:
        """With type, text, hint and component; what nobody foresaw becomes one of ours."""
        with self.opened() as (executor, _):
            typed = executor.submit(self.task(tmp_path, "a", "fail", typed=True))
            wild = executor.submit(self.task(tmp_path, "b", "fail"))
            found, other = typed.exception(timeout=60), wild.exception(timeout=60)
        assert isinstance(found, RecognitionError), f"it became {type(found).__name__}"
        assert (found.message, found.hint, found.component) == (
            "nothing to read", "try another page", "kit",
        )  # fmt: skip
        assert isinstance(other, EnsembleError), f"it became {type(other).__name__}"
        assert "ZeroDivisionError" in str(other) or "a bug in the task" in str(other)

    def test_many_tasks_all_end(self, tmp_path: Path) -> None:
        """Every future is done, each with its own result."""
        with self.opened() as (executor, _):
            futures = [
                executor.submit(self.task(tmp_path, f"t{n}", "echo", value=n)) for n in range(12)
            ]
            assert [future.result(timeout=60)["got"] for future in futures] == list(range(12))

    def test_the_deadline_holds(self, tmp_path: Path) -> None:
        """A task past its deadline ends within 2 s as ``DeadlineExceeded``; others go on."""
        with self.opened() as (executor, _):
            executor.submit(self.task(tmp_path, "warm", "echo", value=0)).result(timeout=60)
            began = time.monotonic()
            late = executor.submit(self.task(tmp_path, "l", "wait", seconds=30, deadline=0.5))
            error, took = late.exception(timeout=60), time.monotonic() - began
            after = executor.submit(self.task(tmp_path, "n", "echo", value=1)).result(timeout=60)
        assert isinstance(error, DeadlineExceeded), f"it ended as {error!r}"
        assert took <= 0.5 + 2.0, f"it took {took:.1f} s"
        assert after["got"] == 1

    def test_cancelling_ends_everything(self, tmp_path: Path) -> None:
        """Running and waiting tasks end as ``Cancelled`` within 2 s."""
        with self.opened() as (executor, _):
            executor.submit(self.task(tmp_path, "warm", "echo", value=0)).result(timeout=60)
            began = time.monotonic()
            # From another thread: an executor may work while `submit` waits.
            timer = threading.Timer(0.3, executor.cancel)
            timer.start()
            futures = [
                executor.submit(self.task(tmp_path, f"w{n}", "wait", seconds=30)) for n in range(5)
            ]
            errors = [future.exception(timeout=10) for future in futures]
            took = time.monotonic() - began
            timer.join()
        assert all(isinstance(error, Cancelled) for error in errors), f"they ended as {errors}"
        assert took <= 0.3 + 2.0, f"it took {took:.1f} s"

    def test_closing_leaves_no_process(self, tmp_path: Path) -> None:
        """After ``close`` no child process of it lives."""
        import psutil

        before = {child.pid for child in psutil.Process().children(recursive=True)}
        with self.opened() as (executor, _):
            executor.submit(self.task(tmp_path, "one", "echo", value=1)).result(timeout=60)
        end = time.monotonic() + 2.0
        while time.monotonic() < end:
            left = {child.pid for child in psutil.Process().children(recursive=True)} - before
            if not left:
                return
            time.sleep(0.05)
        raise AssertionError(f"{len(left)} processes are left")

    def test_it_writes_nothing_to_standard_output(self, tmp_path: Path) -> None:
        """Standard output belongs to the user's data."""
        with standard_output() as written, self.opened() as (executor, _):
            executor.submit(self.task(tmp_path, "one", "echo", value=1)).result(timeout=60)
        assert not written, f"it printed {written[0][:200]!r}"
