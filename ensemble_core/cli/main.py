"""The ``ensemble`` command: a group whose commands are imported when they are called."""

from __future__ import annotations

import sys
from importlib import import_module

import click

COMMANDS = {
    "convert": ("convert", "Read sheet music and write scores, MIDI and more"),
    "plan": ("plan", "Show what convert would do, without doing it"),
    "plugins": ("plugins", "List, examine, check and start plugins"),
    "models": ("models", "Fetch, import and verify the model files of components"),
    "config": ("config", "Show where settings come from; start and check a file"),
    "cache": ("cache", "How much is kept, and clearing it"),
    "completion": ("completion", "Print the shell's completion script"),
}
"""Command → (module beside this one, one line)."""


class LazyGroup(click.Group):
    """Knows its commands by name; imports one when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The core's commands, then those plugins add (from what is known of them)."""
        from .extra import known_commands

        return [*COMMANDS, *sorted(set(known_commands()) - set(COMMANDS))]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Import one command."""
        if name in COMMANDS:
            command: click.Command = import_module(f".{COMMANDS[name][0]}", __package__).command
            return command
        from .extra import plugin_command

        return plugin_command(name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands with their one line, importing none of them."""
        from .extra import known_commands

        rows = [(name, line) for name, (_, line) in COMMANDS.items()]
        rows += sorted((n, t) for n, t in known_commands().items() if n not in COMMANDS)
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with a hint when the word is nearly a command."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            import difflib

            close = difflib.get_close_matches(args[0], self.list_commands(ctx), n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise click.UsageError(error.message + hint, ctx) from None


def _version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        from .. import __version__

        click.echo(f"ensemble {__version__}")
        ctx.exit()


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version,
    help="Show the version.",
)  # fmt: skip
def main() -> None:
    """Ensemble reads sheet music: pictures in, scores out, every step a plugin.

    \b
    ensemble convert page.png              # page.musicxml beside it
    ensemble convert scans/ --to musicxml,midi -o scores/
    """


def run() -> None:
    """Entry point: every error the user can cause is one line and an exit code."""
    try:
        main(standalone_mode=False)
    except click.exceptions.Exit as end:
        sys.exit(end.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        click.echo("ensemble: cancelled", err=True)
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
    except Exception as error:
        from .failing import report_error

        sys.exit(report_error(error, debug="--debug" in sys.argv))
    sys.exit(0)
