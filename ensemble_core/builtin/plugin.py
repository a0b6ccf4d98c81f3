"""The hooks of the components the core ships; registered through entry points like anyone's."""

from __future__ import annotations

from ensemble_core.hooks import hookimpl
from ensemble_core.model import ExecutorSpec


@hookimpl
def ensemble_executors() -> list[ExecutorSpec]:
    """The executors: here and now, or in worker processes."""
    return [
        ExecutorSpec(
            name="serial",
            target="ensemble_core.builtin.executors:SerialExecutor",
            summary="One task at a time in the calling thread; nothing can be killed",
            isolation="inline",
            blocking=True,
        ),
        ExecutorSpec(
            name="processes",
            target="ensemble_core.builtin.executors:ProcessExecutor",
            options="ensemble_core.builtin.executors:ProcessOptions",
            summary="Worker processes with deadlines and memory limits that are enforced",
            isolation="inline",
            priority=10,
        ),
    ]
