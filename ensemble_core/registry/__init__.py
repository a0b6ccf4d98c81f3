"""Finding plugins, loading one, and saying why one is broken."""

from __future__ import annotations

from .entries import Entry, scan
from .loading import Plugin, known_hooks
from .registry import Component, Registry, import_target, missing

__all__ = [
    "Component",
    "Entry",
    "Plugin",
    "Registry",
    "import_target",
    "known_hooks",
    "missing",
    "scan",
]
