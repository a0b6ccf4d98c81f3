"""The hook of ensemble-oemer."""

from __future__ import annotations

from ensemble_core.hooks import hookimpl
from ensemble_core.model import RecognizerSpec, Requirement

from .checkpoints import MODELS

_HOW = "pip install oemer==0.1.8"


@hookimpl
def ensemble_recognizers() -> list[RecognizerSpec]:
    """The recognizer; it takes minutes a page, so it is never chosen unless it is named."""
    return [
        RecognizerSpec(
            name="oemer",
            target="ensemble_oemer.recognizer:OemerRecognizer",
            options="ensemble_oemer.options:OemerOptions",
            summary="oemer 0.1.8, two large neural nets and rules; minutes a page",
            version="2",
            priority=-100,
            requires=(
                Requirement("module", "oemer", _HOW),
                Requirement("module", "onnxruntime", "pip install onnxruntime"),
            ),
            models=MODELS,
            own_models="checkpoints",
        )
    ]
