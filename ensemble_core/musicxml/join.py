"""Several pages' scores become one.

Parts are matched by staff count and order, bars renumbered, clef, key and time carried
over the page border, breaks kept; a page that is missing is said to be missing, with the
bars it would stand between. At most two pages are held as trees at a time, so a book of
500 pages takes about as much memory as the document it becomes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

import attrs

from ensemble_core.model import Diagnostic, Element, PageOfScore, RecognitionError, Score

from .convert import to_partwise
from .ids import rekey
from .reading import Element as XmlElement
from .reading import parse
from .roll import Roll

MISSING_CODE = "page-missing"


@attrs.frozen
class MissingPage:
    """A page that could not be read.

    Attributes:
        page: 0-based page of the document.
        reason: One line on why; may be empty.
    """

    page: int
    reason: str = ""


def join(scores: Sequence[Score | MissingPage]) -> Score:
    """One score of several, in the order given.

    The pages keep their own numbers (``PageOfScore.page``) where those grow from score to
    score; otherwise, as when several pictures of one page each are joined, they are
    numbered anew. A single score is given back as it is, unless pages are missing.

    What a page states again at its top (clef, key, time, staves) is dropped when it is in
    force already; so is a time signature marked ``print-object="no"``, by which a reader
    says that it assumed one. Ids get the prefix ``pN-`` (N: 1-based page), and
    ``Score.elements`` follow.

    Raises:
        RecognitionError: All pages are missing, or there are none.
        InputError: A score is no readable MusicXML.
    """
    if len(scores) == 1 and isinstance(scores[0], Score):
        return scores[0]
    if not any(isinstance(score, Score) for score in scores):
        raise RecognitionError("none of the pages could be read")
    joiner = _Joiner()
    for score in _numbered(scores):
        if isinstance(score, MissingPage):
            joiner.skip(score)
        else:
            joiner.add(score)
    return joiner.finish()


def missing_pages(score: Score) -> tuple[str, ...]:
    """One line for each page that is missing and where it belongs, for the report."""
    return tuple(d.message for d in score.diagnostics if d.code == MISSING_CODE)


def _numbered(scores: Sequence[Score | MissingPage]) -> Iterable[Score | MissingPage]:
    """The scores with page numbers that grow."""
    own = [_own_pages(score) for score in scores]
    flat = [page for pages in own for page in pages]
    if all(own) and all(a < b for a, b in pairwise(flat)):
        return scores
    numbered: list[Score | MissingPage] = []
    count = 0
    for score, said in zip(scores, own, strict=True):
        pages = said or [0]
        new = {old: count + place for place, old in enumerate(pages)}
        numbered.append(_renumber(score, new, count))
        count += len(pages)
    return numbered


def _own_pages(score: Score | MissingPage) -> list[int]:
    if isinstance(score, MissingPage):
        return [score.page]
    return [page.page for page in score.pages]


def _renumber(score: Score | MissingPage, new: dict[int, int], first: int) -> Score | MissingPage:
    if isinstance(score, MissingPage):
        return attrs.evolve(score, page=first)
    pages = score.pages or (PageOfScore(0, 0, -1),)
    return attrs.evolve(
        score,
        pages=tuple(attrs.evolve(p, page=new.get(p.page, first)) for p in pages),
        elements=tuple(attrs.evolve(e, page=new.get(e.page, first)) for e in score.elements),
        diagnostics=tuple(
            d if d.page is None else attrs.evolve(d, page=new.get(d.page, first))
            for d in score.diagnostics
        ),
    )


class _Joiner:
    """Takes pages one by one; see :func:`join`."""

    def __init__(self) -> None:
        self._roll = Roll()
        self._title = ""
        self._pages: list[PageOfScore] = []
        self._elements: list[Element] = []
        self._diagnostics: list[Diagnostic] = []
        self._missing: list[tuple[MissingPage, int]] = []
        self._broken = False

    def skip(self, missing: MissingPage) -> None:
        """Leave a page out and remember where it belongs."""
        self._missing.append((missing, self._roll.bars))
        self._broken = True

    def add(self, score: Score) -> None:
        """Put a page's score at the end."""
        root = to_partwise(parse(score.musicxml, "score"))
        first = score.pages[0].page if score.pages else 0
        ids = rekey(root, f"p{first + 1}-")
        start, count = self._roll.bars, _measures(root)
        if start == 0:
            self._title = score.title
        self._roll.add(root, first, broken=self._broken)
        self._broken = False
        pages = score.pages or (PageOfScore(first, 0, count),)
        for page in pages:
            held = count if page.measures < 0 else page.measures
            self._pages.append(
                attrs.evolve(page, first_measure=page.first_measure + start, measures=held)
            )
        self._elements.extend(attrs.evolve(e, id=ids.get(e.id, e.id)) for e in score.elements)
        self._diagnostics.extend(score.diagnostics)

    def finish(self) -> Score:
        """The whole."""
        found = [self._said(page, place) for page, place in self._missing]
        musicxml = self._roll.finish([diagnostic.message for diagnostic in found])
        return Score(
            musicxml=musicxml,
            title=self._title,
            pages=tuple(self._pages),
            elements=tuple(self._elements),
            diagnostics=(*found, *self._diagnostics),
        )

    def _said(self, missing: MissingPage, place: int) -> Diagnostic:
        labels = self._roll.labels
        if place == 0:
            where = f"before bar {labels[0]}"
        elif place == len(labels):
            where = f"after bar {labels[-1]}"
        else:
            where = f"between bars {labels[place - 1]} and {labels[place]}"
        return Diagnostic(
            "warning",
            MISSING_CODE,
            f"page {missing.page + 1} is missing: {where}",
            hint=missing.reason,
            page=missing.page,
        )


def _measures(root: XmlElement) -> int:
    return max((len(part.findall("measure")) for part in root.iterfind("part")), default=0)
