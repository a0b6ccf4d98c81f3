"""Where one wants to be told of ended jobs: ``/v1/webhooks``."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ..auth.principal import Principal, WebhookOwner
from ..auth.who import database_of
from ..notices.addresses import LONGEST, AddressRefused, look_up
from ..notices.sending import send_one
from ..notices.taking import LEASE
from ..records.tables import Notice, User, Webhook, new_id, now
from ..settings import Settings
from .errors import Problem, not_found
from .jobs import problems

router = APIRouter(prefix="/v1/webhooks", tags=["webhooks"])

MOST = 20
"""Webhooks a user may have."""

SHOWN = 100
"""Deliveries listed."""

Ident = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,32}$")]


class NewWebhook(BaseModel):
    """Where to send to."""

    model_config = ConfigDict(extra="forbid")

    url: str = Field(max_length=LONGEST, description="An https:// URL on the public internet")


class Hook(BaseModel):
    """A webhook, without its secret."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    url: str
    created: datetime


class MadeHook(Hook):
    """A webhook just made."""

    secret: str = Field(description="Signs what is sent (HMAC-SHA256); shown this once")


class Hooks(BaseModel):
    """All webhooks, the newest first."""

    webhooks: list[Hook]


class Delivery(BaseModel):
    """A message to a webhook, and what came of it."""

    model_config = ConfigDict(from_attributes=True)

    id: str = Field(description="As in the header `Ensemble-Delivery`; the same at each try")
    event: str
    job_id: str
    state: str = Field(description="`waiting`, `delivered` or `given-up`")
    attempt: int = Field(description="How often it was tried")
    next_try: datetime
    last_answer: str
    created: datetime


class Deliveries(BaseModel):
    """The newest deliveries, the newest first."""

    deliveries: list[Delivery]


@router.get("", responses=problems(401, 403, 429), summary="List one's webhooks")
def list_webhooks(request: Request, user: WebhookOwner) -> Hooks:
    """All of one's webhooks, the newest first."""
    with database_of(request).read() as session:
        rows = session.scalars(
            select(Webhook).where(Webhook.user_id == user.user_id).order_by(Webhook.created.desc())
        )
        return Hooks(webhooks=[Hook.model_validate(row) for row in rows])


@router.post(
    "",
    status_code=201,
    responses=problems(400, 401, 403, 409, 413, 422, 429),
    summary="Add a webhook",
)
def add_webhook(
    request: Request, response: Response, user: WebhookOwner, asked: NewWebhook
) -> MadeHook:
    """Be told of each job that ends, by a signed POST.

    Raises:
        Problem: 422 ``webhook-refused`` if the URL cannot be used; 409 if there are too many.
    """
    settings: Settings = request.app.state.settings
    try:
        look_up(asked.url, private=settings.webhooks_to_private)
    except AddressRefused as error:
        raise Problem(422, "webhook-refused", str(error)) from error
    row = Webhook(user_id=user.user_id, url=asked.url, secret=f"whsec_{secrets.token_urlsafe(32)}")
    with database_of(request).write() as session:
        session.execute(select(User.id).where(User.id == user.user_id).with_for_update())
        count = session.scalar(select(func.count()).where(Webhook.user_id == user.user_id)) or 0
        if count >= MOST:
            raise Problem(409, "too-many-webhooks", f"There are {MOST} already; remove some first.")
        session.add(row)
    response.headers["Cache-Control"] = "no-store"
    return MadeHook(**Hook.model_validate(row).model_dump(), secret=row.secret)


@router.delete(
    "/{webhook_id}",
    status_code=204,
    responses=problems(401, 403, 404, 422, 429),
    summary="Remove a webhook",
)
def remove_webhook(request: Request, user: WebhookOwner, webhook_id: Ident) -> None:
    """Remove a webhook; what was still to be sent there is not sent.

    Raises:
        Problem: 404 if one has no such webhook.
    """
    with database_of(request).write() as session:
        session.delete(_mine(session, user, webhook_id))


@router.post(
    "/{webhook_id}/test", responses=problems(401, 403, 404, 422, 429), summary="Try a webhook"
)
def test_webhook(request: Request, user: WebhookOwner, webhook_id: Ident) -> Delivery:
    """Send the event ``ping`` there now, once, and say what came of it.

    Raises:
        Problem: 404 if one has no such webhook.
    """
    database = database_of(request)
    with database.write() as session:
        notice = Notice(
            id=new_id(),
            user_id=user.user_id,
            webhook_id=_mine(session, user, webhook_id).id,
            job_id="",
            event="ping",
            payload=_PING,
            attempt=1,
            lease_until=now() + LEASE,  # no sender takes it
        )
        session.add(notice)
    send_one(database, request.app.state.settings, notice)
    with database.read() as session:
        found = session.get(Notice, notice.id)
        if found is None:  # the webhook was removed meanwhile
            raise not_found("webhook")
        return Delivery.model_validate(found)


@router.get(
    "/{webhook_id}/deliveries",
    responses=problems(401, 403, 404, 422, 429),
    summary="List a webhook's deliveries",
)
def list_deliveries(request: Request, user: WebhookOwner, webhook_id: Ident) -> Deliveries:
    """What was sent there lately, and what is still to be sent, the newest first.

    Raises:
        Problem: 404 if one has no such webhook.
    """
    with database_of(request).read() as session:
        webhook = _mine(session, user, webhook_id)
        rows = session.scalars(
            select(Notice)
            .where(Notice.webhook_id == webhook.id)
            .order_by(Notice.created.desc())
            .limit(SHOWN)
        )
        return Deliveries(deliveries=[Delivery.model_validate(row) for row in rows])


def _mine(session: Session, user: Principal, webhook_id: str) -> Webhook:
    found = session.scalar(
        select(Webhook).where(Webhook.id == webhook_id, Webhook.user_id == user.user_id)
    )
    if found is None:
        raise not_found("webhook")
    return found


_PING: dict[str, Any] = {"message": "This is a test."}
