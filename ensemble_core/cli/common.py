"""Options and steps several commands share."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from ..config import Config, discover
from ..config.options import parse_duration
from ..model import ConfigError, InputError

F = TypeVar("F", bound=Callable[..., Any])

FOLDER_TYPES = ("image/", "application/pdf")
"""What is taken from a folder: pictures and PDFs, not the scores written beside them."""


def config_options(command: F) -> F:
    """``-c``, ``--profile`` and ``-O``."""
    for add in (
        click.option(
            "-O", "--option", "options", multiple=True, metavar="NAME.KEY=VALUE",
            help="Set a component's option (sharpen.sigma=1.2) or a setting (run.jobs=1).",
        ),
        click.option("--profile", metavar="NAME", help="Use a profile of the configuration."),
        click.option(
            "-c", "--config", "config_path", metavar="FILE", type=click.Path(path_type=Path),
            help="Take this configuration file instead of the project's.",
        ),
    ):  # fmt: skip
        command = add(command)
    return command


def step_options(command: F) -> F:
    """What the pipeline is made of."""
    for add in (
        click.option("--join", is_flag=True, help="Make one score of all inputs."),
        click.option("--pages", metavar="1-3,7", help="Read only these pages (1 is the first)."),
        click.option(
            "-p", "--preprocess", metavar="NAMES", help="Image enhancers in order: deskew,sharpen."
        ),
        click.option("-r", "--recognizer", metavar="NAME", help="What reads the pages."),
        click.option("-t", "--to", "export", metavar="NAMES", help="What to make: musicxml,midi …"),
    ):  # fmt: skip
        command = add(command)
    return command


def build_config(  # noqa: PLR0917 - one argument per command-line option
    config_path: Path | None,
    profile: str | None,
    options: Sequence[str],
    export: str | None = None,
    recognizer: str | None = None,
    preprocess: str | None = None,
    join: bool = False,
    run: dict[str, Any] | None = None,
) -> Config:
    """The configuration a command line asks for.

    Raises:
        ConfigError: A file, a variable or an argument is wrong.
    """
    pipeline: dict[str, Any] = {}
    if export is not None:
        pipeline["export"] = split_names(export)
    if recognizer is not None:
        pipeline["recognizer"] = recognizer
    if preprocess is not None:
        pipeline["preprocess"] = split_names(preprocess)
    if join:
        pipeline["join"] = True
    return discover(
        Path.cwd(), os.environ, file=config_path, profile=profile,
        arguments={"pipeline": pipeline, "run": run or {}}, options=options,
    )  # fmt: skip


def split_names(text: str) -> list[str]:
    """``"a,b"`` as names; ``none`` or nothing at all is no name."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    return [] if names == ["none"] else names


def parse_pages(text: str | None) -> list[int] | None:
    """``"1-3,7"`` as 0-based pages.

    Raises:
        ConfigError: It is not a list of pages.
    """
    if text is None:
        return None
    pages: set[int] = set()
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d+)\s*(?:-\s*(\d+)\s*)?", part)
        if not match:
            raise ConfigError(f"--pages: {part!r} is not a page or a range such as 1-3")
        first, last = int(match[1]), int(match[2] or match[1])
        if not 1 <= first <= last <= 1_000_000:
            raise ConfigError(f"--pages: {part!r} is not a range; the first page is 1")
        pages.update(range(first - 1, last))
    return sorted(pages)


def seconds(_: click.Context, parameter: click.Parameter, value: str | None) -> float | None:
    """A duration given on the command line."""
    if value is None:
        return None
    try:
        return parse_duration(value)
    except ValueError as error:
        raise click.BadParameter(f"{value!r} {error}", param=parameter) from None


def expand(arguments: Sequence[str]) -> list[Path]:
    """Files, folders (their pictures and PDFs) and patterns as files, in natural order.

    Raises:
        InputError: A folder or a pattern holds nothing to read.
    """
    found: list[Path] = []
    for argument in arguments:
        path = Path(argument)
        if path.is_dir():
            found += _of_folder(path)
        elif not path.exists() and any(mark in argument for mark in "*?["):
            matches = [Path(name) for name in glob.glob(argument, recursive=True)]  # noqa: PTH207
            files = sorted((match for match in matches if match.is_file()), key=natural)
            if not files:
                raise InputError(f"{argument}: no file matches")
            found += files
        else:
            found.append(path)
    return list(dict.fromkeys(found))


def _of_folder(folder: Path) -> list[Path]:
    from ..sniff import sniff

    try:
        files = sorted((f for f in folder.iterdir() if not f.name.startswith(".")), key=natural)
    except PermissionError:
        raise InputError(f"{folder}: no permission to look into it") from None
    readable = [f for f in files if f.is_file() and sniff(f).startswith(FOLDER_TYPES)]
    if not readable:
        raise InputError(f"{folder}: holds no picture and no PDF")
    return readable


def natural(path: Path) -> list[tuple[int, str]]:
    """Sort key by which ``page-10`` comes after ``page-9``."""
    parts = re.split(r"(\d+)", str(path))
    return [(int(part), "") if part.isdigit() else (-1, part) for part in parts]
