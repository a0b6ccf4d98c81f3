"""The files a page needs to show and play what ``html`` exports; the service uses them too."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent / "static"
"""Where the files named here are."""

STYLES = ("score-tokens.css", "score.css")
"""Style sheets, in order: the colours, then everything that is made of them."""

SCRIPTS = ("score-marks.js", "score-sound.js", "score-player.js", "score-pointing.js", "score.js")
"""Scripts, in order; ``scoreKit.openScore(data)`` of the last one brings a page to life."""

TOOLBAR = "toolbar.html"
"""Markup of the switches above the score."""

PLAYER = "player.html"
"""Markup of the player below it."""


def read_asset(name: str) -> str:
    """The text of one of them."""
    return (FOLDER / name).read_text(encoding="utf-8")
