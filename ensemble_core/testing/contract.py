"""What every component must keep, whatever its kind."""

from __future__ import annotations

import json
import re
import unittest
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

import attrs

from ensemble_core.config.options import (
    fields_of,
    structure_options,
    unstructure_options,
)
from ensemble_core.config.schema import schema_of
from ensemble_core.model import (
    API_VERSION,
    ComponentSpec,
    ConfigError,
    Context,
    EnsembleError,
    Executor,
    Exporter,
    Loader,
    PlannedComponent,
    PlannedModel,
    Preprocessor,
    Recognizer,
    ScoreLoader,
)
from ensemble_core.modelfiles import Store
from ensemble_core.places import model_folder
from ensemble_core.registry import Component, Registry, import_target, missing

from .quiet import heavy, import_alone, imported_once

_PROTOCOLS: dict[str, type[Any]] = {
    "loader": Loader,
    "preprocessor": Preprocessor,
    "recognizer": Recognizer,
    "exporter": Exporter,
    "executor": Executor,
}


class Contract:
    """Common to the contracts of all kinds; subclass one of those.

    Attributes:
        kind: Set by the contract of the kind.
        name: The strategy's name, as the entry point has it.
        plugin: The plugin module or object, where no entry point announces it yet.
        options: Options the tests run the component with, as in ``ensemble.toml``.
        import_seconds: What importing the plugin may take; or as long as importing the
            core takes, if that is longer.
    """

    kind: ClassVar[str] = ""
    name: ClassVar[str] = ""
    plugin: ClassVar[Any] = None
    options: ClassVar[Mapping[str, Any]] = {}
    import_seconds: ClassVar[float] = 0.1

    def component(self) -> Component:
        """The component under test.

        Raises:
            EnsembleError: It is not installed, or breaks the contract already.
        """
        assert self.name, f'{type(self).__name__} needs `name = "..."`'
        plugins = () if self.plugin is None else (self.plugin,)
        return Registry(plugins, installed=self.plugin is None).resolve(self.kind, self.name)

    def spec(self) -> ComponentSpec:
        """Its spec."""
        return self.component().spec

    def options_class(self) -> type[Any] | None:
        """Its options class, if it has options."""
        found: type[Any] | None = import_target(self.spec().options, self.name) or None
        return found

    def make(self) -> Any:
        """A live component with the options under test; skips when what it needs is missing."""
        spec = self.spec()
        lacking = missing(spec.requires)
        if lacking:
            raise unittest.SkipTest(f"needs {lacking[0].name} ({lacking[0].hint})")
        if spec.models and not self.models():
            raise unittest.SkipTest(f"needs model files (ensemble models fetch {self.name})")
        target = import_target(spec.target, self.name)
        cls = self.options_class()
        if cls is None:
            return target()
        return target(structure_options(cls, self.options, f"options.{self.name}"))

    def models(self) -> Mapping[str, Path]:
        """Its model files by name, as fetched; none if one is missing. Override to bring others."""
        spec, store = self.spec(), Store(model_folder())
        if store.missing(self.name, spec.models):
            return {}
        return {file.name: store.path(self.name, file) for file in spec.models}

    def planned(self) -> PlannedComponent:
        """The component as a plan names it; skips when no other process could import it."""
        found = self.component()
        spec, cls = found.spec, self.options_class()
        package = str(spec.target).partition(":")[0].partition(".")[0]
        if not isinstance(spec.target, str) or not find_spec(package):
            raise unittest.SkipTest("an in-process component cannot be made in another process")
        values = unstructure_options(structure_options(cls, self.options, self.name)) if cls else {}
        return PlannedComponent(
            kind=spec.kind,
            name=spec.name,
            distribution=found.entry.distribution,
            version=found.version,
            target=spec.target,
            options_class=f"{cls.__module__}:{cls.__qualname__}" if cls else "",
            options=values,
            isolation=spec.isolation,
            models={name: PlannedModel(str(path), "") for name, path in self.models().items()},
        )

    def context(self, folder: Path, **changes: Any) -> Context:
        """A context with an empty workspace inside ``folder``."""
        number = sum(1 for _ in folder.glob("workspace-*"))
        workspace = folder / f"workspace-{number}"
        workspace.mkdir(parents=True)
        own = Context(workspace, component=self.name, models=self.models())
        return attrs.evolve(own, **changes)

    def module(self) -> str:
        """The module that holds the hooks."""
        if self.plugin is None:
            return self.component().entry.module
        name = getattr(self.plugin, "__name__", "")
        if not name or not find_spec(name.partition(".")[0]):
            raise unittest.SkipTest("the plugin is an object of this process")
        return str(name)

    # -- what must hold -------------------------------------------------------------

    def test_its_spec_is_valid(self) -> None:
        """The name keeps the rule, the API version is this core's, and it says what it does."""
        spec = self.spec()
        assert re.fullmatch(r"[a-z][a-z0-9-]*", spec.name), f"{spec.name!r} is no strategy name"
        assert spec.name == self.name
        assert spec.kind == self.kind
        assert spec.api == API_VERSION
        assert spec.summary.strip(), "a one-line summary for `ensemble plugins list` is missing"
        assert "\n" not in spec.summary, "the summary is one line"
        for requirement in spec.requires:
            assert requirement.hint, f"say how to get {requirement.name!r}: its hint is empty"

    def test_it_does_what_its_kind_must(self) -> None:
        """The target can be made with its options and has the methods of its protocol."""
        component = self.make()
        gives = getattr(self.spec(), "gives", "pages")
        wanted = ScoreLoader if gives == "score" else _PROTOCOLS[self.kind]
        assert isinstance(component, wanted), f"it lacks a method of {wanted.__name__}"

    def test_importing_the_plugin_is_cheap(self) -> None:
        """The plugin's module imports fast and brings no heavy library along."""
        module = self.module()
        runs = [imported_once(module)]
        assert not heavy(runs[0]["imported"]), (
            f"importing {module} imports {heavy(runs[0]['imported'])}; "
            "import them inside the component"
        )
        while min(r["own"] / self._import_limit(r) for r in runs) > 1 and len(runs) < 4:
            runs.append(import_alone(module))
        best = min(runs, key=lambda r: float(r["own"]))
        assert best["own"] <= self._import_limit(best), (
            f"importing {module} takes {1000 * best['own']:.0f} ms"
        )

    def _import_limit(self, run: Mapping[str, float]) -> float:
        return max(self.import_seconds, run["core"])

    def test_planning_with_it_is_cheap(self) -> None:
        """Its specs and options classes bring no heavy library along either."""
        found = heavy(imported_once(self.module())["planned"])
        assert not found, f"planning with {self.name} imports {found}"

    def test_its_options_are_documented(self) -> None:
        """Every option has a line of documentation and a value when nothing is configured."""
        cls = self.options_class()
        if cls is None:
            return
        for key, field in fields_of(cls).items():
            assert field.metadata.get("doc"), f"option {key!r} has no doc: use option(default, doc)"
            assert field.default is not attrs.NOTHING, f"option {key!r} has no default"
        json.dumps(schema_of(cls))

    def test_its_options_survive_a_round_trip(self) -> None:
        """Defaults to plain data, through JSON, and back give the same options."""
        cls = self.options_class()
        if cls is None:
            return
        for values in ({}, self.options):
            options = structure_options(cls, values, self.name)
            plain = json.loads(json.dumps(unstructure_options(options)))
            assert structure_options(cls, plain, self.name) == options

    def test_an_unknown_option_is_refused(self) -> None:
        """A misspelled option is an error that knows the right spelling."""
        cls = self.options_class()
        if cls is None or not fields_of(cls):
            return
        key = max(fields_of(cls), key=len)
        try:
            structure_options(cls, {key + "x": 1}, f"options.{self.name}")
        except ConfigError as error:
            assert key in str(error), f"{error} does not suggest {key!r}"
        else:
            raise AssertionError(f"the unknown option {key + 'x'!r} was taken")


def one_line(error: EnsembleError) -> None:
    """Assert that an error's text is one line that says something."""
    assert error.message.strip(), f"{type(error).__name__} says nothing"
    assert "\n" not in str(error), f"the error is more than one line: {error}"
