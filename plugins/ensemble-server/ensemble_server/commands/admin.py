"""``ensemble admin``: look after a service from its own machine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ensemble_core.model import ConfigError

from .common import failing, settings_of, settings_options

if TYPE_CHECKING:
    from ..service import Service
    from ..settings import Settings

SCOPES = ("jobs:read", "jobs:write", "keys", "webhooks")


@click.group("admin", no_args_is_help=True)
@settings_options
@click.pass_context
def command(context: click.Context, config: Path | None, folder: Path | None) -> None:
    """Look after a service: users, keys, migrations, jobs."""
    from .. import logs

    context.obj = settings_of(config, folder=folder)
    logs.set_up("warning")


@contextmanager
def service_of(settings: Settings, *, migrated: bool = True) -> Iterator[Service]:
    """The service, not started."""
    from ..service import Service
    from .serve import prepare

    service = Service(settings)
    try:
        if migrated:
            prepare(service)
        yield service
    finally:
        service.close()


@command.command()
@click.argument("to", default="head")
@click.option("--down", is_flag=True, help="Go back to TO: a version, `-1` or `base`.")
@click.option("--current", "only_look", is_flag=True, help="Only say what there is.")
@click.pass_obj
@failing
def migrate(settings: Settings, to: str, down: bool, only_look: bool) -> None:
    """Bring the database up to date (or, with --down, back)."""
    from alembic.util import CommandError

    from ..records import migrate as migrating
    from ..records.database import Database

    database = Database(settings.database_url)
    try:
        if not only_look:
            (migrating.downgrade if down else migrating.upgrade)(database, to)
        click.echo(f"{migrating.current(database) or 'none'} (newest: {migrating.head()})")
    except CommandError as error:
        raise ConfigError(str(error)) from None
    finally:
        database.close()


@command.command()
@click.pass_obj
@failing
def users(settings: Settings) -> None:
    """List the users, and how many jobs they have."""
    from sqlalchemy import func, select

    from ..records.tables import Job, User

    counted = (
        select(User, func.count(Job.id))
        .outerjoin(Job, Job.user_id == User.id)
        .group_by(User.id)
        .order_by(User.created)
    )
    with service_of(settings) as service, service.database.read() as session:
        for user, count in session.execute(counted):
            click.echo(f"{user.id}  {user.issuer}  {user.subject}  {user.name}  {count} jobs")


@command.group(no_args_is_help=True)
def keys() -> None:
    """Make, list and revoke API keys."""


@keys.command("create")
@click.argument("name")
@click.option("--user", default="local", show_default=True, help="An id, or a local name.")
@click.option(
    "--scope", "scopes", multiple=True, type=click.Choice(SCOPES), help="May be repeated."
)
@click.option("--days", type=click.IntRange(1), help="Until it expires; else never.")
@click.pass_obj
@failing
def create_key(
    settings: Settings, name: str, user: str, scopes: tuple[str, ...], days: int | None
) -> None:
    """Make a key and print it; it cannot be shown again."""
    from ..auth import keys as making
    from ..auth.users import LOCAL, user_id_of
    from ..records.tables import User, now

    with service_of(settings) as service:
        with service.database.read() as session:
            known = session.get(User, user)
        user_id = known.id if known else user_id_of(service.database, LOCAL, user)
        expires = now() + timedelta(days=days) if days else None
        row, key = making.make(user_id, name, scopes or SCOPES[:2], expires)
        with service.database.write() as session:
            session.add(row)
    click.echo(key)


@keys.command("list")
@click.pass_obj
@failing
def list_keys(settings: Settings) -> None:
    """List all keys, without their secrets."""
    from sqlalchemy import select

    from ..records.tables import ApiKey

    with service_of(settings) as service, service.database.read() as session:
        for key in session.scalars(select(ApiKey).order_by(ApiKey.created)):
            state = "revoked" if key.revoked else f"until {key.expires or 'revoked'}"
            click.echo(f"{key.id}  {key.prefix}…  {key.name}  {','.join(key.scopes)}  {state}")


@keys.command("revoke")
@click.argument("key")
@click.pass_obj
@failing
def revoke_key(settings: Settings, key: str) -> None:
    """Revoke a key, by its id or its first characters."""
    from sqlalchemy import or_, select

    from ..records.tables import ApiKey, now

    with service_of(settings) as service, service.database.write() as session:
        row = session.scalar(select(ApiKey).where(or_(ApiKey.id == key, ApiKey.prefix == key[:16])))
        if row is None:
            raise ConfigError(f"there is no key {key!r}", hint="`ensemble admin keys list`")
        row.revoked = row.revoked or now()
    click.echo("revoked")


@command.command()
@click.option("--state", help="Only these.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1))
@click.pass_obj
@failing
def jobs(settings: Settings, state: str | None, limit: int) -> None:
    """List the newest jobs of everybody."""
    from sqlalchemy import select

    from ..records.tables import Job

    wanted = select(Job).order_by(Job.created.desc()).limit(limit)
    if state:
        wanted = wanted.where(Job.state == state)
    with service_of(settings) as service, service.database.read() as session:
        for job in session.scalars(wanted):
            click.echo(
                f"{job.id}  {job.state:<9}  {job.created:%Y-%m-%d %H:%M:%S}  "
                f"attempt {job.attempt}  {job.worker or '-'}  {job.name}"
            )


@command.command()
@click.pass_obj
@failing
def sweep(settings: Settings) -> None:
    """Remove jobs whose time is over, broken uploads, and files without a job."""
    from ..jobs.retention import sweep as sweeping

    with service_of(settings) as service:
        swept = sweeping(service, thorough=True)
    click.echo(
        f"{swept.expired} old jobs, {swept.broken} broken uploads, {swept.lost} lost folders"
    )


@command.command()
@click.pass_context
@failing
def doctor(context: click.Context) -> None:
    """Check the database, the store, Redis, the recognizers; exit 1 if something is wrong."""
    from ..health import readiness

    with service_of(context.obj, migrated=False) as service:
        found = readiness(service)
    click.echo(json.dumps(found, indent=2))
    context.exit(0 if found["status"] == "ok" else 1)
