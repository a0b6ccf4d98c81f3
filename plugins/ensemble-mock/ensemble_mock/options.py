"""Options of the mock recognizer."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import attrs

from ensemble_core.model import ByteSize, Duration, option

Fault = Literal["none", "delay", "hang", "crash", "memory", "garbage", "raise", "stdout", "nothing"]


@attrs.frozen
class MockOptions:
    """How large the made-up score is, and what goes wrong while it is made."""

    measures: int = option(4, "Measures on each page", minimum=1, maximum=1000)
    parts: int = option(1, "Parts", minimum=1, maximum=50)
    staves: int = option(1, "Staves in each part", minimum=1, maximum=4)
    notes: int = option(4, "Notes in each measure of each staff", choices=(1, 2, 4, 8, 16))
    seed: int = option(0, "Another number, another tune")
    look: bool = option(True, "Decode the picture, as a real reader would")
    fault: Fault = option("none", "What goes wrong", choices=Fault.__args__)  # type: ignore[attr-defined]
    fault_pages: tuple[int, ...] = option(
        (), "Pages it goes wrong on, counted from 0; empty: on all"
    )
    fault_corner: bool = option(
        False, "It goes wrong only on pages whose top left pixel is dark (needs 'look')"
    )
    fault_marker: Path | None = option(
        None, "The fault happens once: not if this file is there, and it is made first"
    )
    delay: Duration = option(Duration(1.0), "How long the fault 'delay' takes")
    allocate: ByteSize = option(ByteSize(50 * 2**30), "What the fault 'memory' fills", minimum=1)
