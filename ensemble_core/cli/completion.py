"""``ensemble completion``: the script that makes the Tab key work."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

SHELLS = ("bash", "zsh", "fish")


@click.command("completion")
@click.argument("shell", type=click.Choice(SHELLS))
def command(shell: str) -> None:
    """Print the completion script for SHELL; in bash: eval "$(ensemble completion bash)"."""
    from .main import main

    kind = get_completion_class(shell)
    if kind is None:  # click knows all of SHELLS
        raise click.UsageError(f"no completion for {shell}")
    click.echo(kind(main, {}, "ensemble", "_ENSEMBLE_COMPLETE").source())
