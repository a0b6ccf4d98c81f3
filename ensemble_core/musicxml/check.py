"""The quick look the pipeline takes at every score a recognizer gives."""

from __future__ import annotations

from collections.abc import Iterator

from ensemble_core.model import ContractError, InputError

from .reading import Element, parse

_HEADER = {
    "work", "movement-number", "movement-title", "identification", "defaults", "credit",
    "part-list",
}  # fmt: skip
_MEASURE = {
    "note", "backup", "forward", "direction", "attributes", "harmony", "figured-bass", "print",
    "sound", "listening", "barline", "grouping", "link", "bookmark",
}  # fmt: skip


def check_wellformed_score(data: bytes, what: str = "the score") -> int:
    """Refuse what no exporter could work with; costs about as much as parsing it.

    It looks at structure alone (parts, measures, ids, numbers that are numbers);
    :func:`~ensemble_core.musicxml.validate` asks the whole schema.

    Returns:
        How many measures each part has.

    Raises:
        ContractError: Not MusicXML partwise, or its parts do not fit together.
    """
    if not isinstance(data, bytes):
        raise ContractError(f"{what} is {type(data).__name__}, not bytes")
    try:
        root = parse(data, what)
    except InputError as error:
        raise ContractError(error.message) from error
    for problem in _problems(root):
        raise ContractError(f"{what} is no usable MusicXML: {problem}")
    return len(root.find("part").findall("measure"))


def count_measures(data: bytes, what: str = "score") -> int:
    """How many measures the longest part has; 0 when there is no part.

    Raises:
        InputError: Not readable XML.
    """
    root = parse(data, what)
    return max((len(part.findall("measure")) for part in root.iterfind("part")), default=0)


def _problems(root: Element) -> Iterator[str]:
    if root.tag != "score-partwise":
        yield f"its root element is <{root.tag}>, not <score-partwise>"
        return
    listed = [part.get("id") for part in root.iterfind("part-list/score-part")]
    parts = [part.get("id") for part in root.iterfind("part")]
    if not listed:
        yield "its part list is missing or empty"
    if listed != parts:
        yield f"its part list names {listed}, its parts are {parts}"
    for child in root:
        if child.tag not in _HEADER and child.tag != "part":
            yield f"<{child.tag}> does not belong into a score"
    lengths = {len(part.findall("measure")) for part in root.iterfind("part")}
    if len(lengths) > 1:
        yield f"its parts have different numbers of measures: {sorted(lengths)}"
    if 0 in lengths:
        yield "it has a part without measures"
    yield from _ids(root)
    for part in root.iterfind("part"):
        for measure in part:
            if measure.tag != "measure":
                yield f"<{measure.tag}> does not belong into a part"
            yield from _measure(measure)


def _ids(root: Element) -> Iterator[str]:
    # Only definitions: instrument, player and MIDI elements use the same attribute to refer.
    seen: set[str] = set()
    # Those of instruments are given twice by real programs, and nothing hangs on them.
    references = {
        "part", "score-instrument", "instrument", "midi-device", "midi-instrument", "play",
        "instrument-change",
    }  # fmt: skip
    for element in root.iter():
        name = element.get("id")
        if name is None or element.tag in references:
            continue
        if name in seen:
            yield f"the id {name!r} is given twice"
        seen.add(name)


def _measure(measure: Element) -> Iterator[str]:
    where = f"measure {measure.get('number', '?')}"
    if measure.get("number") is None:
        yield "a measure has no number"
    for child in measure:
        if child.tag not in _MEASURE:
            yield f"{where}: <{child.tag}> does not belong there"
        elif child.tag == "note":
            yield from _note(child, where)
        elif child.tag in ("backup", "forward") and not _positive(child.findtext("duration")):
            yield f"{where}: <{child.tag}> without a positive duration"
        elif child.tag == "attributes":
            divisions = child.findtext("divisions")
            if divisions is not None and not _positive(divisions):
                yield f"{where}: divisions are {divisions!r}"


def _note(note: Element, where: str) -> Iterator[str]:
    tags = [child.tag for child in note]
    if sum(tag in ("pitch", "rest", "unpitched") for tag in tags) != 1:
        yield f"{where}: a note that is neither pitch nor rest"
    if "pitch" in tags:
        step, octave = note.findtext("pitch/step"), note.findtext("pitch/octave")
        if (step or "").strip() not in set("ABCDEFG"):
            yield f"{where}: a pitch with step {step!r}"
        if (octave or "").strip() not in set("0123456789"):
            yield f"{where}: a pitch with octave {octave!r}"
    if "grace" not in tags and not _positive(note.findtext("duration")):
        yield f"{where}: a note without a positive duration"


def _positive(text: str | None) -> bool:
    try:
        value = float(text or "")
    except ValueError:
        return False
    return 0 < value < float("inf")
