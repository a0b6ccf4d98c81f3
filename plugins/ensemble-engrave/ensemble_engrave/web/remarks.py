"""What the reader noticed, each remark with the measure it speaks of."""

from __future__ import annotations

import re
from typing import Any

from ensemble_core.model import Diagnostic, Score

from .facts import Facts

_BAR = re.compile(r"\b(?:bar|measure) (\d+)\b", re.IGNORECASE)


def remarks(score: Score, facts: Facts) -> list[dict[str, Any]]:
    """The diagnostics as plain data; ``measure`` is a 0-based position or None."""
    return [
        {
            "severity": one.severity,
            "message": one.message,
            "hint": one.hint,
            "page": one.page,
            "measure": measure_of(one, score, facts),
        }
        for one in score.diagnostics
    ]


def measure_of(diagnostic: Diagnostic, score: Score, facts: Facts) -> int | None:
    """The position of the measure a message names.

    A recognizer counts the bars of the page it was given, so where the page is known the
    count starts at its first measure.
    """
    found = _BAR.search(diagnostic.message)
    if found is None:
        return None
    number = int(found.group(1))
    for page in score.pages:
        if page.page == diagnostic.page and 1 <= number <= page.measures:
            return page.first_measure + number - 1
    for position, (written, _) in enumerate(facts.measures):
        if written == str(number):
            return position
    return None
