"""The hooks of Ensemble: the one page a plugin author reads first.

A plugin is an importable module (or an object) with some of these functions, each marked
with ``@hookimpl``, and an entry point that names it::

    [project.entry-points."ensemble.recognizers"]
    my-reader = "my_reader.plugin"

The entry point's group says the kind, its name is the strategy's name, and the hook of
that kind must return a spec with that very name. One module may serve many entry points.

========================= =============================== ============================
group                     hook                            returns
========================= =============================== ============================
``ensemble.loaders``      :func:`ensemble_loaders`        ``LoaderSpec`` s
``ensemble.preprocessors`` :func:`ensemble_preprocessors` ``PreprocessorSpec`` s
``ensemble.recognizers``  :func:`ensemble_recognizers`    ``RecognizerSpec`` s
``ensemble.exporters``    :func:`ensemble_exporters`      ``ExporterSpec`` s
``ensemble.executors``    :func:`ensemble_executors`      ``ExecutorSpec`` s
``ensemble.plugins``      any of the rest                 observers and commands
========================= =============================== ============================

Rules that hold for every hook:

* The module is imported only when a plan uses it, so importing it MUST be cheap: no
  NumPy, OpenCV, ONNX Runtime, music21 at module level. Import them in the component.
* Hooks run in the parent process, in one thread, and MUST NOT change what they are given.
* A hook MAY take fewer arguments than the specification lists.
* A function that looks like a hook (``ensemble_…``, marked ``@hookimpl``) and is none of
  these is an error that names the plugin.

All hooks are since API version 1.
"""

from __future__ import annotations

from collections.abc import Iterable

import pluggy

from .model import (
    CommandSpec,
    Diagnostic,
    Event,
    ExecutorSpec,
    ExporterSpec,
    LoaderSpec,
    Plan,
    PreprocessorSpec,
    RecognizerSpec,
)

PROJECT = "ensemble"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def ensemble_loaders() -> Iterable[LoaderSpec]:
    """Name the loaders this plugin offers.

    Called when a plan needs one of them. Idempotent. MUST NOT raise.
    """
    return ()


@hookspec
def ensemble_preprocessors() -> Iterable[PreprocessorSpec]:
    """Name the image enhancers this plugin offers.

    Called when a plan needs one of them. Idempotent. MUST NOT raise.
    """
    return ()


@hookspec
def ensemble_recognizers() -> Iterable[RecognizerSpec]:
    """Name the recognizers this plugin offers.

    Called when a plan needs one of them. Idempotent. MUST NOT raise.
    """
    return ()


@hookspec
def ensemble_exporters() -> Iterable[ExporterSpec]:
    """Name the exporters this plugin offers.

    Called when a plan needs one of them. Idempotent. MUST NOT raise.
    """
    return ()


@hookspec
def ensemble_executors() -> Iterable[ExecutorSpec]:
    """Name the executors this plugin offers.

    Called when a plan needs one of them. Idempotent. MUST NOT raise.
    """
    return ()


@hookspec
def ensemble_commands() -> Iterable[CommandSpec]:
    """Name the commands this plugin adds to ``ensemble``.

    Called when a command is given that the core does not have; ``target`` is imported
    only when the command is run. MUST NOT raise.
    """
    return ()


@hookspec
def ensemble_check(plan: Plan) -> Iterable[Diagnostic]:
    """Look at a plan before it runs and say what is wrong with it.

    Called once per plan, for every plugin the plan uses and every plugin in
    ``ensemble.plugins``. A diagnostic of severity ``error`` stops the run before it
    starts (exit 2, or 4 if its code ends in ``-missing``). Changes nothing.
    An exception becomes a warning that names the plugin.
    """
    return ()


@hookspec
def ensemble_event(event: Event) -> None:
    """Observe a run.

    Called for each event, in order, in the parent process, for every plugin the plan
    uses and every plugin in ``ensemble.plugins``; be quick. An exception becomes a
    warning that names the plugin, once per run, and never stops it.
    """
