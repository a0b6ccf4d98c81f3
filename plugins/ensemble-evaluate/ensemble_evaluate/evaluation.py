"""The whole evaluation: read everything, then judge everything, then write it down."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import attrs

from .cases import Case
from .groups import Row, rows
from .reading import How, Reading, check, read
from .scoring import Score, count_staves, judge, read_truth
from .summary import costs

Tell = Callable[[str], None]


@attrs.frozen
class Evaluation:
    """What came of it.

    Attributes:
        cases: The documents by name, staves filled in.
        readings: (recognizer, document) → what was read.
        scores: In the order of recognizers and documents.
        how: How recognizers were run.
    """

    cases: dict[str, Case]
    readings: dict[tuple[str, str], Reading]
    scores: tuple[Score, ...]
    how: How

    @property
    def rows(self) -> list[Row]:
        """The lines of the table."""
        return rows(self.cases, self.scores)

    def of(self, recognizer: str) -> list[Score]:
        """The scores of one recognizer."""
        return [score for score in self.scores if score.recognizer == recognizer]

    @property
    def recognizers(self) -> list[str]:
        """Their names, in the order given."""
        return list(dict.fromkeys(score.recognizer for score in self.scores))


def evaluate(
    cases: Sequence[Case],
    recognizers: Sequence[str],
    how: How,
    *,
    folder: Path,
    resume: bool = False,
    ned_limit: float = 300.0,
    jobs: int = 1,
    tell: Tell = lambda text: None,
) -> Evaluation:
    """Read all documents with all recognizers, one after the other, then judge them.

    Nothing is judged while something is read: timings are of a process that has its cores
    to itself, as far as that lies with us.

    Args:
        cases: What to read.
        recognizers: Who reads.
        how: Threads, deadline, options.
        folder: Where readings and remembered comparisons are kept.
        resume: Take readings an earlier run left there.
        ned_limit: Seconds a comparison by musicdiff may take.
        jobs: Comparisons at a time.
        tell: Called with a line after each document.

    Raises:
        ConfigError, MissingError: A recognizer is not there, or its options are wrong.
        InputError: A truth cannot be read.
    """
    for name in recognizers:
        check(name, how)
    known = {case.name: _counted(case) for case in cases}
    pairs = [(name, case) for name in recognizers for case in known.values()]
    readings: dict[tuple[str, str], Reading] = {}
    for number, (name, case) in enumerate(pairs, 1):
        reading = read(case, name, how, folder / "readings", resume)
        readings[(name, case.name)] = reading
        took = f"{sum(reading.seconds):.2f} s" if reading.status != "failed" else reading.error
        tell(f"{number}/{len(pairs)} {name}: {case.name}: {reading.status}, {took}")

    def judged(pair: tuple[str, Case]) -> Score:
        name, case = pair
        reading = readings[(name, case.name)]
        score = judge(case, name, reading, limit=ned_limit, cache=folder / "omr-ned")
        ned = f"{score.distance.ned:.1%}" if score.distance else score.unmeasured
        tell(f"{name}: {case.name}: note F1 {score.notes.note_f1:.3f}, OMR-NED {ned}")
        return score

    with ThreadPoolExecutor(jobs) as threads:
        scores = tuple(threads.map(judged, pairs))
    return Evaluation(known, readings, scores, how)


def _counted(case: Case) -> Case:
    staves = case.staves or count_staves(read_truth(case.truth))
    return attrs.evolve(case, staves=staves)


def as_data(done: Evaluation) -> dict[str, Any]:
    """Everything as plain data."""
    return {
        "how": attrs.asdict(done.how),
        "machine": {
            "platform": platform.platform(), "python": platform.python_version(),
            "cores": os.cpu_count(), "load": _load(),
        },
        "versions": {name: _version(done, name) for name in done.recognizers},
        "groups": [attrs.asdict(row) for row in done.rows],
        "costs": {name: costs(done.of(name)) for name in done.recognizers},
        "documents": [_document(done.cases[score.case], score) for score in done.scores],
    }  # fmt: skip


def _version(done: Evaluation, recognizer: str) -> str:
    versions = [r.version for (name, _), r in done.readings.items() if name == recognizer]
    return next((version for version in versions if version), "")


def _load() -> list[float]:
    return [round(value, 2) for value in os.getloadavg()] if hasattr(os, "getloadavg") else []


def _document(case: Case, score: Score) -> dict[str, Any]:
    data = attrs.asdict(score)
    for name, distance in (("distance", score.distance), ("basic", score.basic)):
        if distance is not None:
            data[name]["ned"] = round(distance.ned, 5)
    told = {key: getattr(case, key) for key in ("engraver", "kind", "staves", "condition", "work")}
    return {**told, **data}


def write_json(path: Path, done: Evaluation) -> None:
    """Write everything as JSON, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(as_data(done), indent=1, ensure_ascii=False)
    temporary = path.with_name(path.name + ".new")
    temporary.write_text(text + "\n", encoding="utf-8")
    temporary.replace(path)
