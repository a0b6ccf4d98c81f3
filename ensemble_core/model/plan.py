"""The plan: everything a run will do, decided before it starts, as plain data."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Literal

import attrs

from .limits import Limits
from .spec import Isolation, Kind


@attrs.frozen
class PlannedModel:
    """A model file a planned component reads: where it is, and its SHA-256."""

    path: str
    sha256: str


@attrs.frozen
class PlannedComponent:
    """One step of the plan.

    Attributes:
        kind, name: Which strategy.
        distribution: The distribution it comes from (empty for an in-process plugin).
        version: Of its results (``ComponentSpec.version``, or the distribution's).
        target: ``"package.module:Class"``; empty for an in-process class, which only
            the pipeline that was given it can make.
        options: Every option with its value, as plain data.
        isolation: Where it runs.
        on_error: For preprocessors: what happens when it fails.
        models: Model files it reads, by name.
        reason: Why this one (``chosen``, ``auto: highest priority`` …).
    """

    kind: Kind
    name: str
    distribution: str
    version: str
    target: str
    options_class: str = ""
    options: Mapping[str, Any] = attrs.field(factory=dict)
    isolation: Isolation = "worker"
    on_error: Literal["fail", "skip"] = "skip"
    models: Mapping[str, PlannedModel] = attrs.field(factory=dict)
    reason: str = ""

    def fingerprint(self) -> list[Any]:
        """What of it decides about results."""
        models = sorted(model.sha256 for model in self.models.values())
        return [self.kind, self.name, self.distribution, self.version, dict(self.options), models]


@attrs.frozen
class Plan:
    """Immutable; ``ensemble plan`` prints it, ``Pipeline.run`` carries it out.

    Attributes:
        loaders: Media type → loader, for every kind of input that can be read.
        preprocess: In the order they run.
        recognizer: The reader, or None if only scores are converted.
        fallbacks: Tried in order on a page the recognizer failed on.
        export: The exporters.
        executor: What runs worker tasks.
        limits: What input may be decoded.
        jobs: Pages at a time.
        threads: Threads a job may use; ``jobs × threads`` never exceeds the cores.
        page_deadline: Seconds a page may take; None: no deadline.
        join: All inputs become one score.
        pages: 0-based pages to read; None: all.
    """

    loaders: Mapping[str, PlannedComponent]
    preprocess: tuple[PlannedComponent, ...]
    recognizer: PlannedComponent | None
    fallbacks: tuple[PlannedComponent, ...]
    export: tuple[PlannedComponent, ...]
    executor: PlannedComponent
    limits: Limits
    jobs: int = 1
    threads: int = 1
    page_deadline: float | None = None
    join: bool = False
    pages: tuple[int, ...] | None = None

    def components(self) -> tuple[PlannedComponent, ...]:
        """Every component the plan may use, loaders first."""
        reader = (self.recognizer,) if self.recognizer else ()
        return (
            *self.loaders.values(),
            *self.preprocess,
            *reader,
            *self.fallbacks,
            *self.export,
            self.executor,
        )

    def reading_key(self, media_type: str) -> str:
        """Hash of all that decides what is read from a page of this media type."""
        steps = [self.loaders[media_type].fingerprint()]
        steps += [[*step.fingerprint(), step.on_error] for step in self.preprocess]
        steps += [step.fingerprint() for step in (self.recognizer, *self.fallbacks) if step]
        return digest(steps)


def digest(value: Any) -> str:
    """SHA-256 of plain data, hexadecimal; the same for equal data whatever its key order."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()
