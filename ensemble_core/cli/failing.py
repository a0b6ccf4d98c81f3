"""Errors as the user sees them: one line, or the traceback with ``--debug``."""

from __future__ import annotations

import traceback
from collections.abc import Mapping

import click

from ..model import EnsembleError, ExitCode


def report_error(error: Exception, debug: bool) -> int:
    """Print an error to stderr and give the exit code."""
    if debug:
        traceback.print_exception(error)
    if isinstance(error, EnsembleError):
        click.echo(f"ensemble: {error}", err=True)
        return int(error.exit_code)
    text = f"{type(error).__name__}: {error}".splitlines()[0]
    click.echo(f"ensemble: internal error: {text} (run again with --debug and report it)", err=True)
    return int(ExitCode.INTERNAL)


def error_line(payload: Mapping[str, str]) -> str:
    """The one line for an error that stands in a report."""
    return str(EnsembleError.from_payload(payload))
