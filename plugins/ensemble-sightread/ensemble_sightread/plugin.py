"""The hook of the sightread recognizer. Nothing heavy is imported here."""

from __future__ import annotations

from collections.abc import Iterable

from ensemble_core.hooks import hookimpl
from ensemble_core.model import RecognizerSpec, Requirement


@hookimpl
def ensemble_recognizers() -> Iterable[RecognizerSpec]:
    """Offer ``sightread``."""
    return (
        RecognizerSpec(
            name="sightread",
            target="ensemble_sightread.recognizer:Sightread",
            options="ensemble_sightread.options:SightreadOptions",
            summary="Ensemble's own reader: printed music, on one core, nothing to download",
            priority=100,
            requires=(
                Requirement("module", "cv2", "pip install opencv-python-headless"),
                Requirement("module", "onnxruntime", "pip install onnxruntime"),
            ),
        ),
    )
