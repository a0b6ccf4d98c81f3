"""Running a contract without a test file, for ``ensemble plugins check``."""

from __future__ import annotations

import inspect
import tempfile
import time
import unittest
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import attrs

from ensemble_core.model import EnsembleError
from ensemble_core.registry import Registry

from .contract import Contract
from .executing import ExecutorContract
from .exporting import ExporterContract
from .loading import LoaderContract, ScoreLoaderContract
from .paged import PreprocessorContract, RecognizerContract

CONTRACTS: Mapping[str, type[Contract]] = {
    "loader": LoaderContract,
    "preprocessor": PreprocessorContract,
    "recognizer": RecognizerContract,
    "exporter": ExporterContract,
    "executor": ExecutorContract,
}


@attrs.frozen
class CheckResult:
    """One clause of a contract.

    Attributes:
        name: What must hold, as words (``its spec is valid``).
        outcome: What came of it.
        message: One line on why, unless it passed.
        seconds: How long looking took.
    """

    name: str
    outcome: Literal["passed", "failed", "skipped"]
    message: str = ""
    seconds: float = 0.0


def check_plugin(
    kind: str,
    name: str,
    *,
    options: Mapping[str, Any] | None = None,
    plugin: Any = None,
    on_result: Callable[[CheckResult], None] | None = None,
) -> list[CheckResult]:
    """Hold an installed component to the contract of its kind.

    Args:
        kind: ``loader``, ``preprocessor``, ``recognizer``, ``exporter`` or ``executor``.
        name: The strategy's name, also ``distribution:name``.
        options: Options to check it with, as plain data.
        plugin: The plugin itself, where it is not installed.
        on_result: Called with each result as it comes.

    Raises:
        MissingError: There is no such component, or it does not load.
        ContractError: It breaks the contract before it can be made.
    """
    registry = Registry(() if plugin is None else (plugin,), installed=plugin is None)
    spec = registry.resolve(kind, name).spec
    base = CONTRACTS[kind]
    if kind == "loader" and getattr(spec, "gives", "pages") == "score":
        base = ScoreLoaderContract
    members = {"name": spec.name, "plugin": plugin, "options": dict(options or {})}
    contract = type("Check", (base,), members)()
    results = []
    for result in _run(contract):
        results.append(result)
        if on_result:
            on_result(result)
    return results


def _run(contract: Contract) -> Iterator[CheckResult]:
    tests = [name for name in dir(contract) if name.startswith("test_")]
    order = {name: place for place, name in enumerate(_in_source_order(type(contract)))}
    for name in sorted(tests, key=lambda test: order.get(test, len(order))):
        began = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="ensemble-check-") as folder:
            outcome, message = _one(getattr(contract, name), Path(folder))
        yield CheckResult(_words(name), outcome, message, round(time.monotonic() - began, 3))


def _one(test: Any, folder: Path) -> tuple[Literal["passed", "failed", "skipped"], str]:
    try:
        test(folder) if inspect.signature(test).parameters else test()
    except unittest.SkipTest as reason:
        return "skipped", str(reason)
    except (AssertionError, EnsembleError) as error:
        return "failed", (str(error) or type(error).__name__).splitlines()[0]
    except Exception as error:
        return "failed", f"{type(error).__name__}: {error}".splitlines()[0]
    return "passed", ""


def _in_source_order(cls: type[Any]) -> list[str]:
    return [name for base in reversed(cls.__mro__) for name in vars(base)]


def _words(name: str) -> str:
    return name.removeprefix("test_").replace("_", " ")
