"""Bringing the tables up to date."""

from __future__ import annotations

from .database import Database
from .tables import Record


def upgrade(database: Database) -> None:
    """Make all tables."""
    Record.metadata.create_all(database.engine)
