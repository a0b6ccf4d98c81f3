"""OMR-NED with a time limit, and remembered: the same two scores are compared once."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import attrs

from .child import Ended, ask, keep

_START = "from ensemble_evaluate.difference import main; main()"
_SCHEME = 1
"""Changes when remembered results must not be used any more."""


@attrs.frozen
class Distance:
    """Edits between two scores, in symbols.

    Attributes:
        edits: Symbols to add, delete or change.
        truth: Symbols in the truth.
        found: Symbols in what was read.
        kinds: What the edits are about → ``missed``, ``invented``, ``changed``.
    """

    edits: int
    truth: int
    found: int
    kinds: dict[str, dict[str, int]] = attrs.field(factory=dict)

    @property
    def ned(self) -> float:
        """OMR-NED: 0 is perfect, 1 is completely wrong."""
        return self.edits / (self.truth + self.found) if self.truth + self.found else 0.0


@attrs.frozen
class Differences:
    """Both distances; None for what could not be had, and why."""

    all: Distance | None
    basic: Distance | None
    reason: str = ""


def omr_ned(truth: bytes, found: bytes | None, limit: float, cache: Path | None) -> Differences:
    """Compare two MusicXML documents by musicdiff.

    Args:
        truth: What it should be.
        found: What was read; None if nothing was.
        limit: Seconds a comparison may take.
        cache: Folder of remembered results.
    """
    names = [hashlib.sha256(_music(data)).hexdigest() for data in (truth, found or b"")]
    version = importlib.metadata.version("musicdiff")
    key = hashlib.sha256(json.dumps([_SCHEME, version, *names]).encode()).hexdigest()
    kept = cache / key[:2] / f"{key}.json" if cache else None
    if kept and kept.is_file():
        return _differences(json.loads(kept.read_text(encoding="utf-8")))
    answer = _run(truth, found, limit)
    if kept and "reason" not in answer:
        kept.parent.mkdir(parents=True, exist_ok=True)
        keep(kept, answer)
    return _differences(answer)


def _music(document: bytes) -> bytes:
    """The document without its identification, which tells dates and versions."""
    return re.sub(rb"<identification\b.*?</identification>\s*", b"", document, flags=re.DOTALL)


def _run(truth: bytes, found: bytes | None, limit: float) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="ensemble-evaluate-") as name:
        folder = Path(name)
        (folder / "truth.musicxml").write_bytes(truth)
        if found is not None:
            (folder / "found.musicxml").write_bytes(found)
        arguments = ["truth.musicxml", "-" if found is None else "found.musicxml", "answer.json"]
        try:
            return ask(_START, arguments, folder, limit)
        except subprocess.TimeoutExpired:
            return {"reason": f"musicdiff took more than {limit:.0f} s"}
        except Ended as error:
            return {"reason": f"musicdiff failed: {error}"}


def _differences(answer: dict[str, Any]) -> Differences:
    if "reason" in answer:
        return Differences(None, None, answer["reason"])
    return Differences(Distance(**answer["all"]), Distance(**answer["basic"]))
