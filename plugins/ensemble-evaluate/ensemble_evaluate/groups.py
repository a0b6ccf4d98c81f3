"""The rows of the report: which documents are added up together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

from .cases import Case
from .scoring import Score
from .summary import Figures, figures


@attrs.frozen
class Row:
    """One line of the table."""

    recognizer: str
    group: str
    figures: Figures


def group_of(case: Case) -> str:
    """``clean, 1-2 staves``: what floors are set for."""
    staves = "1-2 staves" if case.staves <= 2 else "3+ staves"
    return f"{case.condition}, {staves}"


def rows(cases: Mapping[str, Case], scores: Sequence[Score]) -> list[Row]:
    """All documents, then each condition with few and with many staves, then by engraver."""
    found: list[Row] = []
    for recognizer in dict.fromkeys(score.recognizer for score in scores):
        own = [score for score in scores if score.recognizer == recognizer]
        found.append(Row(recognizer, "all", figures(own)))
        groups: dict[str, list[Score]] = {}
        for score in own:
            case = cases[score.case]
            groups.setdefault(group_of(case), []).append(score)
            if case.engraver:
                name = f"{group_of(case)}, {case.engraver}"
                groups.setdefault(name, []).append(score)
        if len(groups) > 1:
            found += [Row(recognizer, name, figures(groups[name])) for name in sorted(groups)]
    return found
