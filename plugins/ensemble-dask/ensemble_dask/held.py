"""On a worker: the files that were sent along, each kept once while there is room."""

from __future__ import annotations

import shutil
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import attrs

ROOM = 2**30
"""Bytes of files kept that no task uses at the moment."""


@attrs.frozen
class Item:
    """A file that was sent: what it is called there and here, and its content's hash."""

    path: str
    digest: str
    data: bytes

    @property
    def name(self) -> str:
        """Its last part, which plugins may look at for the suffix."""
        return self.path.replace("\\", "/").rpartition("/")[2] or "file"


class Held:
    """Files by the hash of their content, so that one file always lies at one place.

    Components are kept between tasks by what they were made of, the paths of their model
    files included: a model file must not move from task to task.

    Args:
        folder: Where; made with the first file.
        room: Bytes kept beyond what is in use.
    """

    def __init__(self, folder: Path, room: int = ROOM) -> None:
        self._folder, self._room = folder, room
        self._guard = threading.Lock()
        self._kept: OrderedDict[str, tuple[Path, int]] = OrderedDict()
        self._users: dict[str, int] = {}

    @contextmanager
    def using(self, items: Iterable[Item]) -> Iterator[dict[str, Path]]:
        """Where the files are, by the paths they have on the machine they come from."""
        taken: list[str] = []
        try:
            places: dict[str, Path] = {}
            for item in items:
                with self._guard:
                    places[item.path] = self._take(item)
                    taken.append(f"{item.digest}/{item.name}")
            yield places
        finally:
            with self._guard:
                for key in taken:
                    self._users[key] -= 1
                self._make_room()

    def _take(self, item: Item) -> Path:
        key = f"{item.digest}/{item.name}"
        if key not in self._kept:
            place = self._folder / item.digest / item.name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(item.data)
            self._kept[key] = place, len(item.data)
        self._kept.move_to_end(key)
        self._users[key] = self._users.get(key, 0) + 1
        return self._kept[key][0]

    def _make_room(self) -> None:
        idle = [key for key in self._kept if not self._users.get(key)]
        size = sum(self._kept[key][1] for key in idle)
        for key in idle:
            if size <= self._room:
                return
            place, bytes_ = self._kept.pop(key)
            self._users.pop(key, None)
            shutil.rmtree(place.parent, ignore_errors=True)
            size -= bytes_
