"""From settings and installed plugins to an immutable plan."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from .. import sniff
from ..config.options import did_you_mean, fields_of, structure_options, unstructure_options
from ..config.settings import Settings, Use
from ..model import (
    ComponentSpec,
    ConfigError,
    Diagnostic,
    ExporterSpec,
    LoaderSpec,
    MissingError,
    Plan,
    PlannedComponent,
)
from ..modelfiles import Store, own_files
from ..registry import Component, Registry, import_target, missing

MANY = sys.maxsize
"""Pages of an input that may have more than one."""

Fetch = Callable[[Store, ComponentSpec], None]
"""Brings the model files of a component that are missing."""


@attrs.frozen
class Planned:
    """A plan with what only this process can know of it.

    Attributes:
        plan: The plan, plain data.
        diagnostics: Warnings found while planning (broken plugins that were passed over).
        specs: The spec behind every planned component.
        live: Component → (class, options class) for those no other process can import.
    """

    plan: Plan
    diagnostics: tuple[Diagnostic, ...]
    specs: dict[tuple[str, str], ComponentSpec]
    live: dict[tuple[str, str], tuple[Any, Any]]


class Planner:
    """Makes one plan; holds what is shared between its steps.

    Args:
        settings: What is configured.
        registry: What is installed.
        fetch: Called for a component before its model files are looked at.
    """

    def __init__(self, settings: Settings, registry: Registry, fetch: Fetch | None = None) -> None:
        self._settings = settings
        self._registry = registry
        self._fetch = fetch
        self._store = settings.models.store()
        self._diagnostics: list[Diagnostic] = []
        self._chosen: list[tuple[Component, Use, str]] = []

    def plan(self, media_types: Sequence[str], pages: tuple[int, ...] | None = None) -> Planned:
        """Decide everything.

        Args:
            media_types: Of each input; only loaders for these are planned.
            pages: 0-based pages to read; None: all.

        Raises:
            MissingError: A component, or something it needs, is not there.
            ContractError: A chosen plugin breaks its contract.
            ConfigError: A setting or option is wrong.
        """
        pipeline, run = self._settings.pipeline, self._settings.run
        found = {media: self._loader(media) for media in dict.fromkeys(media_types)}
        loaders = {media: loader for media, loader in found.items() if loader}
        reading = any(not _gives_score(loader) for loader in loaders.values())
        use = Use.parse(pipeline.recognizer, "pipeline.recognizer")
        fallback = [Use.parse(item, "pipeline.fallback") for item in pipeline.fallback]
        steps = self._uses("preprocessor", "pipeline.preprocess", pipeline.preprocess, reading)
        readers = [self._recognizer(use)] if reading else []
        others = (*use.fallback, *fallback) if reading else ()
        readers += [self._choose("recognizer", item, "fallback") for item in others]
        exporters = self._uses("exporter", "pipeline.export", pipeline.export, True)
        executor = self._choose("executor", Use(run.executor), "chosen")
        self._check_option_names()
        made = {id(choice[0]): self._planned(*choice) for choice in self._chosen}
        # last, as it reads large files (or fetches them): everything else is right by now
        made = {id(c): self._with_models(c.spec, made[id(c)]) for c, _, _ in self._chosen}
        written = tuple(made[id(exporter)] for exporter in exporters)
        apart = sum(exporter.isolation == "worker" for exporter in written)
        most = max(1, apart, sum(_pages_of(media, pages) for media in media_types))
        jobs, threads = share_cores(run.jobs, run.threads, most)
        planned_readers = [made[id(reader)] for reader in readers]
        plan = Plan(
            loaders={media: made[id(loader)] for media, loader in loaders.items()},
            preprocess=tuple(made[id(step)] for step in steps),
            recognizer=planned_readers[0] if planned_readers else None,
            fallbacks=tuple(planned_readers[1:]),
            export=written,
            executor=made[id(executor)],
            limits=self._settings.limits,
            jobs=jobs,
            threads=threads,
            page_deadline=run.page_deadline or None,
            join=pipeline.join,
            pages=pages,
        )
        chosen = {(c.spec.kind, c.spec.name): c for c, _, _ in self._chosen}
        return Planned(
            plan,
            tuple(self._diagnostics),
            {key: component.spec for key, component in chosen.items()},
            {key: _live(c.spec) for key, c in chosen.items() if not _importable(c.spec)},
        )

    def _uses(self, kind: str, where: str, values: Any, wanted: bool) -> list[Component]:
        uses = [Use.parse(value, where) for value in values]
        return [self._choose(kind, use, "chosen") for use in uses] if wanted else []

    def _choose(self, kind: str, use: Use, reason: str) -> Component:
        component = self._registry.resolve(kind, use.name)
        lacking = missing(component.spec.requires)
        if lacking:
            need = lacking[0]
            raise MissingError(
                f"{kind} {use.name!r} needs the {need.kind} {need.name!r}",
                hint=need.hint,
                code=f"{need.kind}-missing",
            )
        # each use is an entry of its own: one preprocessor may stand in the list twice
        component = attrs.evolve(component)
        self._chosen.append((component, use, reason))
        return component

    def _recognizer(self, use: Use) -> Component:
        if use.name != "auto":
            return self._choose("recognizer", use, "chosen")
        good, bad = self._registry.usable("recognizer")
        self._diagnostics += bad
        able = [c for c in good if c.spec.priority >= 0 and not missing(c.spec.requires)]
        ready = [c for c in able if not self._lacking_models(c)]
        if not ready:
            names = ", ".join(sorted(c.spec.name for c in good)) or "none"
            fetch = "".join(f"`ensemble models fetch {c.spec.name}`, " for c in able)
            raise MissingError(
                f"no recognizer is ready (installed: {names})",
                hint=f"{fetch}pip install ensemble-sightread, or choose one with --recognizer",
            )
        best = min(ready, key=lambda c: (-c.spec.priority, c.spec.name))
        reason = f"auto: highest priority ({best.spec.priority}) of {len(ready)} ready"
        return self._choose("recognizer", Use(best.spec.name, use.options), reason)

    def _loader(self, media: str) -> Component | None:
        for chosen, _, _ in self._chosen:
            if isinstance(chosen.spec, LoaderSpec) and media in chosen.spec.accepts:
                return chosen
        good, bad = self._registry.usable("loader")
        fitting = [c for c in good if media in getattr(c.spec, "accepts", ())]
        if not fitting:  # otherwise a broken loader is of no concern here
            self._diagnostics += [found for found in bad if found not in self._diagnostics]
        if not fitting:
            text = f"no installed loader reads {media}"
            self._diagnostics.append(Diagnostic("warning", "input-unsupported", text))
            return None
        best = min(fitting, key=lambda c: (-c.spec.priority, c.spec.name))
        return self._choose("loader", Use(best.entry.qualified), f"reads {media}")

    def _planned(self, component: Component, use: Use, reason: str) -> PlannedComponent:
        spec, entry = component.spec, component.entry
        cls = import_target(spec.options, f"options of {spec.name!r}") if spec.options else None
        values = {**self._configured(component), **use.options}
        if cls is None and values:
            raise ConfigError(f"options.{spec.name}: it has no options")
        options = (
            unstructure_options(structure_options(cls, values, f"options.{spec.name}"))
            if cls
            else {}
        )
        return PlannedComponent(
            kind=spec.kind,
            name=spec.name,
            distribution=entry.distribution,
            version=component.version,
            target=reference(spec.target),
            options_class=reference(spec.options) if spec.options else "",
            options=options,
            isolation=spec.isolation if _importable(spec) else "inline",
            on_error=use.on_error or "skip",
            reason=reason,
        )

    def _with_models(self, spec: ComponentSpec, planned: PlannedComponent) -> PlannedComponent:
        """The planned component with its model files, verified."""
        if not spec.models:
            return planned
        own = planned.options.get(spec.own_models) if spec.own_models else None
        if own:
            models = own_files(spec.name, spec.models, Path(own), spec.own_models)
        else:
            if self._fetch:
                self._fetch(self._store, spec)
            models = self._store.use(spec.name, spec.models)
        return attrs.evolve(planned, models=models)

    def _lacking_models(self, component: Component) -> bool:
        """Whether model files it reads are not there; only their sizes are looked at."""
        spec = component.spec
        if spec.own_models and self._configured(component).get(spec.own_models):
            return False  # whether they are there is said when it is planned
        return bool(self._store.missing(spec.name, spec.models))

    def _configured(self, component: Component) -> dict[str, Any]:
        """The values configured for a component under any of its names."""
        spec, entry = component.spec, component.entry
        tables = self._settings.options
        values = dict(self._shared(component))
        values.update(tables.get(f"{spec.kind}s", {}).get(spec.name, {}))
        values.update(tables.get(entry.qualified, {}))
        return values

    def _shared(self, component: Component) -> Mapping[str, Any]:
        """``[options.NAME]``, less what belongs to a component of another kind."""
        spec = component.spec
        table = self._settings.options.get(spec.name, {})
        rivals = [c for c, _, _ in self._chosen if c.spec.name == spec.name]
        rivals = [c for c in rivals if c.spec.kind != spec.kind]
        if not rivals:
            return table
        own, theirs = _keys(spec), {key for rival in rivals for key in _keys(rival.spec)}
        for key in table:
            if key in own and key in theirs:
                raise ConfigError(
                    f"options.{spec.name}.{key}: a {spec.kind} and a {rivals[0].spec.kind} have it",
                    hint=f"write options.{spec.kind}s.{spec.name}.{key}",
                )
        return {key: value for key, value in table.items() if key in own or key not in theirs}

    def check_unused_options(self) -> None:
        """Hold the options of components outside the plan to their classes, too.

        Raises:
            ConfigError: One of them is wrong.
            MissingError, ContractError: Its component does not load.
        """
        for name, values in self._settings.options.items():
            kinds = {e.kind for e in self._registry.entries if e.name == name and not e.blocked}
            known: set[str] = set()
            for kind in sorted(kinds):
                spec = self._registry.resolve(kind, name).spec
                known |= _keys(spec)
                if spec.options and len(kinds) == 1:
                    cls = import_target(spec.options, f"options of {name!r}")
                    structure_options(cls, values, f"options.{name}")
            unknown = sorted(set(values) - known)
            if kinds and unknown:
                hint = did_you_mean(unknown[0], known)
                raise ConfigError(f"options.{name}: unknown option {unknown[0]!r}", hint=hint)

    def _check_option_names(self) -> None:
        names = {entry.name for entry in self._registry.entries}
        names |= {entry.qualified for entry in self._registry.entries}
        tables = {f"{entry.kind}s" for entry in self._registry.entries}
        for name, values in self._settings.options.items():
            inner = values if name in tables and name not in names else {name: {}}
            for each in inner:
                if each not in names:
                    hint = did_you_mean(each, names)
                    raise ConfigError(f"options.{each}: there is no such component", hint=hint)


def _pages_of(media_type: str, pages: tuple[int, ...] | None) -> int:
    """How many pages an input of a kind may have, as far as that is known without opening it."""
    if media_type in (sniff.PNG, sniff.JPEG, sniff.BMP, sniff.PNM):
        return 1
    return MANY if pages is None else len(pages)


def share_cores(jobs: int, threads: int, most: int = MANY) -> tuple[int, int]:
    """Jobs and threads per job that together never exceed the cores.

    Args:
        jobs: As set; 0: decide here.
        threads: As set; 0: decide here.
        most: Jobs there is work for at a time: one page alone gets all threads.
    """
    affinity: Callable[[int], set[int]] | None = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    jobs = jobs or max(1, min(most, cores // threads if threads else cores))
    return jobs, max(1, min(threads or cores, cores // jobs))


def reference(target: Any) -> str:
    """``"package.module:Class"`` by which another process finds it; empty if it cannot."""
    if isinstance(target, str):
        return target
    module, name = getattr(target, "__module__", ""), getattr(target, "__qualname__", "")
    if not name.isidentifier() or module in ("", "__main__"):
        return ""
    found = getattr(sys.modules.get(module), name, None)
    spec = getattr(sys.modules.get(module), "__spec__", None)
    return f"{module}:{name}" if found is target and spec is not None else ""


def _importable(spec: ComponentSpec) -> bool:
    return bool(reference(spec.target)) and bool(not spec.options or reference(spec.options))


def _live(spec: ComponentSpec) -> tuple[Any, Any]:
    name = f"{spec.kind} {spec.name!r}"
    return import_target(spec.target, name), import_target(spec.options, name)


def _keys(spec: ComponentSpec) -> set[str]:
    if not spec.options:
        return set()
    return set(fields_of(import_target(spec.options, f"options of {spec.name!r}")))


def _gives_score(component: Component) -> bool:
    return isinstance(component.spec, LoaderSpec) and component.spec.gives == "score"


def exporter_for(registry: Registry, suffix: str) -> str:
    """Name of the one exporter whose files end in ``suffix``.

    Raises:
        ConfigError: No exporter, or more than one, makes such files.
    """
    good, _ = registry.usable("exporter")
    specs = [c.spec for c in good if isinstance(c.spec, ExporterSpec)]
    names = sorted(spec.name for spec in specs if spec.suffix == suffix.lower())
    if len(names) == 1:
        return names[0]
    known = ", ".join(sorted({spec.suffix for spec in specs}))
    if not names:
        raise ConfigError(f"no exporter makes {suffix or 'such'} files", hint=f"known: {known}")
    raise ConfigError(
        f"{' and '.join(names)} both make {suffix} files", hint="choose one with --to"
    )
