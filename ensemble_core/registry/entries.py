"""Finding plugins by what their distributions say of themselves; nothing is imported."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import metadata
from typing import Any

import attrs

from ..model import KINDS

GROUPS = {**{f"ensemble.{kind}s": str(kind) for kind in KINDS}, "ensemble.plugins": "plugin"}
"""Entry-point group → kind; ``plugin`` stands for observers and commands."""


@attrs.frozen
class Entry:
    """One strategy as its distribution announces it.

    Attributes:
        kind: One of the component kinds, or ``plugin``.
        name: Strategy name.
        distribution, version: Where it comes from; empty for an in-process plugin.
        module: The module that holds its hooks (``package.module``).
        plugin: The live plugin, if it was handed in by the program.
        blocked: The configuration forbids it; it is never imported.
    """

    kind: str
    name: str
    distribution: str
    version: str
    module: str
    plugin: Any = attrs.field(default=None, eq=False, repr=False)
    blocked: bool = False

    @property
    def qualified(self) -> str:
        """``distribution:name``, which is never ambiguous."""
        return f"{self.distribution or 'in-process'}:{self.name}"

    @property
    def key(self) -> str:
        """What messages call the plugin: its distribution and version."""
        return f"{self.distribution} {self.version}".strip() or "in-process plugin"


def scan(block: Iterable[str] = ()) -> tuple[Entry, ...]:
    """All entries of the installed distributions, sorted by kind, name and distribution.

    Args:
        block: Names of distributions, of strategies, or ``distribution:name``; what they
            name is listed as blocked.
    """
    blocked = {_normal(word) for word in block}
    found: dict[tuple[str, str, str], Entry] = {}
    for distribution in metadata.distributions():
        points = [point for point in distribution.entry_points if point.group in GROUPS]
        if not points:
            continue
        name, version = distribution.metadata["Name"], distribution.version
        for point in points:
            words = {_normal(name), point.name, f"{_normal(name)}:{point.name}"}
            entry = Entry(
                GROUPS[point.group],
                point.name,
                name,
                version,
                point.value.partition(":")[0].strip(),
                blocked=bool(words & blocked),
            )
            # the same distribution seen twice on the path counts once, first wins
            found.setdefault((entry.kind, entry.name, _normal(name)), entry)
    return tuple(sorted(found.values(), key=lambda e: (e.kind, e.name, e.distribution)))


def _normal(name: str) -> str:
    return name.lower().replace("_", "-")
