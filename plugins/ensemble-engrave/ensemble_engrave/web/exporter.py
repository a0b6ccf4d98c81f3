"""The exporter of the web page: gathers everything and fills the template."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html import escape
from typing import Any

import attrs

from ensemble_core.model import Artifact, Context, PageOfScore, Score
from ensemble_core.musicxml import title_of

from ..engraver import Engraver, report_missing
from ..options import HtmlOptions, Layout
from .assets import PLAYER, SCRIPTS, STYLES, TOOLBAR, read_asset
from .boxes import is_doubtful, is_symbol, overlay
from .facts import Facts, gather
from .pictures import BUDGET, Picture, embed
from .remarks import remarks
from .timeline import Timeline, read

_SLOT = re.compile(r"\{\{(\w+)\}\}")
_DATA_CLASS = re.compile(r' data-class="[^"]*"')
_DATA_ID = re.compile(r' data-id="([^"]+)"')
_STYLE = re.compile(r"<style\b[^>]*>.*?</style>", re.DOTALL)


_IN_PAGE = {"svgHtml5": True, "svgFormatRaw": True}
"""``data-id`` instead of ``id``: names in the score cannot clash with those of the page."""

_NARROW = {"pageWidth": 1080, "breaks": "auto"}
"""A second lay-out for phones, half as wide, so that notes are not half as large."""

_NARROW_BELOW = 1_500_000
"""Letters of the first lay-out above which there is no second: the page is large enough."""


class HtmlExporter:
    """One self-contained page: no other file, no network, no script but its own."""

    def __init__(self, options: HtmlOptions | None = None) -> None:
        self.options = options or HtmlOptions()

    def export(self, score: Score, ctx: Context) -> tuple[Artifact, ...]:
        """Write the page.

        Raises:
            ContractError: The score is not usable MusicXML.
            RecognitionError: Verovio cannot engrave it.
            InputError: A source picture cannot be decoded.
            LimitExceeded: A source picture has too many pixels.
        """
        layout = Layout(font=self.options.font, margin=6.0, crop=True, header=False)
        engraver = Engraver(score, layout, _IN_PAGE)
        facts = gather(engraver.root)
        wide = _sheets(engraver, "wide", facts, ctx)
        report_missing(engraver, set(_DATA_ID.findall(wide)), ctx)
        timeline = read(engraver.timemap(), facts)
        narrow = ""
        if len(wide) <= _NARROW_BELOW:
            narrow = _sheets(Engraver(score, layout, {**_IN_PAGE, **_NARROW}), "narrow", facts, ctx)
        sources = self._sources(score, ctx)
        text = _fill(
            {
                "title": escape(score.title or title_of(engraver.root) or "Untitled score"),
                "composer": escape(_composer(engraver.root)),
                "summary": _summary(score, facts, self.options.doubtful_below),
                "sources": "".join(sources),
                "score": wide + narrow,
                "narrow": "yes" if narrow else "no",
                "layout": "both" if sources else "alone",
                "data": _script_safe(_data(score, facts, timeline, self.options.doubtful_below)),
            }
        )
        path = ctx.workspace / "score.html"
        path.write_text(text, encoding="utf-8", newline="\n")
        return (Artifact(path, "text/html", ".html"),)

    def _sources(self, score: Score, ctx: Context) -> list[str]:
        shown = [(page, page.picture) for page in score.pages if page.picture is not None]
        figures = []
        for count, (page, path) in enumerate(shown):
            ctx.progress(count, len(shown), "pictures")
            options = self.options
            picture = embed(
                path, options.picture_width, options.picture_quality, BUDGET // len(shown), ctx
            )
            figures.append(self._figure(score, page, picture))
        return figures

    def _figure(self, score: Score, page: PageOfScore, picture: Picture) -> str:
        if not page.width or not page.height:
            page = attrs.evolve(page, width=picture.width, height=picture.height)
        look = "sheet source paper" if picture.paper else "sheet source"
        return (
            f'<figure class="{look}" data-page="{page.page}">'
            f'<img src="{picture.address}" width="{page.width}" height="{page.height}" '
            f'alt="Source page {page.page + 1}">'
            f"{overlay(score, page, self.options.doubtful_below)}</figure>"
        )


def _sheets(engraver: Engraver, kind: str, facts: Facts, ctx: Context) -> str:
    kept = facts.notes.keys() | facts.places.keys()
    sheets = []
    for index in range(engraver.pages):
        ctx.progress(index, engraver.pages, "pages")
        # Verovio names every stem and says each class twice: a third of the whole.
        # Its style sheet is part of the page's, where a strict policy allows it.
        svg = _DATA_CLASS.sub("", _STYLE.sub("", engraver.svg(index)))
        svg = _DATA_ID.sub(lambda found: found[0] if found[1] in kept else "", svg)
        sheets.append(
            f'<figure class="sheet engraved {kind}" aria-label="Engraved page {index + 1}">'
            f"{svg}</figure>"
        )
    return "".join(sheets)


def _composer(root: Any) -> str:
    found = root.xpath("identification/creator[@type='composer']")
    return " ".join((found[0].text or "").split()) if found else ""


def _summary(score: Score, facts: Facts, doubtful_below: float) -> str:
    notes = sum(fact.midi != 0 for fact in facts.notes.values())
    symbols = [e for e in score.elements if is_symbol(e) and e.confidence is not None]
    doubtful = sum(is_doubtful(element, doubtful_below) for element in symbols)
    words = [
        _count(len(score.pages), "page") if score.pages else "",
        _count(len(facts.measures), "bar"),
        _count(notes, "note"),
        f"{doubtful} of {_count(len(symbols), 'symbol')} doubtful" if doubtful else "",
    ]
    return " · ".join(word for word in words if word)


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _data(score: Score, facts: Facts, timeline: Timeline, doubtful_below: float) -> dict[str, Any]:
    """Everything the script needs, as short as it can be said."""
    return {
        "parts": list(facts.parts),
        "measures": [[number, list(ids)] for number, ids in facts.measures],
        "notes": {name: [fact.label, fact.measure] for name, fact in facts.notes.items()},
        "places": {
            one.id: facts.places[one.id] for one in score.elements if one.id in facts.places
        },
        "sounds": [
            [round(one.on), round(one.off), round(one.until), one.midi, one.part, one.id]
            for one in timeline.sounds
        ],
        "bars": [[round(time), position] for time, position in timeline.measures],
        "tempi": [[round(time), round(tempo, 2)] for time, tempo in timeline.tempi],
        "length": round(timeline.length),
        "remarks": remarks(score, facts, doubtful_below),
    }


def _script_safe(data: dict[str, Any]) -> str:
    """JSON that cannot end the script element it stands in."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _fill(values: dict[str, str]) -> str:
    script = "".join(map(read_asset, (*SCRIPTS, "page.js")))
    digest = hashlib.sha256(f"\n{script}".encode()).digest()
    known = {
        **values,
        "style": "".join(map(read_asset, (*STYLES, "page.css"))),
        "script": script,
        "script_hash": base64.b64encode(digest).decode("ascii"),
        "toolbar": read_asset(TOOLBAR),
        "player": read_asset(PLAYER),
    }
    # One pass: what is filled in is not looked at again.
    return _SLOT.sub(lambda slot: known[slot[1]], read_asset("page.html"))
