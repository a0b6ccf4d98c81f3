"""Settings of one's own: keys, webhooks, mail."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import ValidationError
from sqlalchemy import update

from ..api import keys, webhooks
from ..api.errors import Problem
from ..api.jobs import service_of
from ..auth.principal import SCOPES, Keyholder, Principal, WebhookOwner, Writer
from ..records.tables import User, now
from .rendering import account, render
from .shown import ago

router = APIRouter(prefix="/settings", include_in_schema=False)


@router.get("")
def look(request: Request, user: Keyholder) -> Response:
    """Everything that can be set."""
    return _page(request, user)


@router.post("/keys")
def make_key(
    request: Request,
    user: Keyholder,
    name: Annotated[str, Form()] = "",
    days: Annotated[str, Form()] = "",
    scopes: Annotated[list[str] | None, Form()] = None,
) -> Response:
    """Make a key and show it, this once."""
    try:
        asked = keys.NewKey.model_validate(
            {"name": name, "scopes": scopes or [], "days": int(days) if days.isdigit() else None}
        )
        made = keys.make_key(request, Response(), user, asked)
    except ValidationError:
        return _page(request, user, 422, problem="A key needs a name, and something it may do.")
    except Problem as problem:
        return _page(request, user, problem.status, problem=problem.detail)
    return _page(request, user, made_key=made)


@router.post("/keys/{key_id}/revoke")
def revoke_key(request: Request, user: Keyholder, key_id: keys.Ident) -> Response:
    """Revoke a key."""
    keys.revoke_key(request, user, key_id)
    return RedirectResponse("/settings", 303)


@router.post("/webhooks")
def add_webhook(request: Request, user: WebhookOwner, url: Annotated[str, Form()] = "") -> Response:
    """Add a webhook and show its secret, this once."""
    try:
        made = webhooks.add_webhook(request, Response(), user, webhooks.NewWebhook(url=url))
    except ValidationError:
        return _page(request, user, 422, problem="This address is too long.")
    except Problem as problem:
        return _page(request, user, problem.status, problem=problem.detail)
    return _page(request, user, made_hook=made)


@router.post("/webhooks/{webhook_id}/remove")
def remove_webhook(request: Request, user: WebhookOwner, webhook_id: webhooks.Ident) -> Response:
    """Remove a webhook."""
    webhooks.remove_webhook(request, user, webhook_id)
    return RedirectResponse("/settings", 303)


@router.post("/mail")
def set_mail(request: Request, user: Writer, notify: Annotated[str, Form()] = "") -> Response:
    """Whether they want mail when a score is ready."""
    with service_of(request).database.write() as session:
        wanted = update(User).where(User.id == user.user_id)
        session.execute(wanted.values(notify_by_mail=notify == "yes"))
    return RedirectResponse("/settings", 303)


def _page(request: Request, user: Principal, status: int = 200, **values: Any) -> Response:
    service = service_of(request)
    who = account(service, user)
    mail = {"on": who.notify_by_mail} if service.settings.smtp and who is not None else None
    response = render(
        request,
        "settings",
        user,
        status,
        here="settings",
        keys=[_key(each) for each in keys.list_keys(request, user).keys],
        hooks=[
            {"id": hook.id, "url": hook.url, "says": f"added {ago(hook.created, now())}"}
            for hook in webhooks.list_webhooks(request, user).webhooks
        ],
        scopes=SCOPES.items(),
        mail=mail,
        **values,
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def _key(key: keys.Key) -> dict[str, Any]:
    present = now()
    says = [", ".join(key.scopes), f"made {ago(key.created, present)}"]
    says.append(f"used {ago(key.last_used, present)}" if key.last_used else "never used")
    if key.revoked:
        says = [f"revoked {ago(key.revoked, present)}"]
    elif key.expires:
        over = key.expires <= present
        says.append(f"{'expired' if over else 'expires'} {key.expires.day} {key.expires:%B %Y}")
    gone = key.revoked is not None or (key.expires is not None and key.expires <= present)
    return {
        "id": key.id,
        "name": key.name,
        "prefix": key.prefix,
        "says": " · ".join(says),
        "gone": gone,
    }
