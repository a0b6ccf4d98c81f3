"""What one task does: inspect a document, read a page, export a score.

These functions run in worker processes, in the calling process, or on another machine:
they take plain data and give plain data. ``make`` turns a planned component into a live
one; by default it imports it.
"""

from __future__ import annotations

import errno
import json
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import attrs

from ..config.options import structure_options
from ..model import (
    Affine,
    Artifact,
    Cancelled,
    Context,
    ContractError,
    DeadlineExceeded,
    Diagnostic,
    Document,
    Element,
    EnsembleError,
    Exporter,
    InputError,
    Loader,
    OutputError,
    Page,
    PlannedComponent,
    Preprocessor,
    RecognitionError,
    Recognizer,
    Score,
    ScoreLoader,
)
from ..registry.registry import import_target
from .wire import pack, unpack

P = TypeVar("P")
Make = Callable[[PlannedComponent], Any]

_BREAKS: dict[str, type[EnsembleError]] = {
    "loader": InputError,
    "recognizer": RecognitionError,
}
"""What an unforeseen exception of a component of a kind counts as (else a broken contract)."""

_live = threading.local()
"""Components of each thread of this process, by the plan entry they were made of."""


def make_component(planned: PlannedComponent) -> Any:
    """Import and make a component.

    Raises:
        MissingError: It or its options class does not import.
        ContractError: It cannot be made.
    """
    target = import_target(planned.target, f"{planned.kind} {planned.name!r}")
    return build(planned, target, import_target(planned.options_class, planned.name))


def build(planned: PlannedComponent, target: Any, options_class: Any) -> Any:
    """Call a component's class with its options.

    Raises:
        ContractError: It raises something unforeseen.
    """
    try:
        if options_class is None:
            return target()
        where = f"options.{planned.name}"
        return target(structure_options(options_class, planned.options, where))
    except EnsembleError:
        raise
    except ImportError as error:
        raise _missing(planned, error) from error
    except Exception as error:
        raise ContractError(
            f"cannot be made: {type(error).__name__}: {error}", component=planned.name
        ) from error


def inspect(
    payload: Mapping[str, Any], ctx: Context, make: Make = make_component
) -> list[dict[str, Any]]:
    """List a document's pages."""
    planned, loader = _component(payload["loader"], Loader, make)
    document = unpack(payload["document"], Document)
    pages = _call(planned, ctx, lambda own: loader.inspect(document, own))
    result: list[dict[str, Any]] = pack(list(pages))
    return result


def read_score(
    payload: Mapping[str, Any], ctx: Context, make: Make = make_component
) -> dict[str, Any]:
    """Read a document that is a score already."""
    planned, loader = _component(payload["loader"], ScoreLoader, make)
    document = unpack(payload["document"], Document)
    score: Score = _timed({}, planned, ctx, lambda own: loader.read(document, own))
    _check_score(planned, score, ctx)
    return {"score": pack(score)}


def load_page(payload: Mapping[str, Any], ctx: Context, make: Make = make_component) -> Any:
    """Load one page's picture, for exporters that show it."""
    planned, loader = _component(payload["loader"], Loader, make)
    document = unpack(payload["document"], Document)
    return pack(_call(planned, ctx, lambda own: loader.load(document, payload["index"], own)))


def read_page(
    payload: Mapping[str, Any], ctx: Context, make: Make = make_component
) -> dict[str, Any]:
    """Load one page, enhance it, recognize it; falls back where the plan says so."""
    seconds: dict[str, float] = {}
    planned, loader = _component(payload["loader"], Loader, make)
    document = unpack(payload["document"], Document)
    page: Page = _timed(
        seconds, planned, ctx, lambda own: loader.load(document, payload["index"], own)
    )
    _expect(planned, page, Page)
    source = page
    for step in payload["preprocess"]:
        planned, enhancer = _component(step, Preprocessor, make)
        page = _enhance(planned, enhancer, page, ctx, seconds)
    score, measures = _recognize(payload["recognizers"], page, ctx, make, seconds)
    if page.to_source != Affine() or any(e.page != source.index for e in score.elements):
        moved = tuple(
            Element(e.id, e.kind, source.index, page.to_source.box(e.box), e.confidence)
            for e in score.elements
        )
        score = attrs.evolve(score, elements=moved)
    return {
        "score": pack(score),
        "measures": measures,
        "seconds": seconds,
        "size": [source.width, source.height],
    }


def export(payload: Mapping[str, Any], ctx: Context, make: Make = make_component) -> Any:
    """Make the files of one exporter; the score stands in a file, it may be large."""
    planned, exporter = _component(payload["exporter"], Exporter, make)
    data = payload["score"]
    if isinstance(data, str):
        data = json.loads(Path(data).read_text(encoding="utf-8"))
    score = unpack(data, Score) if isinstance(data, dict) else data
    seconds: dict[str, float] = {}
    artifacts: tuple[Artifact, ...] = _timed(
        seconds, planned, ctx, lambda own: exporter.export(score, own)
    )
    _expect(planned, artifacts, tuple)
    for artifact in artifacts:
        _expect(planned, artifact, Artifact)
        if not artifact.path.is_file():
            raise ContractError(f"did not write {artifact.path.name}", component=planned.name)
    return {"artifacts": pack(list(artifacts)), "seconds": seconds}


