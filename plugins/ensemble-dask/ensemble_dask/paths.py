"""Paths in plain data, put into other words on another machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any


def texts(value: Any) -> Iterator[str]:
    """Every text in plain data, keys of dicts left out."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from texts(item)


def translated(value: Any, word: Callable[[str], str]) -> Any:
    """The same plain data with ``word`` applied to every text in it."""
    if isinstance(value, str):
        return word(value)
    if isinstance(value, Mapping):
        return {key: translated(item, word) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [translated(item, word) for item in value]
    return value
