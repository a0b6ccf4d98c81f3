"""Verovio, held so that the same score gives the same bytes and nothing is printed."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any

from ensemble_core.model import Diagnostic, RecognitionError, Score
from ensemble_core.musicxml import check_wellformed_score, parse, serialize

from .options import PAPERS, Layout

if TYPE_CHECKING:
    from ensemble_core.model import Context

_TENTHS = 10
"""Verovio measures pages in tenths of a millimetre (at scale 100)."""

_SAME_IDS = {"xmlIdSeed": 1, "scale": 100, "svgViewBox": True, "svgRemoveXlink": True}
"""Ids that Verovio makes up are random unless seeded."""


def layout_options(layout: Layout, *, encoded_breaks: bool) -> dict[str, Any]:
    """Verovio's words for a layout.

    Args:
        layout: What was asked for.
        encoded_breaks: Whether the score itself says where systems end.
    """
    width, height = PAPERS[layout.paper]
    if layout.landscape:
        width, height = height, width
    margin = round(layout.margin * _TENTHS)
    breaks = {"auto": "encoded" if encoded_breaks else "auto", "fit": "auto"}
    return {
        "pageWidth": round(width * _TENTHS),
        "pageHeight": round(height * _TENTHS),
        **{f"pageMargin{side}": margin for side in ("Top", "Bottom", "Left", "Right")},
        "unit": layout.staff_height * _TENTHS / 8,  # a unit is half a staff space
        "font": layout.font,
        "breaks": breaks.get(layout.breaks, layout.breaks),
        "header": "auto" if layout.header else "none",
        "footer": "none",
        "adjustPageHeight": layout.crop or layout.breaks == "none",
        "adjustPageWidth": layout.breaks == "none",
    }


class Engraver:
    """One score in one Verovio toolkit.

    Args:
        score: What to engrave. Notes, rests and measures without an ``id`` get one, so
            that everything drawn leads back to the MusicXML.
        layout: How to lay it out; None: Verovio's own way, for what has no pages.
        extra: More options, in Verovio's words; they win.

    Raises:
        ContractError: The score is not MusicXML that fits together.
        RecognitionError: Verovio cannot engrave it.
    """

    def __init__(
        self, score: Score, layout: Layout | None = None, extra: Mapping[str, Any] | None = None
    ) -> None:
        check_wellformed_score(score.musicxml)
        import verovio

        self.root = parse(score.musicxml)
        name_everything(self.root)
        breaks = has_breaks(self.root)
        wanted = layout_options(layout, encoded_breaks=breaks) if layout else {}
        verovio.enableLog(verovio.LOG_OFF)  # it would write to stderr from C++
        self._toolkit = verovio.toolkit()
        self._toolkit.setOptions({**_SAME_IDS, **wanted, **(extra or {})})
        self._load(serialize(self.root).decode("utf-8"))
        if layout and layout.header:
            self._print_composer()
        self.pages = int(self._toolkit.getPageCount())
        if layout and not self.pages:
            raise RecognitionError("Verovio made no page of the score", code="engraving-failed")

    def _load(self, text: str) -> None:
        if not self._toolkit.loadData(text):
            raise RecognitionError("Verovio cannot read the score", code="engraving-failed")

    def _print_composer(self) -> None:
        """See to it that the composer stands above the music.

        Verovio 6 reads a MusicXML composer as MEI's ``persName``, but its page header looks
        for MEI's ``composer``. Scores with credits are not concerned.
        """
        names = self.root.xpath("identification/creator[@type='composer']/text()")
        if not names or self.root.find("credit") is not None:
            return
        composer = f"<composer>{escape(' '.join(names[0].split()))}</composer>"
        mei = self._toolkit.getMEI()
        self._load(mei.replace("</titleStmt>", f"{composer}</titleStmt>", 1))

    def svg(self, index: int) -> str:
        """Page ``index`` (0-based) as SVG."""
        return str(self._toolkit.renderToSVG(index + 1))

    def mei(self, *, basic: bool = False) -> str:
        """The score as MEI."""
        return str(self._toolkit.getMEI({"basic": basic}))

    def timemap(self) -> list[dict[str, Any]]:
        """When what begins and ends, repeats played out; times in milliseconds."""
        events: list[dict[str, Any]] = self._toolkit.renderToTimemap({"includeMeasures": True})
        return events


def name_everything(root: Any) -> None:
    """Give an ``id`` to each note, rest and measure that has none; always the same ones."""
    taken = {name for element in root.iter() if (name := element.get("id"))}
    for tag, letter in (("measure", "m"), ("note", "n")):
        for count, element in enumerate(root.iter(tag)):
            if element.get("id"):
                continue
            name = f"{letter}{count}"
            while name in taken:
                name += "x"
            taken.add(name)
            element.set("id", name)


def has_breaks(root: Any) -> bool:
    """Whether the score says where a system or a page ends."""
    return any(
        "yes" in (element.get("new-system"), element.get("new-page"))
        for element in root.iter("print")
    )


def report_missing(engraver: Engraver, drawn: set[str], ctx: Context) -> None:
    """Warn when notes of the score are on no engraved page.

    Args:
        engraver: Holds the score.
        drawn: Ids of everything drawn.
        ctx: Told about it.
    """
    hidden = {"no"}
    notes = [
        note
        for note in engraver.root.iter("note")
        if note.get("print-object") not in hidden and note.find("rest") is None
    ]
    lost = [note for note in notes if note.get("id") not in drawn]
    if not lost:
        return
    bars = sorted({str(note.getparent().get("number")) for note in lost})
    where = ", ".join(bars[:5]) + (" …" if len(bars) > 5 else "")
    ctx.report(
        Diagnostic(
            "warning",
            "engraving-incomplete",
            f"{len(lost)} of {len(notes)} notes could not be engraved (measure {where})",
        )
    )
