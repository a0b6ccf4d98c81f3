"""``ensemble cache``: what is kept of earlier runs."""

from __future__ import annotations

import os
from pathlib import Path

import click

from ..config import discover
from ..pipeline import Cache
from ..places import cache_folder


@click.group("cache", no_args_is_help=True)
def command() -> None:
    """How much is kept of earlier runs, and clearing it."""


@command.command("info")
def info() -> None:
    """Say where the cache is and how much it holds."""
    found = _cache().info()
    size, limit = found.size / 1e6, found.limit / 1e6
    click.echo(f"{found.folder}: {found.pages} pages, {size:.1f} MB of at most {limit:.0f} MB")


@command.command("clear")
def clear() -> None:
    """Remove all results of pages."""
    found = _cache().clear()
    click.echo(f"removed {found.pages} pages, {found.size / 1e6:.1f} MB")


def _cache() -> Cache:
    run = discover(Path.cwd(), os.environ).settings().run
    return Cache(run.cache_dir or cache_folder(), run.cache_size)
