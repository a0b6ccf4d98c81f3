"""The executors do what the protocol promises, with real processes."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest

from ensemble_core.builtin.calling import MORE_MEMORY
from ensemble_core.builtin.executors import ProcessExecutor, ProcessOptions, SerialExecutor
from ensemble_core.builtin.killing import MARK
from ensemble_core.model import (
    Cancelled,
    ContractError,
    DeadlineExceeded,
    EnsembleError,
    Executor,
    InputError,
    LimitExceeded,
    Limits,
    MissingError,
    Task,
    WorkerCrashed,
)

HERE = Path(__file__).parent
GIB = 2**30
linux = pytest.mark.skipif(sys.platform != "linux", reason="counts on /proc or RLIMIT_DATA")


class Bench:
    """An open executor and what came out of it."""

    def __init__(self, executor: Executor, folder: Path, jobs: int = 1) -> None:
        self.executor, self.folder = executor, folder
        self.messages: list[tuple[str, Any]] = []
        self._number = iter(range(10**9))
        executor.open(jobs, lambda name, message: self.messages.append((name, message)))

    def submit(self, function: str, *, page: int = 0, **options: Any) -> Future[Any]:
        fields = {f: options.pop(f) for f in list(options) if f in Task.__annotations__}
        return self.executor.submit(
            Task(
                id=f"t{next(self._number)}",
                function=f"executor_tasks:{function}",
                payload=options,
                workspace=self.folder,
                page=page,
                **fields,
            )
        )

    def run(self, function: str, **options: Any) -> Any:
        return self.submit(function, **options).result(timeout=60)

    def wait_for(self, name: str) -> None:
        wait_until((self.folder / name).exists)


def wait_until(true: Callable[[], object], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


def ours() -> list[psutil.Process]:
    """Processes that are, or descend from, workers of any pool."""
    found = []
    for process in psutil.process_iter():
        try:
            if MARK in process.environ() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return [p for p in found if str(os.getpid()) in p.environ().get("TEST_RUN", "")]


def gone(folder: Path) -> bool:
    """Whether every process that noted its number in ``folder`` has ended."""
    pids = [int(note.name.removeprefix("pid-")) for note in folder.glob("pid-*")]
    assert pids
    return not any(running(pid) for pid in pids)


def running(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(HERE))
    monkeypatch.setenv("TEST_RUN", str(os.getpid()))


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """One worker; afterwards no process may be left."""
    made = Bench(ProcessExecutor(), tmp_path)
    yield made
    made.executor.close()
    assert ours() == []


@pytest.fixture(params=["serial", "processes"])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    executor = SerialExecutor() if request.param == "serial" else ProcessExecutor()
    made = Bench(executor, tmp_path)
    yield made
    made.executor.close()


# What both promise.


def test_it_is_an_executor(either: Bench) -> None:
    assert isinstance(either.executor, Executor)


def test_gives_what_the_function_gave(either: Bench) -> None:
    data = {"text": "Überraschung \udcff", "numbers": [1, 2.5, None, True]}
    assert either.run("echo", **data) == data


def test_context_is_the_tasks(either: Bench) -> None:
    told = either.run("about", page=7, threads=3, deadline=50.0, limits=Limits(max_pixels=99))
    assert (told["page"], told["threads"], told["max_pixels"]) == (7, 3, 99)
    assert Path(told["workspace"]) == either.folder
    assert 40 < told["remaining"] <= 50


def test_messages_arrive_in_order_before_the_result(either: Bench) -> None:
    either.run("talk", times=3)
    kinds = [(name, message["type"]) for name, message in either.messages]
    assert kinds == [("t0", "progress")] * 3 + [("t0", "diagnostic")]
    assert [message["done"] for _, message in either.messages[:3]] == [0, 1, 2]


def test_typed_error_arrives_whole(either: Bench) -> None:
    with pytest.raises(InputError, match="broken") as caught:
        either.run("raise_typed")
    error = caught.value
    assert (error.hint, error.component, error.code) == ("mend it", "loader-x", "input-odd")
    assert "raise_typed" in error.details


def test_any_other_exception_is_one_line_with_the_traceback_kept(either: Bench) -> None:
    with pytest.raises(ContractError) as caught:
        either.run("raise_other")
    assert str(caught.value) == "raised ValueError: what is this?"
    assert 'raise ValueError("what is this?' in caught.value.details


def test_sys_exit_is_a_failure_like_others(either: Bench) -> None:
    with pytest.raises(ContractError, match="raised SystemExit: 3"):
        either.run("leave")
    assert either.run("echo", a=1) == {"a": 1}


@pytest.mark.parametrize("how", ["system", "onnx", "opencv", "itself"])
def test_lack_of_memory_is_known_by_its_many_names(either: Bench, how: str) -> None:
    with pytest.raises(LimitExceeded) as caught:
        either.run("run_short_of_memory", how=how)
    assert caught.value.hint == ("less" if how == "itself" else MORE_MEMORY)


def test_unknown_function(either: Bench) -> None:
    with pytest.raises(ContractError, match="no such function"):
        either.run("not_there")


def test_polite_work_ends_at_its_deadline(either: Bench) -> None:
    with pytest.raises(DeadlineExceeded):
        either.run("sleep_politely", deadline=0.2)


def test_late_result_is_not_taken(either: Bench) -> None:
    with pytest.raises(DeadlineExceeded):
        either.run("sleep", seconds=0.3, deadline=0.1)


def test_cancel_stops_polite_work_and_what_comes_later(either: Bench) -> None:
    threading.Thread(
        target=lambda: (either.wait_for("started-0"), either.executor.cancel())
    ).start()
    with pytest.raises(Cancelled):
        either.run("sleep_politely")
    with pytest.raises(Cancelled):
        either.run("echo")


def test_cannot_submit_after_close(either: Bench) -> None:
    either.executor.close()
    with pytest.raises(RuntimeError):
        either.submit("echo")


# What only processes can promise.


def test_one_worker_serves_many_tasks(bench: Bench) -> None:
    assert len({bench.run("about")["pid"] for _ in range(5)}) == 1


def test_workers_search_the_same_path_but_not_the_current_folder(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('a file of the user was imported')")
    monkeypatch.chdir(tmp_path)
    told = bench.run("about")
    assert Path(told["cwd"]) == tmp_path


def test_worker_imports_nothing_heavy_by_itself(bench: Bench) -> None:
    modules = bench.run("about")["modules"]
    assert not {"numpy", "PIL", "lxml", "click", "rich", "psutil", "cattrs"} & set(modules)


def test_thread_count_reaches_the_environment_of_the_worker(bench: Bench) -> None:
    assert bench.run("about", threads=2)["omp"] == "2"
    assert bench.run("about", threads=1)["omp"] == "1"


def test_prints_do_not_reach_the_protocol_nor_our_stdout(
    bench: Bench, capfd: pytest.CaptureFixture[str]
) -> None:
    assert bench.run("print_noise") == ""
    assert bench.run("echo", a=1) == {"a": 1}
    assert capfd.readouterr() == ("", "")


def test_large_payload_and_result(bench: Bench) -> None:
    size = 3_000_000
    assert bench.run("large", text="y" * size, size=size) == {"text": "x" * size, "got": size}


def test_result_that_is_no_plain_data(bench: Bench) -> None:
    with pytest.raises(ContractError, match="not plain JSON"):
        bench.run("not_plain")


def test_payload_that_is_no_plain_data(bench: Bench) -> None:
    with pytest.raises(TypeError):
        bench.submit("echo", a=object())


def test_talk_after_the_end_is_not_passed_on(bench: Bench) -> None:
    assert bench.run("linger") == "done"
    bench.messages.clear()
    for number in range(20):
        assert bench.run("echo", number=number) == {"number": number}
    assert bench.messages == []


def test_observer_that_raises_fails_its_task_only(tmp_path: Path) -> None:
    def observe(name: str, message: Any) -> None:
        raise KeyError("observer")

    bench = Bench(ProcessExecutor(), tmp_path)
    bench.executor.close()
    bench.executor.open(1, observe)
    with pytest.raises(EnsembleError, match="KeyError"):
        bench.run("talk", times=1)
    assert bench.run("echo", a=1) == {"a": 1}
    bench.executor.close()


@linux
def test_crash_is_retried_once_on_a_fresh_worker(bench: Bench) -> None:
    assert bench.run("die", times=1, signal="SIGSEGV") == "alive"
    assert len(list(bench.folder.glob("died-*"))) == 1


@linux
def test_second_crash_fails_the_task_and_says_how(bench: Bench) -> None:
    with pytest.raises(WorkerCrashed, match=r"SIGKILL.*the last words") as caught:
        bench.run("die", signal="SIGKILL")
    assert "the last words" in caught.value.details
    assert len(list(bench.folder.glob("died-*"))) == 2
    assert bench.run("echo", a=1) == {"a": 1}


def test_exit_status_is_told(bench: Bench) -> None:
    with pytest.raises(WorkerCrashed, match="exited with status 9"):
        bench.run("die", status=9, retries=0)


@linux
def test_uncaught_bad_alloc_counts_as_memory_and_is_not_tried_again(bench: Bench) -> None:
    with pytest.raises(LimitExceeded, match="out of memory"):
        bench.run("throw_bad_alloc")
    assert len(list(bench.folder.glob("died-*"))) == 1


@linux
def test_close_does_not_wait_for_a_worker_that_no_longer_reads(bench: Bench) -> None:
    bench.run("stop_reading")
    bench.wait_for("stopped")
    future = bench.submit("large", text="y" * 3_000_000, size=1)
    wait_until(future.running)
    began = time.monotonic()
    bench.executor.close()
    assert time.monotonic() - began < 15


@linux
def test_errors_of_stopped_work_name_the_component_last_heard_of(bench: Bench) -> None:
    with pytest.raises(WorkerCrashed) as crashed:
        bench.run("die", component="reader-x", signal="SIGKILL", retries=0)
    with pytest.raises(DeadlineExceeded) as late:
        bench.run("sleep", component="reader-y", seconds=60, deadline=0.2)
    assert (crashed.value.component, late.value.component) == ("reader-x", "reader-y")


@linux
def test_what_a_crashed_worker_leaves_is_killed(bench: Bench) -> None:
    with pytest.raises(WorkerCrashed):
        bench.run("die", signal="SIGKILL", child=True)
    assert gone(bench.folder)


def test_worker_that_died_between_tasks_costs_no_attempt(bench: Bench) -> None:
    pid = bench.run("about")["pid"]
    psutil.Process(pid).kill()
    wait_until(lambda: not running(pid))
    assert bench.run("echo", a=1, retries=0) == {"a": 1}


@linux
@pytest.mark.parametrize("function", ["sleep", "hang_in_c", "hang_with_tree"])
def test_deadline_kills_whatever_the_work_does(bench: Bench, function: str) -> None:
    bench.run("echo")  # the worker's start is not the task's time
    began = time.monotonic()
    with pytest.raises(DeadlineExceeded, match=r"within 1\.5 s"):
        bench.run(function, seconds=3600, deadline=1.5)
    assert time.monotonic() - began < 1.5 + 2
    if function == "hang_with_tree":
        assert gone(bench.folder)
    assert bench.run("echo", a=1) == {"a": 1}


def test_worker_that_stops_when_asked_is_kept(bench: Bench) -> None:
    pid = bench.run("about")["pid"]
    with pytest.raises(DeadlineExceeded):
        bench.run("sleep_politely", deadline=0.1)
    assert bench.run("about")["pid"] == pid


@linux
def test_single_huge_allocation_fails_at_once(bench: Bench) -> None:
    with pytest.raises(LimitExceeded, match="out of memory"):
        bench.run("no_memory", max_memory=GIB // 2)


@pytest.mark.parametrize("child", [False, True])
def test_memory_is_limited_with_that_of_children(bench: Bench, child: bool) -> None:
    with pytest.raises(LimitExceeded, match="memory"):
        bench.run("fill", bytes=50 * GIB, child=child, max_memory=GIB // 4, deadline=30.0)
    assert bench.run("echo", a=1) == {"a": 1}


def test_tasks_below_the_limit_are_left_alone(bench: Bench) -> None:
    with pytest.raises(DeadlineExceeded):  # it holds its memory till the deadline
        bench.run("fill", bytes=GIB // 8, max_memory=GIB // 2, deadline=1.5)


def test_several_tasks_run_at_once_and_no_more_than_jobs(tmp_path: Path) -> None:
    bench = Bench(ProcessExecutor(), tmp_path, jobs=2)
    futures = [bench.submit("sleep_politely", page=page) for page in range(3)]
    bench.wait_for("started-0")
    bench.wait_for("started-1")
    assert not (tmp_path / "started-2").exists()
    bench.executor.close()
    for future in futures:
        assert isinstance(future.exception(timeout=0), Cancelled)
    assert ours() == []


def test_submitting_from_eight_threads(tmp_path: Path) -> None:
    speaking = threading.Semaphore(1)
    overlaps = []

    def observe(name: str, message: Any) -> None:
        overlaps.append(not speaking.acquire(blocking=False))
        time.sleep(0.0005)
        speaking.release()

    bench = Bench(ProcessExecutor(), tmp_path)
    bench.executor.close()
    bench.executor.open(2, observe)
    with ThreadPoolExecutor(8) as threads:
        for function in ("echo", "talk"):
            done = threads.map(
                lambda n, f=function: bench.run(f, number=n, times=2), range(64)
            )  # fmt: skip
            if function == "echo":
                assert [value["number"] for value in done] == list(range(64))
            else:
                assert list(done) == [None] * 64
    assert len(overlaps) == 64 * 3 and not any(overlaps)
    bench.executor.close()
    assert ours() == []


@linux
def test_cancel_kills_a_deaf_tree_within_two_seconds(bench: Bench) -> None:
    future, waiting = bench.submit("hang_with_tree"), bench.submit("echo")
    bench.wait_for("started")
    began = time.monotonic()
    bench.executor.cancel()
    assert time.monotonic() - began < 0.2, "cancel() must not block"
    assert isinstance(waiting.exception(timeout=0), Cancelled)
    assert isinstance(future.exception(timeout=10), Cancelled)
    assert time.monotonic() - began < 2
    assert gone(bench.folder)


@linux
def test_close_takes_along_what_finished_tasks_left(bench: Bench) -> None:
    bench.run("leave_child")
    assert not gone(bench.folder)
    bench.executor.close()
    assert gone(bench.folder)


def test_close_twice_and_unused(tmp_path: Path) -> None:
    executor = ProcessExecutor()
    executor.close()
    Bench(executor, tmp_path)
    executor.close()
    executor.close()


def test_worker_is_replaced_after_its_share(tmp_path: Path) -> None:
    bench = Bench(ProcessExecutor(ProcessOptions(tasks_per_worker=2)), tmp_path)
    pids = [bench.run("about")["pid"] for _ in range(6)]
    bench.executor.close()
    assert len(set(pids)) == 3


def test_worker_that_grows_is_replaced(tmp_path: Path) -> None:
    bench = Bench(ProcessExecutor(ProcessOptions(growth=2**24)), tmp_path)
    pids = [bench.run("leak")]

    def replaced() -> bool:
        pids.append(bench.run("leak"))
        time.sleep(0.05)
        return pids[-1] != pids[0]

    wait_until(replaced)
    assert pids.index(pids[-1]) > 10
    bench.executor.close()


@pytest.mark.skipif(not hasattr(os, "nice"), reason="Windows knows classes only")
def test_workers_step_back_for_other_programs(tmp_path: Path) -> None:
    own = os.nice(0)
    for options, wanted in ((None, own), (ProcessOptions(nice=3), own + 3)):
        bench = Bench(ProcessExecutor(options), tmp_path)
        assert bench.run("priority") == [wanted, wanted]
        bench.executor.close()


@linux
def test_interpreter_that_never_gets_there(tmp_path: Path) -> None:
    slow = tmp_path / "python"
    slow.write_text("#!/bin/sh\nexec sleep 3600\n")
    slow.chmod(0o700)
    options = ProcessOptions(python=str(slow), start_timeout=0.2)
    bench = Bench(ProcessExecutor(options), tmp_path)
    with pytest.raises(WorkerCrashed, match="stopped answering while it started"):
        bench.run("echo", retries=0)
    bench.executor.close()
    assert ours() == []


def test_interpreter_that_is_not_there(tmp_path: Path) -> None:
    bench = Bench(ProcessExecutor(ProcessOptions(python=str(tmp_path / "none"))), tmp_path)
    with pytest.raises(MissingError, match="cannot start Python"):
        bench.run("echo")
    bench.executor.close()


def test_interpreter_that_is_none(tmp_path: Path) -> None:
    bench = Bench(ProcessExecutor(ProcessOptions(python="/bin/false")), tmp_path)
    with pytest.raises(WorkerCrashed, match="while it started"):
        bench.run("echo")
    bench.executor.close()


@linux
def test_nothing_survives_a_parent_that_is_killed(tmp_path: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, str(HERE / "executor_tasks.py"), f'"{tmp_path}"'],
    )
    try:
        wait_until(lambda: (tmp_path / "started").exists() and (tmp_path / "started-1").exists())
        assert len(ours()) >= 4
    finally:
        parent.kill()
        parent.wait()
    wait_until(lambda: gone(tmp_path) and ours() == [], 5)


def test_what_a_library_drops_into_the_temporary_folder_goes_with_the_pool(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    executor = ProcessExecutor()
    bench = Bench(executor, tmp_path)
    try:
        dropped, place = bench.run("litter")
        assert Path(dropped).is_relative_to(temporary) and Path(dropped).is_relative_to(place)
        assert bench.run("litter")[1] == place, "a library may remember the folder"
        assert list(temporary.iterdir()), "it lies there while the pool lives"
    finally:
        executor.close()
    assert list(temporary.iterdir()) == []
