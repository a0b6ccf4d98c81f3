"""Users are made when they are first seen; nobody registers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from ..records.tables import User

if TYPE_CHECKING:
    from ..records.database import Database

LOCAL = "local"


def user_id_of(
    database: Database, issuer: str, subject: str, *, name: str = "", email: str = ""
) -> str:
    """The id of the user an issuer knows as ``subject``, made if new.

    Args:
        database: Where users are.
        issuer: URL of the issuer, or :data:`LOCAL`.
        subject: Their id there.
        name: What to call them; kept up to date where given.
        email: Their address, only if the issuer has verified it; kept up to date where given.
    """
    known = select(User).where(User.issuer == issuer, User.subject == subject)
    with database.read() as session:
        user = session.scalar(known)
    if user is None:
        try:
            with database.write() as session:
                user = User(issuer=issuer, subject=subject, name=name, email=email)
                session.add(user)
        except IntegrityError:  # another request was first
            with database.read() as session:
                user = session.scalars(known).one()
    if (name and name != user.name) or (email and email != user.email):
        with database.write() as session:
            user = session.scalars(known).one()
            user.name, user.email = name or user.name, email or user.email
    return user.id
