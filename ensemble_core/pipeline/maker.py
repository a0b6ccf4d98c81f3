"""Live components of the calling process, one set per thread, closed at the end."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Mapping
from typing import Any

from ..model import PlannedComponent
from ..registry import import_target
from .work import build


class Maker:
    """Makes components in this process: those no worker can import, and inline ones.

    Args:
        live: Component → (class, options class) handed in by the program.
    """

    def __init__(self, live: Mapping[tuple[str, str], tuple[Any, Any]]) -> None:
        self._live = live
        self._own = threading.local()
        self._all: list[Any] = []

    def __call__(self, planned: PlannedComponent) -> Any:
        """The component a plan entry stands for; the same one again in the same thread."""
        made: dict[int, Any] = self._own.__dict__.setdefault("made", {})
        if id(planned) not in made:
            key = (planned.kind, planned.name)
            target, options = self._live.get(key) or (
                import_target(planned.target, f"{planned.kind} {planned.name!r}"),
                import_target(planned.options_class, planned.name),
            )
            made[id(planned)] = build(planned, target, options)
            self._all.append(made[id(planned)])
        return made[id(planned)]

    def close(self) -> None:
        """Close every component that wants to be."""
        for component in self._all:
            with contextlib.suppress(Exception):
                getattr(component, "close", lambda: None)()
        self._all.clear()
