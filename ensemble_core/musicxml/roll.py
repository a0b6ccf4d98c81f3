"""The score that grows while pages are joined: its parts, its bars, its head."""

from __future__ import annotations

import copy
from fractions import Fraction
from itertools import count

import attrs

from .bars import Bar, number_measures, read_bars, set_page_break, silence
from .borders import Edges, edges, settle
from .carry import Carry, put_attribute
from .ids import adopt_instruments, name_instruments
from .parts import PartLook, folded_names, match, may_be
from .reading import PROLOG, Element
from .regroup import put_together, segments, take_apart
from .stamp import FIELD_PREFIX, child_of, set_field
from .timing import number


@attrs.define
class Part:
    """One part of the score.

    Attributes:
        listed: Its ``score-part``.
        carry: What is in force in it.
        rows: Its measures so far, as bytes.
        waiting: The measures of the last page, not yet bytes: the next page may still
            add the other half of a tie to them.
        edges: What hangs out of them.
    """

    listed: Element
    carry: Carry = attrs.field(factory=Carry)
    rows: list[bytes] = attrs.field(factory=list)
    waiting: list[Element] = attrs.field(factory=list)
    edges: Edges = attrs.field(factory=Edges)

    def look(self) -> PartLook:
        """What it is recognised by on the next page."""
        return PartLook(self.carry.staves, folded_names(self.listed), self.carry.clefs())

    def put(self, measures: list[Element], divisions: Fraction, *, broken: bool) -> None:
        """Add a page's measures; ``divisions`` are those in force before them."""
        after = edges(measures, divisions)
        if broken:
            settle(self.edges, Edges())
            settle(Edges(), after)
        else:
            settle(self.edges, after)
        self.flush()
        self.waiting, self.edges = measures, after

    def flush(self) -> None:
        """Turn the last page's measures into bytes."""
        from lxml import etree

        self.rows += [etree.tostring(m, encoding="utf-8", with_tail=False) for m in self.waiting]
        self.waiting = []


