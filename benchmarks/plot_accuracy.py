"""Draws what `ensemble evaluate` wrote: note F1 and OMR-NED of every page, by kind and engraver.

python benchmarks/plot_accuracy.py REPORT.json PICTURE.svg      (needs matplotlib)
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from matplotlib import pyplot as plt
from matplotlib import rcParams

COLOURS = {"verovio": "#1b7f79", "musescore": "#b5431f", "lilypond": "#5b4b8a"}


def ned(page: dict[str, Any]) -> float:
    """OMR-NED of a page, in percent."""
    distance = page["distance"]
    return 100 * float(distance["edits"]) / (distance["truth"] + distance["found"])


def main() -> None:
    """Read the report, draw one dot a page and figure."""
    rcParams["svg.hashsalt"] = "ensemble"  # the same bytes from the same figures
    pages = json.loads(Path(sys.argv[1]).read_text())["documents"]
    kinds = sorted({page["kind"] for page in pages}, reverse=True)
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 0.45 * len(kinds) + 1.4), sharey=True)
    for axes, name, value in (
        (left, "note F1", lambda page: page["notes"]["note_f1"]),
        (right, "OMR-NED, all objects, percent", ned),
    ):
        for place, (engraver, colour) in enumerate(COLOURS.items()):
            own = [page for page in pages if page["engraver"] == engraver]
            rows = [kinds.index(page["kind"]) + (1 - place) * 0.22 for page in own]
            axes.plot(
                [value(page) for page in own], rows, "o", color=colour, alpha=0.55,
                markersize=4, label=engraver,
            )  # fmt: skip
        axes.set_xlabel(name)
        axes.grid(axis="x", alpha=0.3)
    left.set_yticks(range(len(kinds)), kinds)
    right.legend(fontsize=8, loc="lower right")
    figure.tight_layout()
    figure.savefig(sys.argv[2], metadata={"Date": None})


if __name__ == "__main__":
    main()
