"""Options of the sightread recognizer."""

from __future__ import annotations

import attrs

from ensemble_core.model import option


@attrs.frozen
class SightreadOptions:
    """What can be set in ``[options.sightread]``."""

    time: str = option(
        "auto",
        "Time signature to assume where none is printed (3/4, 6/8); auto: what most bars fit",
    )
    min_confidence: float = option(
        0.3, "Symbols the detector is less sure of are left out", minimum=0.05, maximum=0.95
    )
