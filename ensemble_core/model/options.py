"""Typed options: one attrs class per component, from which everything else follows.

TOML validation, ``-O name.option=value``, ``plugins show`` and the JSON Schema are all
read off the class; a plugin author writes nothing more than the fields.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NewType

import attrs

Duration = NewType("Duration", float)
"""Seconds. In configuration also a string: ``"90s"``, ``"2m"``, ``"1h30m"``."""

ByteSize = NewType("ByteSize", int)
"""Bytes. In configuration also a string: ``"500MB"``, ``"4GiB"``."""


def option(
    default: Any = attrs.NOTHING,
    doc: str = "",
    *,
    minimum: float | None = None,
    maximum: float | None = None,
    choices: Sequence[Any] | None = None,
    unit: str = "",
    factory: Callable[[], Any] | None = None,
) -> Any:
    """A field of an options class.

    Args:
        default: The value when nothing is configured.
        doc: One line on what it does; shown to users.
        minimum: Smallest value allowed.
        maximum: Largest value allowed.
        choices: The values allowed, for strings.
        unit: Unit shown beside the value (``px``, ``staff spaces``).
        factory: Makes the default, for lists and the like.
    """
    validators: list[Any] = []
    if minimum is not None:
        validators.append(attrs.validators.optional(attrs.validators.ge(minimum)))
    if maximum is not None:
        validators.append(attrs.validators.optional(attrs.validators.le(maximum)))
    if choices is not None:
        validators.append(attrs.validators.optional(attrs.validators.in_(tuple(choices))))
    metadata = {
        "doc": doc,
        "minimum": minimum,
        "maximum": maximum,
        "choices": tuple(choices) if choices is not None else None,
        "unit": unit,
    }
    extra: dict[str, Any] = {"factory": factory} if factory else {"default": default}
    return attrs.field(validator=validators or None, metadata=metadata, kw_only=True, **extra)
