"""The hooks of ensemble-dask."""

from __future__ import annotations

from ensemble_core.hooks import hookimpl
from ensemble_core.model import ExecutorSpec, Requirement


@hookimpl
def ensemble_executors() -> list[ExecutorSpec]:
    """The executor ``dask``; nothing but naming it chooses it."""
    return [
        ExecutorSpec(
            name="dask",
            target="ensemble_dask.executor:DaskExecutor",
            options="ensemble_dask.options:DaskOptions",
            summary="Worker processes on the machines of a Dask cluster",
            isolation="inline",
            priority=-10,
            requires=(Requirement("module", "distributed", "pip install distributed"),),
        )
    ]
