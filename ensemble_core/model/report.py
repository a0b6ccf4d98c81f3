"""What came of a run, document by document and page by page."""

from __future__ import annotations

from typing import Any

import attrs

from .diagnostic import Diagnostic
from .errors import ExitCode


@attrs.frozen
class PageReport:
    """One page: ``status`` is ``ok``, ``failed`` or ``cancelled``.

    Attributes:
        index: 0-based page of the document.
        status: What became of it.
        cached: The result was in the cache; nothing was recognized.
        seconds: Time spent, by component.
        error: The error as data when it failed (``code``, ``message``, ``hint`` …).
    """

    index: int
    status: str
    cached: bool = False
    seconds: dict[str, float] = attrs.field(factory=dict)
    error: dict[str, str] | None = None


@attrs.frozen
class DocumentReport:
    """One document: ``status`` is ``ok``, ``partial``, ``skipped``, ``failed`` or ``cancelled``.

    Attributes:
        name: As the user gave it.
        status: What became of it.
        sha256: Hash of the input.
        pages: One entry per page.
        exports: Seconds spent, by exporter.
        outputs: Paths of the files written.
        missing: Pages that could not be read, and between which bars they belong.
        diagnostics: All findings.
        error: The error as data when the document failed as a whole.
        exit_code: What this document alone would end with.
        seconds: Wall time.
    """

    name: str
    status: str
    sha256: str = ""
    pages: tuple[PageReport, ...] = ()
    exports: dict[str, float] = attrs.field(factory=dict)
    outputs: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    error: dict[str, str] | None = None
    exit_code: int = 0
    seconds: float = 0.0


@attrs.frozen
class Report:
    """The whole run; ``--report FILE`` writes it as JSON.

    Attributes:
        schema: Version of this format.
        plan: The plan as plain data (components, versions, options, limits).
        versions: Python, platform and distributions that took part.
        documents: One entry per document.
        seconds: Wall time.
    """

    plan: dict[str, Any]
    versions: dict[str, str]
    documents: tuple[DocumentReport, ...]
    seconds: float = 0.0
    schema: int = 1

    @property
    def exit_code(self) -> ExitCode:
        """0 if all is well, one document's own code, else 7 (partial)."""
        codes = {ExitCode(d.exit_code) for d in self.documents}
        if not codes:
            return ExitCode.OK
        if ExitCode.CANCELLED in codes:
            return ExitCode.CANCELLED
        return codes.pop() if len(codes) == 1 else ExitCode.PARTIAL
