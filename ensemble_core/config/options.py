"""From an options class: structuring, plain data, a description and a JSON Schema."""

from __future__ import annotations

import difflib
import re
import types
import typing
from collections.abc import Mapping
from enum import Enum
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import attrs

from ..model import ByteSize, ConfigError, Duration

T = TypeVar("T")

_DURATION = re.compile(r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s)?")
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)b?", re.IGNORECASE)


def parse_duration(value: Any) -> float:
    """Seconds from a number or ``"90s"``, ``"2m"``, ``"1h30m"``.

    Raises:
        ValueError: It is none of these, or negative.
    """
    if isinstance(value, str):
        match = _DURATION.fullmatch(value.strip())
        if match and any(match.groups()):
            hours, minutes, seconds = (float(part or 0) for part in match.groups())
            return hours * 3600 + minutes * 60 + seconds
    if isinstance(value, bool):
        raise ValueError("is not a duration such as 90, '90s' or '2m'")
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        raise ValueError("is not a duration such as 90, '90s' or '2m'") from None
    if not 0 <= seconds < float("inf"):
        raise ValueError("is not a duration: it must be 0 or more")
    return seconds


def parse_size(value: Any) -> int:
    """Bytes from a number or ``"500MB"``, ``"4GiB"``.

    Raises:
        ValueError: It is neither.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    match = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
    if not match:
        raise ValueError("is not a size such as 1000000, '500MB' or '4GiB'")
    number, prefix, binary = match.groups()
    power = " kmgt".index(prefix.lower() or " ")
    return int(float(number) * (1024 if binary else 1000) ** power)


class Text(str):
    """A value given as text (command line, environment): its option's type reads it."""

    __slots__ = ()


def key_of(field_name: str) -> str:
    """How a field is written in configuration: ``max_pixels`` is ``max-pixels``."""
    return field_name.rstrip("_").replace("_", "-")


def fields_of(cls: type[Any]) -> dict[str, attrs.Attribute[Any]]:
    """The fields of an options class by configuration key, with their types resolved."""
    resolved = attrs.resolve_types(cls, include_extras=True)
    return {key_of(field.name): field for field in attrs.fields(resolved)}


def did_you_mean(word: str, known: typing.Iterable[str]) -> str:
    """A hint with the closest known words, or the whole list when none is close."""
    known = sorted(known)
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"known: {', '.join(known)}" if known else "there are none"


def structure_options(cls: type[T], values: Mapping[str, Any], where: str) -> T:
    """Make an options object from plain data.

    Args:
        cls: The options class.
        values: Configuration keys (``max-pixels``) and plain values.
        where: What messages call it (``options.sharpen``).

    Raises:
        ConfigError: A key is unknown, or a value has the wrong type or is out of range.
    """
    known = fields_of(cls)
    arguments: dict[str, Any] = {}
    for raw_key, given in values.items():
        key = str(raw_key).replace("_", "-")
        if key not in known:
            raise ConfigError(f"{where}: unknown option {raw_key!r}", hint=did_you_mean(key, known))
        field = known[key]
        value = parse_text(str(given), field.type) if isinstance(given, Text) else given
        try:
            arguments[field.alias or field.name] = convert(value, field.type)
        except (ValueError, TypeError) as error:
            raise ConfigError(f"{where}.{key}: {value!r} {error}") from None
    missing = [
        key for key, field in known.items()
        if field.default is attrs.NOTHING and (field.alias or field.name) not in arguments
    ]  # fmt: skip
    if missing:
        raise ConfigError(f"{where}: {missing[0]} must be given")
    for key, field in known.items():
        name = field.alias or field.name
        if name in arguments:
            _check_bounds(where, key, field, arguments[name])
    try:
        return cls(**arguments)
    except (ValueError, TypeError) as error:
        raise ConfigError(f"{where}: {error}") from None