class Roll:
    """Pages go in, one document comes out."""

    def __init__(self) -> None:
        self._head: Element = None
        self._parts: list[Part] = []
        self._bars: list[Bar] = []

    @property
    def bars(self) -> int:
        """How many bars there are so far."""
        return len(self._bars)

    @property
    def labels(self) -> list[str]:
        """The numbers of the bars."""
        return [bar.label for bar in self._bars]

    def add(self, root: Element, page: int, *, broken: bool) -> None:
        """Put a page at the end.

        Args:
            root: Its partwise score; taken apart.
            page: 0-based page of the document.
            broken: The page before it is missing, so that nothing can go on from there.
        """
        first = self._head is None
        trees = {part.get("id", ""): part for part in root.findall("part")}
        listed = root.findall("part-list/score-part")
        seen = [(score_part, trees[score_part.get("id", "")]) for score_part in listed]
        for tree in trees.values():
            root.remove(tree)
        if first:
            self._head = root
            self._parts = [Part(score_part) for score_part in listed]
            owners = list(self._parts)
        else:
            self._take_credits(root, page)
            seen = self._as_ours(seen)
            owners = self._recognise(seen)
        given = {
            self._parts.index(owner): tree.findall("measure")
            for owner, (_, tree) in zip(owners, seen, strict=True)
        }
        self._add_measures(given, first=first, broken=broken)

    def finish(self, missing: list[str]) -> bytes:
        """The document as bytes.

        Args:
            missing: What is said of pages that are missing; written into it.
        """
        from lxml import etree

        for place, text in enumerate(missing):
            identification = child_of(
                self._head, "identification", ("work", "movement-number", "movement-title")
            )
            fields = child_of(identification, "miscellaneous", None)
            set_field(fields, f"{FIELD_PREFIX}missing-{place + 1}", text)
        text = etree.tostring(self._head, encoding="utf-8", with_tail=False)
        opened, _, closed = text.rpartition(b"</score-partwise>")
        pieces = [PROLOG, opened]
        for part in self._parts:
            part.put([], Fraction(1), broken=True)
            pieces += [b'<part id="', part.listed.get("id").encode(), b'">\n']
            pieces += [b"\n".join(part.rows), b"\n</part>\n"]
        return b"".join([*pieces, b"</score-partwise>", closed, b"\n"])

    def _add_measures(self, given: dict[int, list[Element]], *, first: bool, broken: bool) -> None:
        before = [part.carry.divisions or Fraction(1) for part in self._parts]
        for place, measures in given.items():
            carry = self._parts[place].carry
            if not first and measures:
                carry.enter(measures)
            carry.follow(measures)
        numbered = sum(1 for bar in self._bars if not bar.implicit)
        bars = read_bars(
            [(given[place], before[place]) for place in sorted(given)], numbered, first=first
        )
        for place, part in enumerate(self._parts):
            measures = given.get(place, [])
            quiet = silence(part.carry, bars[len(measures) :])
            part.carry.follow(quiet)
            measures = measures + quiet
            number_measures(measures, bars)
            if not first and measures:
                # A part that says where its systems begin says where its pages do.
                breaks = place == 0 or any(m.find("print") is not None for m in measures)
                set_page_break(measures[0], needed=breaks)
            part.put(measures, before[place], broken=broken)
        self._bars.extend(bars)

    def _as_ours(self, seen: list[tuple[Element, Element]]) -> list[tuple[Element, Element]]:
        """A page's parts, its staves grouped as the score groups them if they are as many."""
        ours = [part.carry.staves for part in self._parts]
        looks = [_look(score_part, tree) for score_part, tree in seen]
        theirs = [look.staves for look in looks]
        found = segments(ours, theirs)
        if found is None:
            return seen
        grouped: list[tuple[Element, Element]] = []
        for mine, other in found:
            known = [part.look() for part in self._parts[mine]]
            if ours[mine] == theirs[other] or not may_be(known, looks[other]):
                grouped += seen[other]
                continue
            staves = [
                staff
                for (_, tree), count in zip(seen[other], theirs[other], strict=True)
                for staff in take_apart(tree.findall("measure"), count)
            ]
            for part in self._parts[mine]:
                own, staves = staves[: part.carry.staves], staves[part.carry.staves :]
                tree = copy.copy(seen[other][0][1])
                tree[:] = put_together(own) if len(own) > 1 else own[0]
                listed = copy.deepcopy(part.listed)
                grouped.append((listed, tree))
        return grouped

    def _recognise(self, seen: list[tuple[Element, Element]]) -> list[Part]:
        """The score's part for each of a page's parts; new ones are put in."""
        looks = [_look(score_part, tree) for score_part, tree in seen]
        matched = match([part.look() for part in self._parts], looks)
        known = [None if place is None else self._parts[place] for place in matched]
        owners: list[Part] = []
        for (score_part, tree), look, part in zip(seen, looks, known, strict=True):
            if part is None:
                above = owners[-1] if owners else None
                owners.append(self._insert(above, score_part, tree, look))
            else:
                owners.append(part)
                _learn_name(part.listed, score_part)
                adopt_instruments(part.listed, score_part, tree)
        return owners

    def _insert(
        self, above: Part | None, score_part: Element, tree: Element, look: PartLook
    ) -> Part:
        """A part that was not there before: rests for all bars so far."""
        used = {part.listed.get("id") for part in self._parts}
        score_part.set("id", next(f"P{n}" for n in count(1) if f"P{n}" not in used))
        name_instruments(score_part, tree)
        new = Part(score_part)
        new.carry.staves = look.staves
        quiet = silence(new.carry, self._bars)
        if quiet:
            _open(quiet[0], tree, look.staves)
            new.carry.follow(quiet)
            new.put(quiet, Fraction(1), broken=True)
        if above is None:
            self._head.find("part-list").insert(0, score_part)
            self._parts.insert(0, new)
        else:
            above.listed.addnext(score_part)
            self._parts.insert(self._parts.index(above) + 1, new)
        return new

    def _take_credits(self, root: Element, page: int) -> None:
        """Keep what else is written on a page, under that page's number."""
        for credit in root.findall("credit"):
            credit.set("page", str(page + 1))
            self._head.find("part-list").addprevious(credit)


def _look(score_part: Element, tree: Element) -> PartLook:
    measure = tree.find("measure")
    carry = Carry()
    if measure is not None:
        carry.follow([measure])
    named = [int(number(staff.text)) for staff in tree.iterfind("measure/note/staff")]
    carry.staves = max([carry.staves, *named])
    return PartLook(carry.staves, folded_names(score_part), carry.clefs())


def _learn_name(known: Element, seen: Element) -> None:
    """Take over a name when the part had none that says anything."""
    if folded_names(seen) and not folded_names(known):
        for tag in ("part-name", "part-abbreviation"):
            ours, theirs = known.find(tag), seen.find(tag)
            if ours is not None and theirs is not None:
                ours.text = theirs.text


def _open(measure: Element, tree: Element, staves: int) -> None:
    """Begin a silent part with the staves and clefs it will have."""
    if staves > 1:
        put_attribute(measure, "staves").text = str(staves)
    for attributes in tree.iterfind("measure[1]/attributes"):
        for clef in attributes.findall("clef"):
            new = put_attribute(measure, "clef")
            new.getparent().replace(new, copy.deepcopy(clef))
