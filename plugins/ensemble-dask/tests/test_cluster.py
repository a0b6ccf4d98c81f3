"""A batch on a scheduler with three worker processes, and what may happen to them."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from dask_cluster import DaskCluster, can_hide, cluster, until
from ensemble_dask.executor import DaskExecutor
from ensemble_dask.options import DaskOptions
from PIL import Image

from ensemble_core import Pipeline
from ensemble_core.model import (
    CancelToken,
    DeadlineExceeded,
    ExecutorFailed,
    PageDone,
    Progress,
    Task,
    WorkerCrashed,
)

pytestmark = pytest.mark.long

KIT = "ensemble_core.testing.operations"


def pages(folder: Path, number: int, size: int = 40) -> list[Path]:
    folder.mkdir()
    made = []
    for index in range(number):
        made.append(folder / f"page-{index:03}.png")
        Image.new("L", (size, size + index % 7), 255).save(made[-1])
    return made


def pipeline(executor: str, address: str = "", **options: Any) -> Pipeline:
    return Pipeline.from_config(
        {
            "pipeline": {"recognizer": "mock", "export": ["musicxml", "midi"]},
            "run": {"executor": executor, "cache": False},
            "options": {
                "dask": {"scheduler": address, **options.pop("dask", {})},
                "mock": {"measures": 3, **options},
            },
        }
    )


def bytes_of(result: Any) -> list[list[bytes]]:
    return [[output.data for output in document.outputs] for document in result.documents]


def children(process: Any) -> list[Any]:
    try:
        return psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def executor(address: str, **options: Any) -> DaskExecutor:
    made = DaskExecutor(DaskOptions(scheduler=address, **options))
    made.open(2, lambda task, message: None)
    return made


def wait_task(folder: Path, name: str, **fields: Any) -> Task:
    (folder / name).mkdir()
    seconds = fields.pop("seconds", 30)
    return Task(name, f"{KIT}:wait", {"seconds": seconds}, folder / name, **fields)


@pytest.mark.slow
def test_a_batch_is_the_same_as_here_though_a_worker_is_killed(
    workers: DaskCluster, hidden: Path
) -> None:
    scans = pages(hidden / "scans", 24)
    here = pipeline("processes").run(scans)
    done: list[int] = []

    def kill_one(event: Any) -> None:
        if isinstance(event, PageDone):
            done.append(event.page)
            if len(done) == 5:
                workers.workers[0].kill()

    options = {"fault": "delay", "delay": 0.05}
    there = pipeline("dask", workers.address, **options).run(scans, on_event=kill_one)
    assert there.ok, [d.report.error for d in there.documents if d.report.error]
    assert workers.workers[0].wait() == -9
    slow = pipeline("serial", **options).run(scans)
    assert bytes_of(there) == bytes_of(slow)
    assert [len(each) for each in bytes_of(there)] == [len(each) for each in bytes_of(here)]


@pytest.mark.skipif(not can_hide(), reason="needs user namespaces")
def test_large_files_and_pictures_reach_workers_that_do_not_see_them(
    workers: DaskCluster, hidden: Path
) -> None:
    """A document of several pages above what travels inline; an exporter that shows pages."""
    import os

    noise = [Image.frombytes("L", (1200, 1000), os.urandom(1_200_000)) for _ in range(3)]
    document = hidden / "three.tif"
    noise[0].save(document, save_all=True, append_images=noise[1:])
    config = {
        "pipeline": {"recognizer": "mock", "export": ["html"]},
        "run": {"cache": False},
        "options": {"dask": {"scheduler": workers.address}},
    }
    there = Pipeline.from_config({**config, "run": {"cache": False, "executor": "dask"}})
    here = Pipeline.from_config({**config, "options": {}})
    assert bytes_of(there.run([document])) == bytes_of(here.run([document]))


def test_progress_and_diagnostics_come_back(workers: DaskCluster, hidden: Path) -> None:
    [page] = pages(hidden / "scans", 1)
    seen: list[Any] = []
    result = pipeline("dask", workers.address).run([page], on_event=seen.append)
    assert result.ok
    assert any(isinstance(event, Progress) and event.component == "mock" for event in seen)


def test_a_task_that_kills_its_workers_fails_alone(workers: DaskCluster, hidden: Path) -> None:
    """Its child process may die once; its Dask worker may be killed once; then it is given up."""
    made = executor(workers.address)
    try:
        bad = made.submit(wait_task(hidden, "bad"))
        for _ in range(2):
            until(lambda: any(children(w) for w in workers.workers), "a worker begins")
            victim = next(w for w in workers.workers if children(w))
            victim.kill()
            victim.wait()  # its children go when their pipes break
        error = bad.exception(timeout=60)
        assert isinstance(error, WorkerCrashed), error
        assert "died while it worked" in str(error)
        good = made.submit(wait_task(hidden, "good", seconds=0.01))
        assert good.result(timeout=60) == "waited"
    finally:
        made.close()


def test_cancel_kills_what_runs_elsewhere(workers: DaskCluster, hidden: Path) -> None:
    token = CancelToken()
    [page] = pages(hidden / "scans", 1)
    ended: list[Any] = []
    run = threading.Thread(
        target=lambda: ended.append(
            pipeline("dask", workers.address, fault="hang").run([page], cancel=token)
        )
    )
    run.start()
    until(lambda: any(len(children(w)) > 1 for w in workers.workers), "it hangs")
    began = time.monotonic()
    token.cancel()
    run.join(20)
    assert ended and ended[0].report.exit_code == 130
    until(lambda: not any(children(w) for w in workers.workers), "its processes end", 20)
    assert time.monotonic() - began < 30


def test_a_client_that_dies_leaves_no_work_behind(workers: DaskCluster, hidden: Path) -> None:
    made = executor(workers.address)
    made.submit(wait_task(hidden, "long", seconds=300))
    until(lambda: any(children(w) for w in workers.workers), "it begins")
    made._client.close()  # as if the process were gone: no goodbye from the executor
    until(
        lambda: not any(is_working(w) for w in workers.workers),
        "what nobody waits for is stopped",
        60,
    )
    made.close()


def is_working(worker: Any) -> bool:
    return any("ensemble" in " ".join(c.cmdline()) for c in children(worker))


def test_deadlines_are_kept_elsewhere(workers: DaskCluster, hidden: Path) -> None:
    [page] = pages(hidden / "scans", 1)
    config = pipeline("dask", workers.address, fault="hang")
    config = Pipeline.from_config(
        {
            "pipeline": {"recognizer": "mock", "export": ["musicxml"]},
            "run": {"executor": "dask", "cache": False, "page-deadline": 1},
            "options": {"dask": {"scheduler": workers.address}, "mock": {"fault": "hang"}},
        }
    )
    result = config.run([page])
    assert result.report.exit_code == DeadlineExceeded.exit_code
    until(lambda: not any(is_working(w) for w in workers.workers), "nothing hangs on", 60)


def test_no_more_is_handed_over_than_asked_for(workers: DaskCluster, hidden: Path) -> None:
    """A hundred thousand pages must not be a hundred thousand futures in the scheduler."""
    made = executor(workers.address, in_flight=4)
    try:
        futures = [made.submit(wait_task(hidden, f"t{n}", seconds=0.02)) for n in range(60)]
        most = 0
        while not all(future.done() for future in futures):
            most = max(most, len(made._client.futures))
            time.sleep(0.01)
        assert all(future.result() == "waited" for future in futures)
        assert 1 <= most <= 12, "more futures than tasks in flight, and those that just landed"
    finally:
        made.close()


def test_a_scheduler_that_goes_ends_the_run_with_one_error(tmp_path: Path, hidden: Path) -> None:
    with cluster(tmp_path / "cluster", hidden, 1) as made:
        lose_the_scheduler(made, pages(hidden / "scans", 30))


def lose_the_scheduler(workers: DaskCluster, scans: list[Path]) -> None:
    seen: list[Any] = []

    def watch(event: Any) -> None:
        if isinstance(event, PageDone):
            seen.append(event)
            if len(seen) == 2 and workers.scheduler is not None:
                workers.scheduler.kill()

    running = pipeline("dask", workers.address, fault="delay", delay=0.2)
    began = time.monotonic()
    with pytest.raises(
        ExecutorFailed, match=r"connection to the scheduler tcp://\S+ is lost"
    ) as caught:
        running.run(scans, on_event=watch)
    assert caught.value.code == "scheduler-lost"
    assert "\n" not in str(caught.value)
    assert time.monotonic() - began < 30


def test_no_scheduler_at_the_address_is_one_clear_error(hidden: Path) -> None:
    [page] = pages(hidden / "scans", 1)
    running = pipeline("dask", "tcp://127.0.0.1:1", dask={"connect-timeout": "1s"})
    with pytest.raises(
        ExecutorFailed, match=r"no scheduler answers at tcp://127.0.0.1:1"
    ) as caught:
        running.run([page])
    assert caught.value.code == "scheduler-unreachable"
    assert "\n" not in str(caught.value)


def test_an_address_that_is_none_is_one_clear_error(hidden: Path) -> None:
    [page] = pages(hidden / "scans", 1)
    running = pipeline("dask", "carrier-pigeon://coop", dask={"connect-timeout": "1s"})
    with pytest.raises(ExecutorFailed, match=r"no scheduler answers at carrier-pigeon"):
        running.run([page])


def test_a_scheduler_without_workers_is_one_clear_error(tmp_path: Path, hidden: Path) -> None:
    [page] = pages(hidden / "scans", 1)
    with cluster(tmp_path / "cluster", hidden, 0) as made:
        running = pipeline("dask", made.address, dask={"worker-timeout": "1s"})
        with pytest.raises(ExecutorFailed, match="has no workers"):
            running.run([page])


def test_a_worker_with_other_versions_is_one_clear_error(tmp_path: Path, hidden: Path) -> None:
    [page] = pages(hidden / "scans", 1)
    other = tmp_path / "site"
    info = other / "ensemble_mock-0.0.9.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: ensemble-mock\nVersion: 0.0.9\n")
    with cluster(tmp_path / "cluster", hidden, 0) as made:
        made.add_worker({"PYTHONPATH": f"{other}:{path()}"})
        with pytest.raises(
            ExecutorFailed, match=r"has ensemble-mock 0\.0\.9, the run needs 0\.1"
        ) as e:
            pipeline("dask", made.address).run([page])
    assert e.value.code == "versions-differ"


def path() -> str:
    import os
    import sys

    return os.pathsep.join(str(Path(entry).absolute()) for entry in sys.path)


def test_a_worker_without_ensemble_is_one_clear_error(tmp_path: Path, hidden: Path) -> None:
    [page] = pages(hidden / "scans", 1)
    hook = tmp_path / "site"
    hook.mkdir()
    blocked = (
        "import sys\n"
        "class No:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] == 'ensemble_dask':\n"
        "            raise ModuleNotFoundError('No module named ' + repr(name), name=name)\n"
        "sys.meta_path.insert(0, No())\n"
    )
    (hook / "sitecustomize.py").write_text(blocked)
    with cluster(tmp_path / "cluster", hidden, 0) as made:
        made.add_worker({"PYTHONPATH": f"{hook}:{path()}"})
        with pytest.raises(ExecutorFailed, match="cannot import ensemble") as e:
            pipeline("dask", made.address).run([page])
    assert "\n" not in str(e.value)
