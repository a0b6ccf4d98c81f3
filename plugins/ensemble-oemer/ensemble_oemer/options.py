"""Options of the oemer recognizer."""

from __future__ import annotations

from pathlib import Path

import attrs

from ensemble_core.model import option


@attrs.frozen
class OemerOptions:
    """How oemer is run."""

    checkpoints: Path | None = option(
        None, "Folder of your own model files, used in the place of oemer's published ones"
    )
    deskew: str = option(
        "auto",
        "Straighten curved staves first; auto: unless the page went through deskew already",
        choices=("auto", "on", "off"),
    )
    mend: bool = option(
        True,
        "Put right what oemer's rules are known to get wrong; "
        "off: the notes the oemer command gives, made valid",
    )
    provider: str = option(
        "auto",
        "What the nets run on; auto: the best there is",
        choices=("auto", "cpu", "cuda", "coreml"),
    )
    threads: int | None = option(
        None, "Threads of the nets; by default those the run gives a page", minimum=1
    )
    step: int = option(
        128, "Distance of two windows; larger is faster", minimum=32, maximum=256, unit="px"
    )
    batch: int | None = option(
        None, "Windows looked at together; by default 4 on a CPU, 16 elsewhere", minimum=1
    )
    keep_sessions: bool = option(
        True, "Keep the nets loaded for the next page, unless memory is short"
    )
