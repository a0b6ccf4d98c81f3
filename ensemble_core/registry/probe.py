"""Looking at plugins from a safe distance: each is imported in a child process.

``ensemble plugins list`` and ``doctor`` learn from it what metadata cannot tell (does it
import, are its hooks right, which API, what does it need), and keep the answer until the
plugin's file changes. The process that asks imports no plugin.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import attrs

from ..model import EnsembleError, ModelFile, Requirement
from .entries import Entry

HEAVY = (
    "numpy",
    "cv2",
    "onnxruntime",
    "music21",
    "verovio",
    "lxml",
    "PIL",
    "scipy",
    "torch",
    "oemer",
)
"""Libraries a plugin module must not import: they belong into the component."""

PATIENCE = 20.0
"""Seconds one plugin may take to import."""


@attrs.frozen
class Probe:
    """What was seen of one entry.

    Attributes:
        ok: It loads and keeps its contract as far as its spec tells.
        code, message, hint: Why it does not.
        summary: The spec's one line.
        priority, isolation: From the spec.
        milliseconds: How long its import took.
        heavy: Heavy libraries its import pulled in.
        requires: What it needs, as in its spec.
        models: Model files it reads, as in its spec.
        commands: Commands it adds: name → one line.
    """

    ok: bool
    code: str = ""
    message: str = ""
    hint: str = ""
    summary: str = ""
    priority: int = 0
    isolation: str = ""
    milliseconds: float = 0.0
    heavy: tuple[str, ...] = ()
    requires: tuple[Requirement, ...] = ()
    models: tuple[ModelFile, ...] = ()
    commands: dict[str, str] = attrs.field(factory=dict)

    @staticmethod
    def from_data(data: dict[str, Any]) -> Probe:
        """Rebuild one from plain data."""
        lists: dict[str, Any] = {
            "heavy": tuple(data.get("heavy", ())),
            "requires": tuple(Requirement(**need) for need in data.get("requires", ())),
            "models": tuple(_model(file) for file in data.get("models", ())),
        }
        return Probe(**{**data, **lists})


def probe(entries: Iterable[Entry], folder: Path, fresh: bool = False) -> dict[Entry, Probe]:
    """What is known of each entry, asking child processes for what is not known yet.

    Args:
        entries: Installed, unblocked entries.
        folder: A cache folder; a plugin seen before and unchanged is not imported again.
        fresh: Look again at all of them.
    """
    store = folder / "probes.json"
    known: dict[str, Any] = {}
    with contextlib.suppress(OSError, ValueError):
        known = {} if fresh else json.loads(store.read_text(encoding="utf-8"))
    wanted = [entry for entry in entries if entry.plugin is None]
    stamps = {entry: _stamp(entry) for entry in wanted}
    unknown = [entry for entry in wanted if stamps[entry] not in known]
    if unknown:
        for entry, data in zip(unknown, _ask(unknown), strict=True):
            known[stamps[entry]] = data
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            temporary = store.with_suffix(f".{os.getpid()}.tmp")
            temporary.write_text(json.dumps({s: known[s] for s in stamps.values()}))
            temporary.replace(store)
    return {entry: Probe.from_data(dict(known[stamps[entry]])) for entry in wanted}


def _model(data: dict[str, Any]) -> ModelFile:
    lists = {key: tuple(data[key]) for key in ("hosts", "aliases")}
    return ModelFile(**{**data, **lists})


def _stamp(entry: Entry) -> str:
    """Changes whenever the plugin, or what is asked about it, may have."""
    asked = " ".join(field.name for field in attrs.fields(Probe))
    return "|".join([*_plain(entry), str(_modified(entry.module)), sys.version, asked])


def _modified(module: str) -> int:
    top, *rest = module.split(".")
    with contextlib.suppress(ImportError, ValueError, OSError):
        spec = importlib.util.find_spec(top)
        places = list(spec.submodule_search_locations or ()) if spec else []
        for place in places:
            path = Path(place).joinpath(*rest)
            for candidate in (path.with_suffix(".py"), path / "__init__.py"):
                if candidate.exists():
                    return candidate.stat().st_mtime_ns
        if spec and spec.origin:
            return Path(spec.origin).stat().st_mtime_ns
    return 0


def _ask(entries: Sequence[Entry]) -> list[dict[str, Any]]:
    """Probe entries in children: one for all, and a new one after each that kills it."""
    answers: list[dict[str, Any]] = []
    while len(answers) < len(entries):
        rest = entries[len(answers) :]
        lines, reason = _child(rest)
        answers += lines
        if len(lines) < len(rest):
            bad = rest[len(lines)]
            text = f"plugin {bad.key} ({bad.kind} {bad.name!r}) {reason} when it is imported"
            answers.append({"ok": False, "code": "plugin-load-failed", "message": text})
    return answers


def _child(entries: Sequence[Entry]) -> tuple[list[dict[str, Any]], str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "ensemble_core.registry.probe"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    question = json.dumps([_plain(entry) for entry in entries]).encode()
    try:
        out, _ = process.communicate(question, timeout=PATIENCE + 2 * len(entries))
        reason = f"ends the process (exit status {process.returncode})"
    except subprocess.TimeoutExpired:
        process.kill()
        out, _ = process.communicate()
        reason = "hangs"
    lines = [json.loads(line) for line in out.splitlines() if line.startswith(b'{"ok"')]
    return lines[: len(entries)], reason


def _plain(entry: Entry) -> list[str]:
    return [entry.kind, entry.name, entry.distribution, entry.version, entry.module]


def _look(entry: Entry) -> dict[str, Any]:
    from .loading import load, spec_of

    before, began = set(sys.modules), time.perf_counter()
    found: dict[str, Any] = {"ok": False}
    try:
        plugin = load(entry)
        found["milliseconds"] = round((time.perf_counter() - began) * 1000, 1)
        found["heavy"] = sorted((set(sys.modules) - before) & set(HEAVY))
        if entry.kind == "plugin":
            found["commands"] = {c.name: c.summary for c in plugin.commands()}
        else:
            spec = spec_of(entry, plugin)
            found.update(
                summary=spec.summary, priority=spec.priority, isolation=spec.isolation,
                requires=[attrs.asdict(need) for need in spec.requires],
                models=[attrs.asdict(file) for file in spec.models],
            )  # fmt: skip
        found["ok"] = True
    except EnsembleError as error:
        found.update(code=error.code, message=error.message, hint=error.hint)
    return found


def main() -> None:
    """The child's side: questions on stdin, one line of answer for each on stdout."""
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever a plugin prints must not be taken for an answer
    for fields in json.load(sys.stdin):
        print(json.dumps(_look(Entry(*fields))), file=answer, flush=True)


if __name__ == "__main__":
    main()
