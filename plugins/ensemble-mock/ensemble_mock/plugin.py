"""The hooks of ensemble-mock."""

from __future__ import annotations

from collections.abc import Iterable

from ensemble_core.hooks import hookimpl
from ensemble_core.model import RecognizerSpec


@hookimpl
def ensemble_recognizers() -> Iterable[RecognizerSpec]:
    """The ``mock`` recognizer; its priority keeps ``auto`` from it while there is another."""
    return (
        RecognizerSpec(
            name="mock",
            target="ensemble_mock.recognizer:MockRecognizer",
            options="ensemble_mock.options:MockOptions",
            summary="Makes a score up, for development; can hang, crash and more on request",
            version="1",
            priority=-1_000_000,
        ),
    )
