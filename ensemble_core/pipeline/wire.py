"""The model as plain JSON data and back, for worker processes, the cache and reports."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar, get_origin

T = TypeVar("T")


@lru_cache(maxsize=1)
def _converter() -> Any:
    import cattrs

    converter = cattrs.Converter(detailed_validation=False)
    converter.register_unstructure_hook_func(
        lambda t: isinstance(t, type) and issubclass(t, Path), str
    )
    converter.register_structure_hook(Path, lambda value, _: Path(value))
    converter.register_unstructure_hook(bytes, lambda value: value.decode("utf-8"))
    converter.register_structure_hook(bytes, lambda value, _: value.encode("utf-8"))
    return converter


def pack(value: Any) -> Any:
    """Model objects as plain data: dicts, lists, texts and numbers."""
    return _converter().unstructure(value)


def unpack(data: Any, cls: type[T]) -> T:
    """The model object that :func:`pack` was given; one that never was packed is given back.

    Raises:
        Exception: The data does not fit the class.
    """
    if get_origin(cls) is None and isinstance(data, cls):
        return data
    result: T = _converter().structure(data, cls)
    return result
