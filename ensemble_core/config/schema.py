"""JSON Schema of options classes, for editors and web forms."""

from __future__ import annotations

import types
import typing
from pathlib import Path
from typing import Any

import attrs

from ..model import ByteSize, Duration
from .options import fields_of, plain

_SIMPLE: dict[Any, dict[str, Any]] = {
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    str: {"type": "string"},
    Path: {"type": "string"},
    type(None): {"type": "null"},
    Duration: {
        "anyOf": [
            {"type": "number", "minimum": 0},
            {"type": "string", "pattern": r"^(\d+(\.\d+)?h)?(\d+(\.\d+)?m)?(\d+(\.\d+)?s)?$"},
        ]
    },
    ByteSize: {
        "anyOf": [
            {"type": "integer", "minimum": 0},
            {"type": "string", "pattern": r"^\d+(\.\d+)?\s*[kKmMgGtT]?i?[bB]?$"},
        ]
    },
}


def schema_of(cls: type[Any]) -> dict[str, Any]:
    """The JSON Schema (2020-12) of an options class; unknown keys are refused."""
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {key: field_schema(field) for key, field in fields_of(cls).items()},
    }


def field_schema(field: attrs.Attribute[Any]) -> dict[str, Any]:
    """The JSON Schema of one option."""
    schema = type_schema(field.type)
    meta = field.metadata
    if meta.get("doc"):
        unit = f" ({meta['unit']})" if meta.get("unit") else ""
        schema["description"] = meta["doc"] + unit
    for bound in ("minimum", "maximum"):
        if meta.get(bound) is not None:
            schema[bound] = meta[bound]
    if meta.get("choices") is not None:
        schema["enum"] = list(meta["choices"])
    default: Any = field.default
    if isinstance(default, attrs.Factory):  # type: ignore[arg-type]
        default = default.factory()
    if default is not attrs.NOTHING and default is not None:
        schema["default"] = plain(default)
    return schema


def type_schema(wanted: Any) -> dict[str, Any]:
    """The JSON Schema of a type an option may have."""
    if wanted in _SIMPLE:
        return dict(_SIMPLE[wanted])
    origin, arguments = typing.get_origin(wanted), typing.get_args(wanted)
    if origin in (typing.Union, types.UnionType):
        return {"anyOf": [type_schema(argument) for argument in arguments]}
    if origin is typing.Literal:
        return {"enum": list(arguments)}
    if origin in (tuple, list):
        return {"type": "array", "items": type_schema(arguments[0]) if arguments else {}}
    if isinstance(wanted, type) and attrs.has(wanted):
        return schema_of(wanted)
    return {}
