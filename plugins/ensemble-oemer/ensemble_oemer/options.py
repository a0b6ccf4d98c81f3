"""Options of the oemer recognizer."""

from __future__ import annotations

from pathlib import Path

import attrs

from ensemble_core.model import option


@attrs.frozen
class OemerOptions:
    """How oemer is run."""

    checkpoints: Path | None = option(None, "Folder of the model files; by default oemer's own")
    deskew: bool = option(True, "Straighten curved staves first (oemer's dewarping)")
    step: int = option(
        128, "Distance of two windows; larger is faster and worse", minimum=32, unit="px"
    )
    batch: int = option(16, "Windows looked at together", minimum=1)
