"""Has a document read by a process of its own, and keeps what came of it."""

from __future__ import annotations

import hashlib
import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import attrs

from .cases import Case
from .child import Ended, ask, keep

_START = "from ensemble_evaluate.reader import main; main()"


@attrs.frozen
class How:
    """How recognizers are run.

    Attributes:
        threads: Threads of the recognizer, and cores it may use.
        deadline: Longest a page may take, in seconds.
        options: ``component.option=value`` texts.
        preprocess: Names of image enhancers.
    """

    threads: int = 1
    deadline: float = 900.0
    options: tuple[str, ...] = ()
    preprocess: tuple[str, ...] = ()


@attrs.frozen
class Reading:
    """What a recognizer made of a document.

    Attributes:
        status: ``ok``, ``partial`` or ``failed``.
        score: Where the MusicXML is; None when there is none.
        seconds: Wall time inside loader, enhancers and recognizer, per page.
        cpu_seconds: Processor time of the worker, its start included, for all pages.
        peak_mb: Largest resident memory of a worker, in 10^6 bytes.
        wall_seconds: Wall time of it all, the worker's start included.
        error: One line when pages failed.
        code: The error's stable code.
        version: The recognizer's version.
        bars: Measure id → page and box (left, top, right, bottom), in pixels.
    """

    status: str
    score: Path | None = None
    seconds: tuple[float, ...] = ()
    cpu_seconds: float = 0.0
    peak_mb: float = 0.0
    wall_seconds: float = 0.0
    error: str = ""
    code: str = ""
    version: str = ""
    bars: dict[str, tuple[float, ...]] = attrs.field(factory=dict)


def check(recognizer: str, how: How) -> None:
    """See, before anything is read, that the recognizer is there and its options are right.

    Raises:
        ConfigError: An option is wrong.
        MissingError: It, or something it needs, is not there.
    """
    from ensemble_core.pipeline import Pipeline

    from .reader import config

    Pipeline(config=config({**attrs.asdict(how), "recognizer": recognizer})).validate()


def read(case: Case, recognizer: str, how: How, folder: Path, resume: bool) -> Reading:
    """Have a document read, or take what an earlier run left in ``folder``.

    Never raises for what a recognizer does: a failure is a reading too.
    """
    stem = folder / recognizer.replace(":", "_") / case.name
    kept, score = stem.with_name(stem.name + ".json"), stem.with_name(stem.name + ".musicxml")
    key = _key(case, recognizer, how)
    if resume and (answer := _kept(kept, key)):
        return _reading(answer, score)
    stem.parent.mkdir(parents=True, exist_ok=True)
    for old in (kept, score):
        old.unlink(missing_ok=True)
    job = {
        **attrs.asdict(how), "recognizer": recognizer, "score": str(score.absolute()),
        "pictures": [str(path.absolute()) for path in case.pictures],
    }  # fmt: skip
    answer = _run(job, limit=how.deadline * 40 + 120)
    keep(kept, {**answer, "key": key})
    return _reading(answer, score)


def _run(job: dict[str, Any], limit: float) -> dict[str, Any]:
    """``limit`` is only for a pipeline that does not keep its own deadlines."""
    with tempfile.TemporaryDirectory(prefix="ensemble-evaluate-") as name:
        (Path(name) / "job.json").write_text(json.dumps(job), encoding="utf-8")
        try:
            return ask(_START, ["job.json", "answer.json"], Path(name), limit)
        except subprocess.TimeoutExpired:
            return _crash(f"did not end within {limit:.0f} s")
        except Ended as error:
            return _crash(str(error))


def _crash(message: str) -> dict[str, Any]:
    error = {"message": f"the reading process ended: {message}", "code": "reader-ended"}
    return {"status": "failed", "error": error}


def _key(case: Case, recognizer: str, how: How) -> str:
    digest = hashlib.sha256(json.dumps([recognizer, attrs.asdict(how)]).encode())
    for path in case.pictures:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _kept(path: Path, key: str) -> dict[str, Any] | None:
    try:
        answer: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return answer if answer.get("key") == key else None


def _reading(answer: dict[str, Any], score: Path) -> Reading:
    pages = answer.get("pages") or []
    errors = [answer.get("error"), *(page.get("error") for page in pages)]
    error: dict[str, str] = next((error for error in errors if error), {})
    return Reading(
        status=answer["status"],
        score=score if score.is_file() else None,
        seconds=tuple(page["seconds"] for page in pages if page["status"] == "ok"),
        cpu_seconds=answer.get("cpu_seconds", 0.0),
        peak_mb=answer.get("peak_mb", 0.0),
        wall_seconds=answer.get("wall_seconds", 0.0),
        error=error.get("message", ""),
        code=error.get("code", ""),
        version=answer.get("version", ""),
        bars={name: tuple(box) for name, box in (answer.get("bars") or {}).items()},
    )
