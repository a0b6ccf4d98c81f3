"""What the commands share: their settings, and how they fail."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from ensemble_core.model import ConfigError

if TYPE_CHECKING:
    from ..settings import Settings

_GARBAGE = 10_000, 4, 4
"""When garbage is looked for, as :func:`gc.set_threshold` takes it."""

F = TypeVar("F", bound=Callable[..., Any])

log_level_option = click.option(
    "--log-level",
    default="info",
    show_default=True,
    type=click.Choice(["debug", "info", "warning", "error"]),
    help="What is logged.",
)


def settings_options(command: F) -> F:
    """Add the options by which a command finds its settings."""
    wrapped: Any = click.option(
        "--folder", type=click.Path(path_type=Path), help="Where the database and the files are."
    )(command)
    wrapped = click.option(
        "--config",
        type=click.Path(path_type=Path, dir_okay=False),
        envvar="ENSEMBLE_SERVER_CONFIG",
        metavar="FILE",
        help="Settings in TOML; variables ENSEMBLE_SERVER__… and options come before it.",
    )(wrapped)
    return cast("F", wrapped)


def settings_of(config: Path | None, **given: Any) -> Settings:
    """The settings of a command.

    Args:
        config: A TOML file, if one was named.
        given: What was given as options; None: not given.

    Raises:
        ConfigError: A setting is unknown or wrong, or the file cannot be read.
    """
    from pydantic import ValidationError  # late, as it takes a while

    from ..settings import load

    try:
        return load(config, **{key: value for key, value in given.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "settings"
        raise ConfigError(f"{where}: {first['msg']}", hint="see docs/deploy.md") from None


def failing(function: F) -> F:
    """Turn the errors of a database that is away, or not migrated, into one line."""

    @wraps(function)
    def call(*arguments: Any, **options: Any) -> Any:
        try:
            return function(*arguments, **options)
        except Exception as error:
            told = _told(error)
            if told is None:
                raise
            raise told from None

    return cast("F", call)


@contextmanager
def starting() -> Iterator[None]:
    """A start, which makes much and throws away little: garbage is not looked for meanwhile.

    Nor is it afterwards among what was made: it stays as long as the process does. And from then on
    it is looked for more seldom than Python does by itself: hardly anything that requests and jobs
    leave is a cycle, while to look amid a crowd of uploads takes up to a fifth of their time.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.set_threshold(*_GARBAGE)
        gc.enable()


def _told(error: Exception) -> ConfigError | None:
    from sqlalchemy.exc import OperationalError, ProgrammingError  # late, as it takes a while

    if isinstance(error, OperationalError):
        return ConfigError(f"the database cannot be used: {_first_line(error)}")
    if isinstance(error, ProgrammingError):
        hint = "`ensemble admin migrate` brings it up to date"
        return ConfigError(f"the database: {_first_line(error)}", hint=hint)
    return None


def _first_line(error: Exception) -> str:
    return str(getattr(error, "orig", error)).strip().splitlines()[0]
