"""What the reader noticed, each remark with the measure it speaks of."""

from __future__ import annotations

import re
from typing import Any

from ensemble_core.model import Diagnostic, Element, Score

from .boxes import is_doubtful
from .facts import Facts

_BAR = re.compile(r"\b(?:bar|measure) (\d+)\b", re.IGNORECASE)


def remarks(score: Score, facts: Facts, doubtful_below: float = 0.0) -> list[dict[str, Any]]:
    """What needs a look, as plain data: diagnostics, and bars with doubtful symbols.

    Args:
        score: What was read.
        facts: What is known of it.
        doubtful_below: Confidence below which a symbol counts as doubtful.

    Returns:
        In the order of the music, what speaks of no bar at the end; ``measure`` is a
        0-based position or None.
    """
    found = [
        {
            "severity": one.severity,
            "message": one.message,
            "hint": one.hint,
            "page": one.page,
            "measure": measure_of(one, score, facts),
        }
        for one in score.diagnostics
    ]
    found += _doubtful_bars(score, facts, doubtful_below)
    last = len(facts.measures)
    return sorted(found, key=lambda one: last if one["measure"] is None else one["measure"])


def _doubtful_bars(score: Score, facts: Facts, below: float) -> list[dict[str, Any]]:
    positions = facts.positions
    bars: dict[int, list[Element]] = {}
    for element in score.elements:
        if is_doubtful(element, below) and element.id in positions:
            bars.setdefault(positions[element.id], []).append(element)
    found = []
    for position, elements in bars.items():
        least = round(100 * min(element.confidence or 0.0 for element in elements))
        what = elements[0].kind if len(elements) == 1 else f"{len(elements)} symbols"
        found.append(
            {
                "severity": "info",
                "message": f"bar {facts.measures[position][0]}: {what} read with doubt",
                "hint": f"{least} % sure" if len(elements) == 1 else f"from {least} % sure",
                "page": elements[0].page,
                "measure": position,
            }
        )
    return found


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
