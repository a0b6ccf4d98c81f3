"""Calling a component of any kind, and comparing what it gives; also in a fresh process."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from ensemble_core.model import Context, Document, Page, PlannedComponent, RecognitionError, Score
from ensemble_core.pipeline.wire import pack, unpack
from ensemble_core.pipeline.work import make_component

_GIVEN: dict[str, type[Any]] = {"page": Page, "document": Document, "score": Score}


def operate(kind: str, component: Any, given: Any, ctx: Context) -> Any:
    """What a component of a kind is for: give it its input, get its result.

    A loader's result is the tuple of all its pages, or the score it reads.
    """
    if kind == "recognizer":
        return component.recognize(given, ctx)
    if kind == "preprocessor":
        return component.process(given, ctx)
    if kind == "exporter":
        return component.export(given, ctx)
    if hasattr(component, "read"):
        return component.read(given, ctx)
    pages = component.inspect(given, ctx)
    return tuple(component.load(given, info.index, ctx) for info in pages)


def fingerprint(result: Any) -> str:
    """Hash of all that a result says and of the files it names; not of where those lie."""
    files: list[str] = []

    def strip(value: Any) -> Any:
        if isinstance(value, Path):
            if value.is_file():
                files.append(hashlib.sha256(value.read_bytes()).hexdigest())
            return ""
        if isinstance(value, bytes):
            return hashlib.sha256(value).hexdigest()
        if attrs.has(type(value)):
            return {f.name: strip(getattr(value, f.name)) for f in attrs.fields(type(value))}
        if isinstance(value, tuple | list):
            return [strip(item) for item in value]
        if isinstance(value, Mapping):
            return {str(key): strip(item) for key, item in value.items()}
        return value

    text = json.dumps(strip(result), sort_keys=True, default=str)
    return hashlib.sha256((text + "".join(files)).encode()).hexdigest()


def payload(planned: PlannedComponent, given: Any) -> dict[str, Any]:
    """What :func:`work` takes."""
    kind = next(name for name, cls in _GIVEN.items() if isinstance(given, cls))
    return {"component": pack(planned), "given": kind, kind: pack(given)}


def work(data: Mapping[str, Any], ctx: Context) -> dict[str, Any]:
    """A task: make the component, let it work, give the fingerprint of the result."""
    planned = unpack(data["component"], PlannedComponent)
    given = unpack(data[data["given"]], _GIVEN[data["given"]])
    component = make_component(planned)
    models = {name: Path(model.path) for name, model in planned.models.items()}
    own = attrs.evolve(ctx, component=planned.name, models=models)
    result = operate(planned.kind, component, given, own)
    return {"fingerprint": fingerprint(result)}


def echo(data: Mapping[str, Any], ctx: Context) -> dict[str, Any]:
    """A task for executors: gives back what it got and where it worked, and reports progress."""
    ctx.progress(1.0, 1.0, "thing")
    (ctx.workspace / "touched").write_text("x", encoding="utf-8")
    return {"got": data["value"], "workspace": str(ctx.workspace), "threads": ctx.threads}


def fail(data: Mapping[str, Any], ctx: Context) -> Any:
    """A task for executors: raises an Ensemble error, or something no one expects."""
    if data.get("typed"):
        raise RecognitionError("nothing to read", hint="try another page", component="kit")
    raise ZeroDivisionError("a bug in the task")


def wait(data: Mapping[str, Any], ctx: Context) -> str:
    """A task for executors: waits for some seconds, looking at its context meanwhile."""
    end = time.monotonic() + float(data["seconds"])
    while time.monotonic() < end:
        ctx.check()
        ctx.cancel.wait(0.02)
    return "waited"
