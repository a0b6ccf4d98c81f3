"""The event stream: one at a time, in order, and no observer can stop a run."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Sequence
from typing import Any

from ..model import Diagnostic, DiagnosticRaised, Event
from ..registry import Plugin

Observer = Callable[[Event], None]


class Emitter:
    """Hands every event to every observer, from one thread at a time.

    Args:
        observers: Functions of the embedding program.
    """

    def __init__(self, observers: Sequence[Observer]) -> None:
        self.run = uuid.uuid4().hex
        self._observers: list[tuple[str, Observer]] = [
            (getattr(observer, "__qualname__", repr(observer)), observer) for observer in observers
        ]
        self._lock = threading.RLock()
        self._broken: set[str] = set()

    def add(self, plugins: Sequence[Plugin]) -> None:
        """Hand events to plugins with an ``ensemble_event`` hook, too."""
        self._observers += [
            (f"plugin {plugin.name}", _hook(plugin))
            for plugin in plugins
            if plugin.manager.hook.ensemble_event.get_hookimpls()
        ]

    def __call__(self, event_type: type[Event], /, **fields: Any) -> None:
        """Make an event of a kind and hand it round."""
        with self._lock:
            event = event_type(run=self.run, time=time.monotonic(), **fields)
            for name, observer in self._observers:
                try:
                    observer(event)
                except Exception as error:
                    self._failed(name, error)

    def diagnostic(self, document: str, diagnostic: Diagnostic) -> None:
        """Hand round a diagnostic."""
        self(DiagnosticRaised, document=document, diagnostic=diagnostic)

    def _failed(self, name: str, error: Exception) -> None:
        if name in self._broken:
            return
        self._broken.add(name)
        text = f"the observer {name} raised {type(error).__name__}: {error}"
        self.diagnostic("", Diagnostic("warning", "observer-raised", text))


def _hook(plugin: Plugin) -> Observer:
    def call(event: Event) -> None:
        plugin.manager.hook.ensemble_event(event=event)

    return call
