"""What is in force in a part from bar to bar: divisions, staves, clefs, key, time."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from .reading import Element
from .timing import bar_length, number

_LINES = {"G": "2", "F": "4", "C": "3"}
# Children of <attributes> that stay in force and may be restated at the top of a page.
_PER_STAFF = ("key", "time", "clef", "transpose", "staff-details")
_ONCE = ("staves", "part-symbol", "instruments")
_ORDER = ("footnote", "level", "divisions", "key", "time", "staves", "part-symbol",
          "instruments", "clef", "staff-details", "transpose", "for-part", "directive",
          "measure-style")  # fmt: skip


class Carry:
    """Follows one part through its pages.

    Attributes:
        divisions: Of a quarter note, as last stated.
        staves: How many staves the part has.
    """

    def __init__(self) -> None:
        self.divisions = Fraction(0)
        self.staves = 1
        self._held: dict[tuple[str, str], str] = {}
        self._bar = Fraction(0)
        self._assumed = False  # nobody printed the time signature in force

    def clefs(self) -> tuple[str, ...]:
        """The clef in force on each staff; empty texts where none was stated."""
        return tuple(self._held.get(("clef", str(n)), "") for n in range(1, self.staves + 1))

    def held(self, tag: str) -> str:
        """What is in force on the first staff (``key``, ``time``), as comparable text."""
        return self._held.get((tag, "1"), "")

    @property
    def bar(self) -> Fraction:
        """Nominal length of a bar in quarter notes; 0 when no time signature was stated."""
        return self._bar

    def enter(self, measures: list[Element]) -> None:
        """Take out of a page's first measure what is in force already; state its divisions.

        Args:
            measures: The page's measures; there is one at least.
        """
        measure = measures[0]
        stated = False
        for attributes in leading(measure):
            for time in attributes.findall("time"):
                if self._gives_way(time):
                    refill(measures, bar_length(time), self._bar)
            for child in list(attributes):
                if child.tag == "divisions":
                    stated = True
                    if number(child.text) == self.divisions:
                        attributes.remove(child)
                elif self._redundant(child):
                    attributes.remove(child)
                else:
                    self._hold(child)
            if len(attributes) == 0:
                measure.remove(attributes)
        if not stated and self.divisions not in (0, 1):
            # A page that says nothing counts in quarters; the page before may not have.
            put_attribute(measure, "divisions").text = "1"

    def follow(self, measures: list[Element]) -> None:
        """Note all that the measures state."""
        for measure in measures:
            for attributes in measure.iterfind("attributes"):
                for child in attributes:
                    self._hold(child)

    def _hold(self, child: Element) -> None:
        if child.tag == "divisions":
            self.divisions = number(child.text) or self.divisions
        elif child.tag == "staves":
            self.staves = max(1, int(number(child.text)))
            for tag in set(_PER_STAFF) - {"clef"}:  # stated for all staves, before their number
                for staff in range(2, self.staves + 1):
                    if (tag, "1") in self._held:
                        self._held.setdefault((tag, str(staff)), self._held[tag, "1"])
        for key in self._keys(child):
            self._held[key] = meaning(child)
        if child.tag == "time":
            self._bar = bar_length(child) or self._bar
            self._assumed = child.get("print-object") == "no"

    def _redundant(self, child: Element) -> bool:
        if child.tag == "staves":
            return max(1, int(number(child.text))) == self.staves
        keys = list(self._keys(child))
        if not keys:
            return False
        held = [self._held.get(key) for key in keys]
        if child.tag == "time" and self._gives_way(child):
            return True
        return all(text == meaning(child) for text in held)

    def _gives_way(self, time: Element) -> bool:
        """The reader had to assume a time signature for its page, and a printed one is in force."""
        known = all(key in self._held for key in self._keys(time))
        return known and not self._assumed and time.get("print-object") == "no"

    def _keys(self, child: Element) -> Iterator[tuple[str, str]]:
        if child.tag in _ONCE:
            yield child.tag, ""
        elif child.tag == "clef":
            yield "clef", child.get("number", "1")
        elif child.tag in _PER_STAFF:
            staff = child.get("number")
            staves = [staff] if staff else [str(n) for n in range(1, self.staves + 1)]
            for name in staves:
                yield child.tag, name


def refill(measures: list[Element], assumed: Fraction, actual: Fraction) -> None:
    """Let whole-bar rests that were written for one length of bar have another.

    Args:
        measures: Of one part, up to the next time signature.
        assumed, actual: Length of a bar in quarter notes.
    """
    if not assumed or not actual or assumed == actual:
        return
    divisions = Fraction(1)
    for place, measure in enumerate(measures):
        if place and measure.find("attributes/time") is not None:
            return
        after_rest = False
        for child in measure:
            divisions = number(child.findtext("divisions")) or divisions
            duration = child.find("duration")
            rest = child.find("rest")
            whole = rest is not None and rest.get("measure") == "yes"
            back = child.tag == "backup" and after_rest
            if duration is not None and (whole or back):
                length = actual * divisions
                if number(duration.text) == assumed * divisions and length.denominator == 1:
                    duration.text = str(length)
            after_rest = whole


def leading(measure: Element) -> list[Element]:
    """The ``attributes`` of a measure that stand before anything sounds."""
    found = []
    for child in measure:
        if child.tag in ("note", "backup", "forward"):
            break
        if child.tag == "attributes":
            found.append(child)
    return found


def put_attribute(measure: Element, tag: str) -> Element:
    """A new child of the measure's first ``attributes``, at the place the schema wants it."""
    from lxml import etree

    there = leading(measure)
    if there:
        attributes = there[0]
    else:
        attributes = etree.Element("attributes")
        measure.insert(sum(1 for child in measure if child.tag == "print"), attributes)
    before = _ORDER[: _ORDER.index(tag) + 1]
    child = etree.Element(tag)
    attributes.insert(sum(1 for other in attributes if other.tag in before), child)
    return child


def meaning(child: Element) -> str:
    """What an attribute says, without how it is laid out; equal texts mean the same."""
    if child.tag == "clef":
        sign = (child.findtext("sign") or "").strip()
        line = (child.findtext("line") or "").strip() or _LINES.get(sign, "")
        return f"{sign}{line}/{(child.findtext('clef-octave-change') or '0').strip()}"
    if child.tag == "key" and child.find("fifths") is not None:
        return (child.findtext("fifths") or "").strip()
    words = [f"{e.tag}={(e.text or '').strip()}" for e in child.iter() if e.tag != "cancel"]
    if child.tag == "time":
        words.append(child.get("symbol", ""))
    return "|".join(words)
