"""Which versions do the work here, and whether a worker has the same."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from functools import lru_cache
from importlib import metadata
from typing import Any

from ensemble_core.model import ExecutorFailed

ALWAYS = ("ensemble-core", "ensemble-dask")


@lru_cache(maxsize=256)
def version(distribution: str) -> str:
    """Of an installed distribution; empty if it is not installed."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return ""


def needed(payload: Any) -> dict[str, str]:
    """The distributions a task's components come from, with the versions they have here."""
    names = {*ALWAYS, *_distributions(payload)}
    return {name: found for name in sorted(names) if (found := version(name))}


def check(wanted: Mapping[str, str]) -> None:
    """Hold this machine to the versions of the one that sent the work.

    Raises:
        ExecutorFailed: One of them is another or missing here.
    """
    for name, there in wanted.items():
        here = version(name)
        if here != there:
            raise ExecutorFailed(
                f"worker on {platform.node()} has {name} {here or 'not at all'}, "
                f"the run needs {there}",
                hint="install the same versions on every machine",
                component="dask",
                code="versions-differ",
            )


def _distributions(value: Any) -> set[str]:
    """What stands under ``distribution`` anywhere in plain data."""
    if isinstance(value, Mapping):
        found = {value["distribution"]} if isinstance(value.get("distribution"), str) else set()
        return found.union(*map(_distributions, value.values())) - {""}
    if isinstance(value, list | tuple):
        return set().union(*map(_distributions, value))
    return set()
