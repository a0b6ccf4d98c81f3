"""What must hold for every component that is given something and gives something back."""

from __future__ import annotations

import os
import threading
import time
import unittest
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, ClassVar

from ensemble_core.model import (
    Cancelled,
    CancelToken,
    Context,
    DeadlineExceeded,
    EnsembleError,
    Limits,
    Task,
)

from .contract import Contract, one_line
from .operations import fingerprint, operate, payload
from .patience import Stopwatch
from .quiet import standard_output

GRACE = 2.0
"""Seconds a component may go on after it was told to stop."""


class WorkingContract(Contract):
    """Common to loaders, preprocessors, recognizers and exporters.

    Attributes:
        seconds: How long one call on a sample may take.
        cooperative: It looks at its context (``ctx.check()``) often enough to stop by
            itself. Set it to False only where a library leaves no chance to; the tests
            then stop its worker process, and the spec must say ``isolation="worker"``.
        reads_input: False for a component that never opens what it is given (a made-up
            recognizer), and so cannot notice that it is broken.
    """

    seconds: ClassVar[float] = 60.0
    cooperative: ClassVar[bool] = True
    reads_input: ClassVar[bool] = True

    def given(self, folder: Path) -> Any:
        """A sample of what the component takes; override it to test with your own."""
        raise NotImplementedError

    def broken(self, folder: Path) -> Iterator[tuple[str, Any]]:
        """Broken samples, each with a label; every one must end in a typed error."""
        raise NotImplementedError

    def odd(self, folder: Path) -> Iterator[tuple[str, Any]]:
        """Unusual but whole samples: a valid result or a typed error, nothing else."""
        raise NotImplementedError

    def check_result(self, result: Any, given: Any, ctx: Context) -> None:
        """Assert that a result is what the kind promises."""
        raise NotImplementedError

    def run(self, component: Any, given: Any, ctx: Context) -> Any:
        """One call of the component."""
        return operate(self.kind, component, given, ctx)

    # -- what must hold -------------------------------------------------------------

    def test_its_output_is_valid(self, tmp_path: Path) -> None:
        """What it makes of a sample is what its kind promises, made within ``seconds``."""
        given, ctx = self.given(tmp_path), self.context(tmp_path)
        component = self.make()
        watch = Stopwatch()
        result = self.run(component, given, ctx)
        took = watch.seconds()
        self.check_result(result, given, ctx)
        assert took <= self.seconds, f"it took {took:.1f} s"

    def test_it_writes_nothing_to_standard_output(self, tmp_path: Path) -> None:
        """Standard output belongs to the user's data; messages go through the context."""
        given, ctx = self.given(tmp_path), self.context(tmp_path)
        with standard_output() as written:
            self.run(self.make(), given, ctx)
        assert not written, f"it printed {written[0][:200]!r}"

    def test_it_does_not_change_its_input(self, tmp_path: Path) -> None:
        """Neither the object it is given nor the file that names."""
        given, ctx = self.given(tmp_path), self.context(tmp_path)
        before = fingerprint(given)
        self.run(self.make(), given, ctx)
        assert fingerprint(given) == before

    def test_the_same_input_gives_the_same_bytes(self, tmp_path: Path) -> None:
        """Twice with the same component, and once with a new one."""
        if not self.spec().deterministic:
            raise unittest.SkipTest("its spec says that it is not deterministic")
        given, component = self.given(tmp_path), self.make()
        prints = [
            fingerprint(self.run(made, given, self.context(tmp_path)))
            for made in (component, component, self.make())
        ]
        assert len(set(prints)) == 1, "the same input gave different results"

    def test_it_works_in_a_fresh_process(self, tmp_path: Path) -> None:
        """A worker process, which has nothing but its name and options, gives the same."""
        given, planned = self.given(tmp_path), self.planned()
        here = fingerprint(self.run(self.make(), given, self.context(tmp_path)))
        with _hash_seed("4711"), self._worker() as executor:
            task = self._task(tmp_path, payload(planned, given), self.seconds + 60)
            there = executor.submit(task).result(timeout=self.seconds + 90)
        if self.spec().deterministic:
            assert there["fingerprint"] == here, "a fresh process gave another result"

    def test_it_stops_when_cancelled(self, tmp_path: Path) -> None:
        """Within 2 s of being told, with :class:`Cancelled` if it was not done."""
        if not self.cooperative:
            self._is_stopped_from_outside(tmp_path)
            return
        given, component = self.given(tmp_path), self._warm(tmp_path)
        for delay in (0.0, 0.2):
            token = CancelToken()
            ctx = self.context(tmp_path, cancel=token)
            timer = threading.Timer(delay, token.cancel)
            timer.start() if delay else token.cancel()
            self._ends_in_time(component, given, ctx, delay, Cancelled)
            timer.cancel()

    def test_it_stops_at_its_deadline(self, tmp_path: Path) -> None:
        """Within 2 s of it, with :class:`DeadlineExceeded` if it was not done."""
        if not self.cooperative:
            raise unittest.SkipTest("its worker process is stopped instead")
        given, component = self.given(tmp_path), self._warm(tmp_path)
        for delay in (0.0, 0.2):
            ctx = self.context(tmp_path, expires=time.monotonic() + delay)
            self._ends_in_time(component, given, ctx, delay, DeadlineExceeded)

    def test_broken_input_is_a_typed_error(self, tmp_path: Path) -> None:
        """An error of ensemble_core.model with one line of text, never anything else."""
        component = self.make()
        for label, given in self.broken(tmp_path):
            ctx = self.context(tmp_path)
            try:
                self.run(component, given, ctx)
            except EnsembleError as error:
                one_line(error)
            except Exception as error:
                raise AssertionError(f"{label} raised {type(error).__name__}: {error}") from error
            else:
                assert not self.reads_input, f"{label} was taken without a word"

    def test_odd_input_is_no_trouble(self, tmp_path: Path) -> None:
        """Unusual input gives a valid result, or a typed error."""
        component = self.make()
        for label, given in self.odd(tmp_path):
            ctx = self.context(tmp_path)
            try:
                result = self.run(component, given, ctx)
                self.check_result(result, given, ctx)
            except EnsembleError as error:
                one_line(error)
            except Exception as error:
                raise AssertionError(f"{label}: {type(error).__name__}: {error}") from error

    # -- how ------------------------------------------------------------------------

    def _warm(self, folder: Path) -> Any:
        """A component that has loaded its models already."""
        component = self.make()
        self.run(component, self.given(folder), self.context(folder))
        return component

    def _ends_in_time(
        self, component: Any, given: Any, ctx: Context, delay: float, expected: type[EnsembleError]
    ) -> None:
        watch = Stopwatch()
        try:
            self.run(component, given, ctx)
        except expected:
            pass
        except EnsembleError as error:
            raise AssertionError(f"raised {type(error).__name__} when told to stop") from error
        took = watch.seconds()
        assert took <= delay + GRACE, f"went on for {took - delay:.1f} s after it was told to stop"

    def _is_stopped_from_outside(self, folder: Path) -> None:
        assert self.spec().isolation == "worker", "only a component in a worker can be killed"
        given, planned = self.given(folder), self.planned()
        with self._worker() as executor:
            future = executor.submit(self._task(folder, payload(planned, given), None))
            time.sleep(1.0)
            began = time.monotonic()
            executor.cancel()
            with suppress(Cancelled):
                future.result(timeout=2 * GRACE)
            took = time.monotonic() - began
        assert took <= GRACE, f"its worker went on for {took:.1f} s after it was told to stop"

    def _task(self, folder: Path, data: dict[str, Any], deadline: float | None) -> Task:
        workspace = folder / "task"
        workspace.mkdir()
        return Task(
            id="contract",
            function="ensemble_core.testing.operations:work",
            payload=data,
            workspace=workspace,
            deadline=deadline,
            limits=Limits(),
        )

    @contextmanager
    def _worker(self) -> Iterator[Any]:
        """The executor that a run would use: worker processes."""
        from ensemble_core.builtin.executors import ProcessExecutor

        executor = ProcessExecutor()
        executor.open(1, lambda task, message: None)
        try:
            yield executor
        finally:
            executor.close()


@contextmanager
def _hash_seed(seed: str) -> Iterator[None]:
    """Let a new process order its sets otherwise than this one does."""
    before = os.environ.get("PYTHONHASHSEED")
    os.environ["PYTHONHASHSEED"] = seed
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTHONHASHSEED"]
        else:
            os.environ["PYTHONHASHSEED"] = before
