"""The hooks of ensemble-server."""

from __future__ import annotations

from collections.abc import Iterable

from ensemble_core.hooks import hookimpl
from ensemble_core.model import CommandSpec


@hookimpl
def ensemble_commands() -> Iterable[CommandSpec]:
    """``ensemble serve``, ``work``, ``admin``, ``remote``."""
    return (
        CommandSpec(
            name="serve",
            target="ensemble_server.commands.serve:command",
            summary="Serve Ensemble to browsers and programs",
        ),
        CommandSpec(
            name="work",
            target="ensemble_server.commands.work:command",
            summary="Convert jobs of a service whose web part runs elsewhere",
        ),
        CommandSpec(
            name="admin",
            target="ensemble_server.commands.admin:command",
            summary="Look after a service: users, keys, migrations, jobs",
        ),
        CommandSpec(
            name="remote",
            target="ensemble_server.commands.remote:command",
            summary="Convert on a service instead of this machine",
        ),
    )
