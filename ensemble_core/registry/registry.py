"""The registry: every strategy by kind and name, loaded when it is asked for."""

from __future__ import annotations

import difflib
import importlib.util
import shutil
from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from typing import Any

import attrs

from ..model import (
    KINDS,
    ComponentSpec,
    ContractError,
    Diagnostic,
    EnsembleError,
    MissingError,
    Requirement,
)
from .entries import Entry, scan
from .loading import Plugin, check_hooks, load, spec_of


@attrs.frozen
class Component:
    """A strategy that is ready to be planned: where it comes from and its spec."""

    entry: Entry
    spec: ComponentSpec

    @property
    def version(self) -> str:
        """What stands in cache keys and reports."""
        return self.spec.version or self.entry.version


class Registry:
    """Plugins of one pipeline; two registries in one process know nothing of each other.

    Args:
        plugins: Live plugins (modules or objects with hooks) besides the installed ones.
        block: What is never imported: distributions, strategies, ``distribution:name``.
        installed: Look at the installed distributions at all.
    """

    def __init__(
        self, plugins: Sequence[Any] = (), block: Iterable[str] = (), installed: bool = True
    ) -> None:
        self._loaded: dict[str, Plugin] = {}
        self.entries: tuple[Entry, ...] = tuple(_live_entries(plugins, self._loaded))
        if installed:
            self.entries += scan(block)

    def of_kind(self, kind: str) -> list[Entry]:
        """The entries of a kind, blocked ones included."""
        return [entry for entry in self.entries if entry.kind == kind]

    def find(self, kind: str, name: str) -> Entry:
        """The one entry a name stands for; nothing is imported.

        Raises:
            MissingError: There is none, or it is blocked.
            ContractError: Two distributions offer it.
        """
        same = [e for e in self.of_kind(kind) if name in (e.name, e.qualified)]
        usable = [entry for entry in same if not entry.blocked]
        if len(usable) > 1:
            names = " and ".join(sorted(entry.key for entry in usable))
            raise ContractError(
                f"the {kind} {name!r} is offered by {names}",
                hint=f"write {usable[0].qualified!r}, or block one in plugins.block",
                code="name-collision",
            )
        if usable:
            return usable[0]
        if same:
            raise MissingError(
                f"the {kind} {name!r} ({same[0].key}) is blocked",
                hint="remove it from plugins.block",
                code="plugin-blocked",
            )
        known = sorted({entry.name for entry in self.of_kind(kind) if not entry.blocked})
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"installed: {', '.join(known)}"
        raise MissingError(f"there is no {kind} {name!r}", hint=hint)

    def resolve(self, kind: str, name: str) -> Component:
        """Load the component a name stands for.

        Raises:
            MissingError: It is not there or does not load.
            ContractError: Its plugin breaks the contract, or the name is ambiguous.
        """
        entry = self.find(kind, name)
        return Component(entry, spec_of(entry, self.plugin(entry)))

    def plugin(self, entry: Entry) -> Plugin:
        """The plugin behind an entry, imported once.

        Raises:
            MissingError: It does not load.
            ContractError: Its hooks are wrong.
        """
        key = f"{entry.key}/{entry.module}"
        if key not in self._loaded:
            self._loaded[key] = load(entry)
        return self._loaded[key]

    def usable(self, kind: str) -> tuple[list[Component], list[Diagnostic]]:
        """All components of a kind that load, and a warning for each that does not."""
        good: list[Component] = []
        bad: list[Diagnostic] = []
        for entry in self.of_kind(kind):
            if entry.blocked:
                continue
            try:
                good.append(self.resolve(kind, entry.name))
            except EnsembleError as error:
                found = Diagnostic("warning", error.code, error.message, error.hint)
                if found not in bad:
                    bad.append(found)
        return good, bad

    def observers(self) -> tuple[list[Plugin], list[Diagnostic]]:
        """Every plugin of the group ``ensemble.plugins`` that loads, plus all loaded so far."""
        bad = []
        for entry in self.of_kind("plugin"):
            if not entry.blocked:
                try:
                    self.plugin(entry)
                except EnsembleError as error:
                    bad.append(Diagnostic("warning", error.code, error.message, error.hint))
        return list(self._loaded.values()), bad


def _live_entries(plugins: Sequence[Any], loaded: dict[str, Plugin]) -> Iterator[Entry]:
    for number, plugin in enumerate(plugins):
        name = getattr(plugin, "__name__", type(plugin).__name__)
        key = Entry("", "", "", "", f"{name}#{number}")
        checked = check_hooks(f"{name} (in-process)", plugin)
        loaded[f"{key.key}/{key.module}"] = checked
        for kind in KINDS:
            for spec in checked.specs(kind):
                yield attrs.evolve(key, kind=kind, name=spec.name, plugin=plugin)


def missing(requirements: Iterable[Requirement]) -> list[Requirement]:
    """The requirements that are not met here; cheap, nothing is imported."""
    return [r for r in requirements if not _present(r)]


def _present(requirement: Requirement) -> bool:
    if requirement.kind == "tool":
        return shutil.which(requirement.name) is not None
    return importlib.util.find_spec(requirement.name.partition(".")[0]) is not None


def import_target(target: Any, what: str) -> Any:
    """The object ``"package.module:Name"`` stands for; anything else is given back.

    An empty text, as a component without options has it, stands for None.

    Raises:
        MissingError: Its module does not import (a library is missing).
        ContractError: The module has no such name.
    """
    if not isinstance(target, str) or not target:
        return target or None
    module_name, _, name = target.partition(":")
    try:
        module = import_module(module_name)
    except ImportError as error:
        raise MissingError(
            f"{what} cannot be used: {error}",
            hint="`ensemble plugins doctor` says what is missing",
            code="requirement-missing",
        ) from error
    try:
        return getattr(module, name)
    except AttributeError:
        raise ContractError(f"{what}: {module_name} has no {name!r}") from None
