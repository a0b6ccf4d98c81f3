"""Programs that embed the core: many pipelines at once, asyncio, no traces left in the process."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from in_process import Toy

from ensemble_core import CancelToken, Config, Pipeline
from ensemble_core.model import Context, ExitCode, Page, Score

ROOT = Path(__file__).resolve().parent.parent


def test_eight_pipelines_with_different_plugins_at_once(page_png: Path, tmp_path: Path) -> None:
    gate = threading.Barrier(8, timeout=60)

    def convert(number: int) -> tuple[int, bytes, list[str]]:
        from made_up import BARS

        def recognize(page: Page, ctx: Context) -> Score:
            gate.wait()  # all eight are inside their recognizer at the same time
            return Score(BARS.replace(b"Flute", b"Flute %d" % number))

        toy = Toy(f"toy{number}", recognize=recognize)
        pipeline = Pipeline(
            recognizer=f"toy{number}-reader", export=[f"toy{number}-exporter"], plugins=[toy],
            options={f"toy{number}-loader": {"pages": 1}},
        )  # fmt: skip
        result = pipeline.run([page_png])
        assert result.ok, result.report
        return number, result.documents[0].outputs[0].data or b"", toy.calls

    with ThreadPoolExecutor(8) as threads:
        for number, data, calls in threads.map(convert, range(8)):
            assert data.startswith(b"toy%d" % number) and b"Flute %d<" % number in data
            assert calls == ["load 0", "recognize 0"]


def test_the_readmes_example_runs_eight_times_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    readme = (ROOT / "README.md").read_text()
    (code,) = re.findall(
        r"^```python\n(from ensemble_core import Pipeline\n.*?)^```", readme, re.S | re.M
    )
    code = code.replace('"sightread"', '"mock"')
    program = compile(code, "README.md", "exec")
    with ThreadPoolExecutor(8) as threads:
        for done in [threads.submit(exec, program, {}) for _ in range(8)]:
            done.result()


def test_a_run_leaves_the_process_as_it_was(page_png: Path, tmp_path: Path) -> None:
    def traces() -> tuple[object, ...]:
        return (
            signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM),
            list(logging.getLogger().handlers), dict(os.environ), Path.cwd(),
            threading.active_count(),
        )  # fmt: skip

    before = traces()
    toy = Toy()
    assert (
        Pipeline(recognizer="toy-reader", export=["toy-exporter"], plugins=[toy]).run([page_png]).ok
    )
    assert traces() == before


def test_run_async_is_the_same_and_can_be_cancelled(page_png: Path) -> None:
    toy = Toy()
    pipeline = Pipeline(recognizer="toy-reader", export=["toy-exporter"], plugins=[toy])
    assert asyncio.run(pipeline.run_async([page_png])).ok

    entered = threading.Event()

    def forever(page: Page, ctx: Context) -> Score:
        entered.set()
        while not ctx.cancel.wait(0.01):
            pass
        ctx.check()
        raise AssertionError("not reached")

    token = CancelToken()
    slow = Pipeline(
        recognizer="slow-reader", export=["slow-exporter"], plugins=[Toy("slow", recognize=forever)]
    )

    async def cancelled() -> None:
        task = asyncio.create_task(slow.run_async([page_png], cancel=token))
        await asyncio.to_thread(entered.wait, 30)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
    assert token.cancelled


def test_a_token_stops_worker_processes_from_another_thread(page_png: Path) -> None:
    token = CancelToken()
    pipeline = Pipeline(recognizer="mock", export=["musicxml"], options={"mock": {"fault": "hang"}})

    def stop(event: object) -> None:
        if type(event).__name__ == "StageStarted" and event.kind == "recognizer":  # type: ignore[attr-defined]
            token.cancel()

    result = pipeline.run([page_png], on_event=stop, cancel=token)
    assert result.report.exit_code == ExitCode.CANCELLED


def test_pillows_own_limit_is_the_programs(page_png: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from PIL import Image

    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1234)
    toy = Toy()
    pipeline = Pipeline(
        recognizer="toy-reader", export=["toy-exporter"], plugins=[toy],
        config=Config.from_mapping({"run": {"executor": "serial"}}),
    )  # fmt: skip
    assert pipeline.run([page_png]).ok
    from ensemble_core.imaging import open_image

    picture = open_image(Page(0, page_png, 200, 100), Context(page_png.parent))
    assert picture.size == (200, 100), "more than the program's limit, less than ours"
    assert Image.MAX_IMAGE_PIXELS == 1234
