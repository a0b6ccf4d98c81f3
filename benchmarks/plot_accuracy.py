"""Draws what `sightread_accuracy.py --json` wrote: F1 of every page, by engraver.

python benchmarks/plot_accuracy.py RESULTS.json PICTURE.svg      (needs matplotlib)
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from matplotlib import pyplot as plt
from matplotlib import rcParams

COLOURS = {"verovio": "#1b7f79", "musescore": "#b5431f", "lilypond": "#5b4b8a"}


def main() -> None:
    """Read the results, draw one dot a page and figure."""
    rcParams["svg.hashsalt"] = "ensemble"  # the same bytes from the same figures
    data = json.loads(Path(sys.argv[1]).read_text())
    pages = sorted(data["pages"], key=lambda page: (page["engraver"], page["note_f1"]))
    figure, axes = plt.subplots(figsize=(8, 0.32 * len(pages) + 1.2))
    for row, page in enumerate(pages):
        colour = COLOURS.get(page["engraver"], "#444444")
        axes.plot([page["note_f1"], page["pitch_f1"]], [row, row], color=colour, alpha=0.4)
        axes.plot(page["pitch_f1"], row, "o", color=colour, markerfacecolor="white")
        axes.plot(page["note_f1"], row, "o", color=colour)
    axes.set_yticks(range(len(pages)), [page["page"] for page in pages], fontsize=7)
    axes.set_xlim(min(0.7, min(page["note_f1"] for page in pages) - 0.02), 1.005)
    axes.set_xlabel("F1: filled, notes (onset, pitch, duration); hollow, pitches")
    axes.grid(axis="x", alpha=0.3)
    figure.tight_layout()
    figure.savefig(sys.argv[2], metadata={"Date": None})


if __name__ == "__main__":
    main()
