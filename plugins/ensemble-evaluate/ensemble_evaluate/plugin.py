"""The hooks of ensemble-evaluate."""

from __future__ import annotations

from collections.abc import Iterable

from ensemble_core.hooks import hookimpl
from ensemble_core.model import CommandSpec


@hookimpl
def ensemble_commands() -> Iterable[CommandSpec]:
    """``ensemble evaluate``."""
    return (
        CommandSpec(
            name="evaluate",
            target="ensemble_evaluate.command:command",
            summary="Compare what recognizers read with the truth",
        ),
    )
