"""What the conversions of a run share, and what their parts hand to each other."""

from __future__ import annotations

import attrs

from ..model import Document, PageInfo
from .cache import Cache
from .dispatch import Dispatcher
from .emitter import Emitter
from .outputs import Placer
from .planner import Planned


@attrs.frozen
class SourcePage:
    """One page to read: of which document, and its number in the joined score."""

    document: Document
    info: PageInfo
    number: int


@attrs.define
class Services:
    """What all conversions of a run share."""

    planned: Planned
    dispatcher: Dispatcher
    emit: Emitter
    cache: Cache | None
    placer: Placer
    version: str