def _check_bounds(where: str, key: str, field: attrs.Attribute[Any], value: Any) -> None:
    low, high = field.metadata.get("minimum"), field.metadata.get("maximum")
    choices = field.metadata.get("choices")
    if value is None:
        return
    if low is not None and value < low:
        raise ConfigError(f"{where}.{key}: {value!r} is below {low}")
    if high is not None and value > high:
        raise ConfigError(f"{where}.{key}: {value!r} is above {high}")
    if choices is not None and value not in choices:
        hint = did_you_mean(str(value), [str(choice) for choice in choices])
        raise ConfigError(f"{where}.{key}: {value!r} is not allowed", hint=hint)


@lru_cache(maxsize=1)
def _converter() -> Any:
    import cattrs

    converter = cattrs.Converter(forbid_extra_keys=True, detailed_validation=False)
    converter.register_structure_hook_func(lambda t: t in (int, float, str, bool), convert)
    return converter


def convert(value: Any, wanted: Any) -> Any:  # noqa: PLR0912 - one branch a type
    """A plain value as the type an option declares; strict, so typing errors surface.

    Raises:
        ValueError: It is not of that type.
    """
    if wanted is Duration:
        return parse_duration(value)
    if wanted is ByteSize:
        return parse_size(value)
    origin = typing.get_origin(wanted)
    if origin in (typing.Union, types.UnionType):
        return _convert_union(value, typing.get_args(wanted))
    if origin is typing.Literal:
        allowed = typing.get_args(wanted)
        if value not in allowed:
            raise ValueError(f"is not one of {', '.join(map(str, allowed))}")
        return value
    if origin in (tuple, list) and isinstance(value, list | tuple):
        arguments = typing.get_args(wanted) or (Any,)
        return origin(convert(item, arguments[0]) for item in value)
    if wanted is bool and isinstance(value, bool):
        return value
    if wanted is int and isinstance(value, int) and not isinstance(value, bool):
        return value
    if wanted is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if wanted is str and isinstance(value, str):
        return value
    if wanted is Path and isinstance(value, str | Path):
        return Path(value).expanduser()
    if wanted in (bool, int, float, str, Path) or origin in (tuple, list):
        raise ValueError(f"is not {_TYPE_WORDS.get(origin or wanted, str(wanted))}")
    if wanted is Any or (isinstance(wanted, type) and isinstance(value, wanted)):
        return value
    try:
        return _converter().structure(value, wanted)
    except Exception as error:
        raise ValueError(f"is not a valid {wanted}: {error}") from None


_TYPE_WORDS = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
    Path: "a path",
    tuple: "a list",
    list: "a list",
}


def _convert_union(value: Any, choices: tuple[Any, ...]) -> Any:
    if value is None and type(None) in choices:
        return None
    reasons = []
    for choice in choices:
        if choice is not type(None):
            try:
                return convert(value, choice)
            except ValueError as error:
                reasons.append(str(error))
    raise ValueError(", ".join(dict.fromkeys(reasons)))


def unstructure_options(options: Any) -> dict[str, Any]:
    """An options object as plain data, keys as they are written in configuration."""
    if options is None:
        return {}
    return {key: plain(getattr(options, f.name)) for key, f in fields_of(type(options)).items()}


def plain(value: Any) -> Any:
    """Data TOML and JSON can hold."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    return unstructure_options(value) if attrs.has(type(value)) else value


def parse_text(text: str, field_type: Any) -> Any:
    """The plain value a text on the command line or in the environment stands for.

    A text option takes the text as it is; anything else is read as a TOML value, and
    failing that is left a text for :func:`convert` to judge.
    """
    if field_type is str:
        return text
    if text.lower() in ("true", "false", "yes", "no", "on", "off"):
        return text.lower() in ("true", "yes", "on")
    origin = typing.get_origin(field_type)
    if origin in (tuple, list) and not text.lstrip().startswith("["):
        return [parse_text(part.strip(), Any) for part in text.split(",") if part.strip()]
    try:
        from .toml import loads

        return loads(f"value = {text}")["value"]
    except ValueError:
        return text
