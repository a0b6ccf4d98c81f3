"""What a Dask worker does for one task: unpack, have it done by a child process, pack."""

from __future__ import annotations

import json
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import wait
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ensemble_core.builtin.calling import as_error
from ensemble_core.model import Limits, Message, Task

from .bench import Bench, Slot, bench
from .held import Item
from .paths import texts, translated
from .versions import check

TICK = 0.1
"""Seconds between two looks at whether anybody still wants the result."""

RATE = 0.25
"""Seconds between two messages on a component's progress."""


def run(order: Mapping[str, Any], data: Mapping[str, bytes]) -> dict[str, Any]:
    """Do a task.

    Args:
        order: The task as plain data, and what belongs to it.
        data: Files that were sent apart from it, by path.

    Returns:
        ``value`` (JSON) and ``files`` (bytes by relative path), or ``failed``; and the
        ``messages`` of the task.
    """
    from distributed import get_worker

    worker = get_worker()

    def say(body: dict[str, Any]) -> None:
        worker.log_event(order["topic"], {"ensemble": order["task"]["id"], **body})

    def wanted() -> bool:
        state = worker.state.tasks.get(order["key"])
        return state is not None and state.state != "cancelled"

    say({"begun": worker.address})
    told = Told(say)
    try:
        check(order["versions"])
        place = bench(order["run"], worker.local_directory)
        answer = _do(order, data, place, told, wanted)
    except Exception as error:
        answer = {"failed": as_error(error).to_payload()}
    return {**answer, "messages": told.all()}


class Told:
    """What a task says: progress goes ahead, everything comes with the result.

    Diagnostics only come with the result: an attempt whose worker dies leaves none behind.
    """

    def __init__(self, say: Callable[[dict[str, Any]], None]) -> None:
        self._say = say
        self._guard = threading.Lock()
        self._number = 0
        self._kept: dict[tuple[str, Any], tuple[int, Message]] = {}
        self._last: dict[str, float] = {}

    def __call__(self, message: Message) -> None:
        """Take what the task sends; from any thread."""
        kind, component = str(message.get("type")), str(message.get("component"))
        with self._guard:
            self._number += 1
            number, now = self._number, time.monotonic()
            place = ("progress", component) if kind == "progress" else (kind, number)
            self._kept[place] = number, message
            if kind == "diagnostic":
                return
            if kind == "progress":
                if now < self._last.get(component, 0.0) + RATE:
                    return
                self._last[component] = now
        self._say({"number": number, "message": message})

    def all(self) -> list[tuple[int, Message]]:
        """Everything but progress that was overtaken, with numbers, in order."""
        with self._guard:
            return sorted(self._kept.values(), key=lambda pair: pair[0])


def _do(
    order: Mapping[str, Any],
    data: Mapping[str, bytes],
    place: Bench,
    told: Told,
    wanted: Callable[[], bool],
) -> dict[str, Any]:
    fields = order["task"]
    payload = json.loads(fields["payload"])
    with place.slot() as slot:
        slot.listener = told
        if order["shared"]:
            task = _task(fields, payload, Path(fields["workspace"]))
            return {"value": json.dumps(_follow(slot, task, wanted)), "files": {}}
        items = [
            Item(path, digest, data[path] if path in data else order["inline"][path])
            for path, digest in order["digests"].items()
        ]
        with place.held.using(items) as files, _folder(place) as folder:
            mapped = _unpacked(payload, files, folder)
            workspace = folder / "work"
            workspace.mkdir(mode=0o700)
            value = _follow(slot, _task(fields, mapped, workspace), wanted)
            return _packed(value, workspace, fields["workspace"])


def _task(fields: Mapping[str, Any], payload: Any, workspace: Path) -> Task:
    return Task(
        id=fields["id"],
        function=fields["function"],
        payload=payload,
        workspace=workspace,
        deadline=fields["deadline"],
        max_memory=fields["max_memory"],
        threads=fields["threads"],
        retries=fields["retries"],
        limits=Limits(**fields["limits"]),
        page=fields["page"],
    )


def _follow(slot: Slot, task: Task, wanted: Callable[[], bool]) -> Any:
    """See a task to its end, or kill it when nobody wants it any more.

    Raises:
        EnsembleError: What it failed with.
    """
    future = slot.executor.submit(task)
    while not wait([future], timeout=TICK).done:
        if not slot.spoilt and not wanted():
            slot.stop()
    error = future.exception()
    if error is not None:
        raise error
    return future.result()


@contextmanager
def _folder(place: Bench) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="task-", dir=place.folder))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _unpacked(payload: Any, files: Mapping[str, Path], folder: Path) -> Any:
    """The payload with the paths the files have here, also in JSON files among them."""
    here = {path: str(place) for path, place in files.items()}
    for path, place in files.items():
        if place.suffix == ".json" and len(files) > 1:
            content = json.loads(place.read_text(encoding="utf-8"))
            if any(text in files for text in texts(content)):
                own = folder / place.name
                own.write_text(json.dumps(_renamed(content, here)), encoding="utf-8")
                here[path] = str(own)
    return _renamed(payload, here)


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    return translated(value, lambda text: names.get(text, text))


def _packed(value: Any, workspace: Path, original: str) -> dict[str, Any]:
    """The result as the other machine knows it, and the files it names."""
    here = str(workspace)
    wanted: set[Path] = set()
    for text in texts(value):
        path = Path(text) if text.startswith(here) else None
        if path is not None and path.is_file():
            wanted.add(path)
        elif path is not None and path.is_dir():
            wanted.update(each for each in path.rglob("*") if each.is_file())
    files = {path.relative_to(workspace).as_posix(): path.read_bytes() for path in wanted}
    said = translated(
        value, lambda text: original + text[len(here) :] if text.startswith(here) else text
    )
    return {"value": json.dumps(said), "files": files}
