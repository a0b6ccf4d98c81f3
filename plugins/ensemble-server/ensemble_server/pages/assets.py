"""Files the pages load: their own, and those that show a score, which ensemble-engrave has."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from ensemble_engrave.web import assets as score
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

FOLDERS = {"pages": Path(__file__).parent / "static", "score": score.FOLDER}
"""By the first part of their address below ``/static``."""

_FOREVER = "public, max-age=31536000, immutable"
_FIXED = "fonts/"
"""Never change, and style sheets call them by their plain names."""

_LOOK_AGAIN = "public, no-cache"


@cache
def address(name: str) -> str:
    """Where an asset is found; another address for other content, so that it may be kept.

    Args:
        name: As ``app.css``, or ``score/score.css`` for one of ensemble-engrave.
    """
    folder, _, inner = name.partition("/")
    if folder != "score":
        folder, inner = "pages", name
    if inner.startswith(_FIXED):
        return f"/static/{folder}/{inner}"
    version = hashlib.sha256((FOLDERS[folder] / inner).read_bytes()).hexdigest()[:12]
    return f"/static/{folder}/{inner}?v={version}"


class Assets(StaticFiles):
    """A folder of assets; those asked for with their version are kept for ever."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """One of them.

        Raises:
            HTTPException: 404 if there is none; 405 for anything but looking at it.
        """
        response = await super().get_response(path, scope)
        kept = scope.get("query_string", b"").startswith(b"v=") or path.startswith(_FIXED)
        response.headers["Cache-Control"] = _FOREVER if kept else _LOOK_AGAIN
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response
