"""Templates to answers: what every page is given, and what keeps foreign scripts out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import attrs
from ensemble_engrave.web import assets as score
from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PackageLoader, PrefixLoader
from starlette.requests import Request
from starlette.responses import HTMLResponse

from ..records.tables import User
from .assets import address

if TYPE_CHECKING:
    from ..auth.principal import Principal
    from ..auth.who import Auth
    from ..service import Service

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "font-src 'self'",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
"""Nothing inline, nothing from elsewhere; pictures may be in the page (sources) or chosen files."""

HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "private, no-cache",
}

_WORD = re.compile("[a-z]+ ")

THEME_COOKIE = "ensemble_theme"


@attrs.frozen
class Account:
    """Who looks at a page.

    Attributes:
        name: What they are called.
        email: Their verified address, or empty.
        notify_by_mail: Whether they want mail.
        session: Whether they signed in, so that they can sign out.
    """

    name: str
    email: str
    notify_by_mail: bool
    session: bool


class Renderer:
    """The templates."""

    def __init__(self) -> None:
        loader = ChoiceLoader(
            [
                PackageLoader("ensemble_server.pages"),
                PrefixLoader({"score": FileSystemLoader(score.FOLDER)}),
            ]
        )
        self._environment = Environment(
            loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True
        )
        self._environment.filters.update(filesize=filesize, sentence=sentence)
        self._environment.globals.update(
            asset=address,
            # Fonts and colours first, then what is made of them.
            score_styles=score.STYLES,
            score_scripts=score.SCRIPTS,
        )

    def page(
        self,
        request: Request,
        template: str,
        principal: Principal | None,
        code: int = 200,
        /,
        **values: Any,
    ) -> HTMLResponse:
        """A page.

        Args:
            request: Whose answer it is.
            template: Its name, without suffix.
            principal: Who looks at it; None: nobody who is known.
            code: HTTP status.
            values: What the template is about.
        """
        auth: Auth = request.app.state.auth
        theme = request.cookies.get(THEME_COOKIE, "")
        text = self._environment.get_template(f"{template}.html").render(
            account=account(request.app.state.service, principal),
            can_sign_in=bool(auth.choices()),
            csrf=auth.csrf_token(request),
            theme=theme if theme in {"light", "dark"} else "",
            path=request.url.path,
            **values,
        )
        return HTMLResponse(text, code, headers=HEADERS)


def account(service: Service, principal: Principal | None) -> Account | None:
    """Who that is; None for nobody."""
    if principal is None:
        return None
    with service.database.read() as session:
        user = session.get(User, principal.user_id)
    if user is None:
        return None
    name = user.name or user.email or ("" if principal.via == "local" else user.subject)
    return Account(name, user.email, user.notify_by_mail, principal.via == "session")


def render(
    request: Request, template: str, principal: Principal | None, code: int = 200, /, **values: Any
) -> HTMLResponse:
    """A page of the application a request is made to; see :meth:`Renderer.page`."""
    renderer: Renderer = request.app.state.pages
    return renderer.page(request, template, principal, code, **values)


def sentence(text: str) -> str:
    """With a capital letter to begin with, unless it begins with a name (of a file, say)."""
    return text[:1].upper() + text[1:] if _WORD.match(text) else text


def filesize(size: int) -> str:
    """Bytes as people read them: ``12 kB``, ``3.4 MB``."""
    if size < 1_000_000:
        return f"{max(1, round(size / 1000))} kB"
    return f"{size / 1_000_000:.1f}".removesuffix(".0") + " MB"