def _enhance(
    planned: PlannedComponent,
    enhancer: Preprocessor,
    page: Page,
    ctx: Context,
    seconds: dict[str, float],
) -> Page:
    try:
        result = _timed(seconds, planned, ctx, lambda own: enhancer.process(page, own))
        _expect(planned, result, Page)
        return result
    except (Cancelled, DeadlineExceeded):
        raise
    except EnsembleError as error:
        if planned.on_error != "skip":
            raise
        ctx.report(
            Diagnostic(
                "warning", "preprocessor-skipped", f"left out: {error.message}",
                error.hint, component=planned.name,
            )
        )  # fmt: skip
        return page


def _recognize(
    steps: list[Any], page: Page, ctx: Context, make: Make, seconds: dict[str, float]
) -> tuple[Score, int]:
    for number, step in enumerate(steps):
        planned, recognizer = _component(step, Recognizer, make)
        try:
            score: Score = _timed(seconds, planned, ctx, partial(recognizer.recognize, page))
            return score, _check_score(planned, score, ctx)
        except (Cancelled, DeadlineExceeded):
            raise
        except EnsembleError as error:
            if number == len(steps) - 1:
                raise
            ctx.report(
                Diagnostic(
                    "warning", "recognizer-fell-back",
                    f"{planned.name} failed ({error.message}); trying the next recognizer",
                    component=planned.name,
                )
            )  # fmt: skip
    raise ContractError("the plan names no recognizer")


def _check_score(planned: PlannedComponent, score: Score, ctx: Context) -> int:
    """Hold a score to the structure every exporter relies on; gives its measures."""
    from ..musicxml import check_wellformed_score

    _expect(planned, score, Score)
    return _call(planned, ctx, lambda _: check_wellformed_score(score.musicxml))


def _component(data: Any, protocol: Any, make: Make) -> tuple[PlannedComponent, Any]:
    """The component a plan entry stands for; one that came as data is kept for the next task."""
    if isinstance(data, PlannedComponent):
        planned, component = data, make(data)
    else:
        kept: dict[str, tuple[PlannedComponent, Any]] = _live.__dict__
        key = json.dumps(data, sort_keys=True, default=str)
        if key not in kept:
            planned = unpack(data, PlannedComponent)
            kept[key] = planned, make(planned)
        planned, component = kept[key]
    if not isinstance(component, protocol):
        raise ContractError(
            f"does not do what a {protocol.__name__.lower()} must", component=planned.name
        )
    return planned, component


def _timed(
    seconds: dict[str, float], planned: PlannedComponent, ctx: Context, call: Callable[[Context], P]
) -> P:
    began = time.perf_counter()
    ctx.send({"type": "stage", "kind": planned.kind, "component": planned.name, "page": ctx.page})
    try:
        return _call(planned, ctx, call)
    finally:
        spent = seconds.get(planned.name, 0.0) + time.perf_counter() - began
        seconds[planned.name] = round(spent, 6)


def _call(planned: PlannedComponent, ctx: Context, call: Callable[[Context], P]) -> P:
    """Call a component; whatever it raises comes out as an error that names it."""
    ctx.check()
    models = {name: Path(model.path) for name, model in planned.models.items()}
    try:
        return call(attrs.evolve(ctx, component=planned.name, models=models))
    except EnsembleError as error:
        error.component = error.component or planned.name
        raise
    except ImportError as error:
        raise _missing(planned, error) from error
    except MemoryError:
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise OutputError(
                f"the disk is full: no room to work in {ctx.workspace.parent.parent}",
                hint="set TMPDIR to a folder with more room",
                component=planned.name,
            ) from error
        kind = _BREAKS.get(planned.kind, ContractError)
        raise kind(
            f"raised {type(error).__name__}: {error}".splitlines()[0],
            component=planned.name,
            code="component-raised",
            hint="this is a bug in the plugin; --debug shows where",
        ) from error


def _missing(planned: PlannedComponent, error: ImportError) -> EnsembleError:
    from ..model import MissingError

    return MissingError(
        f"needs a library that is not there: {error}",
        component=planned.name,
        code="requirement-missing",
        hint=f"reinstall {planned.distribution}" if planned.distribution else "",
    )


def _expect(planned: PlannedComponent, value: Any, cls: type[Any]) -> None:
    if not isinstance(value, cls):
        raise ContractError(
            f"gave {type(value).__name__} instead of {cls.__name__}", component=planned.name
        )
