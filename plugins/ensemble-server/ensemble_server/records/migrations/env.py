"""Run by Alembic: on the connection that :mod:`ensemble_server.records.migrate` hands over."""

from __future__ import annotations

from alembic import context

from ensemble_server.records.tables import Record

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Record.metadata,
    render_as_batch=True,  # SQLite cannot change a column of a table
)
with context.begin_transaction():
    context.run_migrations()
