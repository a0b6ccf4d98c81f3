"""Random MusicXML with rare symbols in plenty: nobody's music, but every sign is there."""

from __future__ import annotations

import random

QUARTER = 5040
TYPES = {
    "long": 16 * QUARTER, "breve": 8 * QUARTER, "whole": 4 * QUARTER, "half": 2 * QUARTER,
    "quarter": QUARTER, "eighth": QUARTER // 2, "16th": QUARTER // 4, "32nd": QUARTER // 8,
    "64th": QUARTER // 16,
}  # fmt: skip
WEIGHTS = {"long": 12, "breve": 5, "whole": 1, "half": 2, "quarter": 3, "eighth": 3, "16th": 2,
           "32nd": 1.3, "64th": 1}  # fmt: skip
METERS = ("2/4", "3/4", "4/4", "C", "cut", "6/8", "9/8", "12/8", "5/4", "7/8", "5/8", "3/2",
          "2/2", "4/8", "3/8", "7/4", "10/8", "6/4", "9/16", "8/8", "4/2", "15/8",
          "4/2", "8/2", "8/2")  # fmt: skip
CLEFS = (("G", 2, 0), ("F", 4, 0), ("C", 3, 0), ("C", 4, 0), ("C", 1, 0), ("G", 2, -1),
         ("G", 2, 1), ("F", 4, -1), ("percussion", 3, 0), ("C", 2, 0), ("F", 3, 0))  # fmt: skip
ACCIDENTALS = ("sharp", "flat", "natural", "double-sharp", "flat-flat")
MARKS = (
    "<articulations><accent/></articulations>",
    "<articulations><tenuto/></articulations>",
    '<articulations><strong-accent type="up"/></articulations>',
    '<articulations><strong-accent type="down"/></articulations>',
    "<articulations><staccatissimo/></articulations>",
    "<articulations><staccato/></articulations>",
    "<articulations><tenuto/><staccato/></articulations>",
    '<fermata type="upright"/>', '<fermata type="inverted"/>',
    "<ornaments><trill-mark/></ornaments>",
    '<ornaments><trill-mark/><wavy-line type="start"/><wavy-line type="stop"/></ornaments>',
    "<ornaments><turn/></ornaments>", "<ornaments><inverted-turn/></ornaments>",
    "<ornaments><mordent/></ornaments>", "<ornaments><inverted-mordent/></ornaments>",
    '<ornaments><tremolo type="single">1</tremolo></ornaments>',
    '<ornaments><tremolo type="single">2</tremolo></ornaments>',
    '<ornaments><tremolo type="single">3</tremolo></ornaments>',
    "<articulations><breath-mark/></articulations>", "<articulations><caesura/></articulations>",
    "<technical><up-bow/></technical>", "<technical><down-bow/></technical>",
    "<articulations><spiccato/></articulations>",
    "<technical><fingering>3</fingering></technical>",
    "<technical><fingering>1</fingering></technical>",
)  # fmt: skip
FERMATAS = ('<fermata type="upright"/>', '<fermata type="inverted"/>')
DYNAMICS = ("p", "pp", "ppp", "mp", "mf", "f", "ff", "fff", "sf", "sfz", "fz", "fp", "rf", "rfz",
            "sffz", "sfp", "pppp", "n")  # fmt: skip
TUPLETS = {2: (2, 3), 3: (3, 2), 4: (4, 3), 5: (5, 4), 6: (6, 4), 7: (7, 4), 8: (8, 6), 9: (9, 8)}
SPANS = ("wedge", "octave-shift", "pedal")
WORDS = ("dolce", "cresc.", "a tempo", "rit.", "Allegro", "con moto", "1.", "p", "8", "5 3 2")


class Salad:
    """One random score; ``xml`` gives its text."""

    def __init__(self, seed: int) -> None:
        self.r = random.Random(seed)
        self.parts = self.r.choice((1, 1, 2, 2, 3))
        self.measures = self.r.randint(16, 40)
        self.density = self.r.uniform(0.15, 0.6)
        self.meters = [self._meter() for _ in range(self.measures)]
        self.long_rests = [0] * (self.measures + 4)
        for first in range(4, self.measures, 4):
            if self.r.random() < 0.1:
                self.long_rests[first : first + 4] = [4] * 4
                self.meters[first : first + 4] = [None] * 4

    def xml(self) -> str:
        """The score as MusicXML 4.0 partwise."""
        names = "".join(
            f'<score-part id="P{p}"><part-name>{self.r.choice(WORDS)}</part-name></score-part>'
            for p in range(self.parts)
        )
        if self.parts > 1:
            start = '<part-group type="start" number="1"><group-symbol>brace</group-symbol>'
            names = f'{start}</part-group>{names}<part-group type="stop" number="1"/>'
        body = "".join(f'<part id="P{p}">{self._part()}</part>' for p in range(self.parts))
        return (
            '<?xml version="1.0" encoding="UTF-8"?><score-partwise version="4.0">'
            f"<part-list>{names}</part-list>{body}</score-partwise>"
        )

    def _meter(self) -> str | None:
        return self.r.choice(METERS) if self.r.random() < 0.35 else None

    def _part(self) -> str:
        self.low = self.r.choice((2, 3, 4))
        self.open: dict[str, str] = {}
        self.slur = 0
        meter = "4/4"
        out = []
        for number in range(self.measures):
            changed = self.meters[number] or (meter if number == 0 else None)
            meter = changed or meter
            ending = self.r.choice("123") if self.r.random() < 0.05 else ""
            out.append(
                f'<measure number="{number + 1}">{self._ending(ending, "left", "start")}'
                f"{self._attributes(number, changed)}"
            )
            if self.r.random() < 0.06:
                sign = self.r.choice(("segno", "coda"))
                out.append(
                    f'<direction placement="above"><direction-type><{sign}/></direction-type>'
                    "</direction>"
                )
            rests = 0 if number % 4 else self.long_rests[number]
            if rests:
                out.append(
                    f"<attributes><measure-style><multiple-rest>{rests}</multiple-rest>"
                    "</measure-style></attributes>"
                )
            if rests or self.long_rests[number]:
                length = self._length(meter)
                out.append(f'<note><rest measure="yes"/><duration>{length}</duration></note>')
            else:
                out += self._voice(self._length(meter))
            out += [self._close(span) for span in list(self.open)]
            closed = self._ending(ending, "right", "stop")
            out.append((closed or self._barline()) + "</measure>")
        return "".join(out)

    @staticmethod
    def _length(meter: str) -> int:
        above, below = {"C": (4, 4), "cut": (2, 2)}.get(meter) or map(int, meter.split("/"))
        return int(4 * QUARTER * above / below)

    def _attributes(self, number: int, meter: str | None) -> str:
        r, out = self.r, ""
        if number == 0:
            out += f"<divisions>{QUARTER}</divisions>"
        if number == 0 or r.random() < 0.12:
            out += f"<key><fifths>{r.randint(-7, 7)}</fifths></key>"
        if meter:
            symbol = {"C": ' symbol="common"', "cut": ' symbol="cut"'}.get(meter, "")
            above, below = {"C": (4, 4), "cut": (2, 2)}.get(meter) or meter.split("/")
            out += f"<time{symbol}><beats>{above}</beats><beat-type>{below}</beat-type></time>"
        if number == 0 or r.random() < 0.25:
            sign, line, octave = r.choice(CLEFS)
            change = f"<clef-octave-change>{octave}</clef-octave-change>" if octave else ""
            out += f"<clef><sign>{sign}</sign><line>{line}</line>{change}</clef>"
        return f"<attributes>{out}</attributes>" if out else ""

    @staticmethod
    def _ending(number: str, place: str, kind: str) -> str:
        if not number:
            return ""
        return f'<barline location="{place}"><ending number="{number}" type="{kind}"/></barline>'

    def _direction(self, content: str, place: str) -> str:
        return (
            f'<direction placement="{place}"><direction-type>{content}</direction-type></direction>'
        )

    def _marks_between(self) -> str:
        """Dynamics, hairpins, octave lines and pedals between notes."""
        r, out = self.r, ""
        for span in list(self.open):
            if r.random() < 0.5:
                out += self._close(span)
        if r.random() < 0.5 * self.density:
            place = r.choice(("below", "below", "above"))
            out += self._direction(f"<dynamics><{r.choice(DYNAMICS)}/></dynamics>", place)
        if r.random() < 0.3 * self.density:
            span = r.choice(SPANS)
            if span not in self.open:
                out += self._start(span)
        return out

    def _start(self, span: str) -> str:
        r = self.r
        if span == "wedge":
            self.open[span] = '<wedge type="stop"/>'
            kind = r.choice(("crescendo", "diminuendo"))
            return self._direction(f'<wedge type="{kind}"/>', "below")
        if span == "pedal":
            line = r.choice(("yes", "no", "no"))
            self.open[span] = f'<pedal type="stop" line="{line}"/>'
            return self._direction(f'<pedal type="start" line="{line}"/>', "below")
        size, way = r.choice((8, 8, 15)), r.choice(("up", "down"))
        self.open[span] = f'<octave-shift type="stop" size="{size}"/>'
        return self._direction(
            f'<octave-shift type="{way}" size="{size}"/>', "above" if way == "down" else "below"
        )

    def _close(self, span: str) -> str:
        above = span == "octave-shift"
        return self._direction(self.open.pop(span), "above" if above else "below")

    def _barline(self) -> str:
        if self.r.random() > 0.12:
            return ""
        return (
            '<barline location="right"><bar-style>light-heavy</bar-style>'
            '<repeat direction="backward"/></barline>'
        )

    def _voice(self, left: int) -> list[str]:
        out = []
        while left > 0:
            fitting = [t for t, d in TYPES.items() if d <= left]
            if not fitting:
                break
            name = self.r.choices(fitting, [WEIGHTS[t] for t in fitting])[0]
            length = TYPES[name]
            many = self.r.choice(tuple(TUPLETS))
            actual, normal = TUPLETS[many]
            if (
                name in ("quarter", "eighth", "16th")
                and self.r.random() < 0.2
                and (normal * length <= left)
            ):
                for i in range(actual):
                    edge = "start" if i == 0 else "stop" if i == actual - 1 else ""
                    out.append(self._event(name, length * normal // actual, (actual, normal), edge))
                left -= normal * length
                continue
            dots = 0
            if length * 3 // 2 <= left and self.r.random() < 0.2 and name != "64th":
                dots, length = 1, length * 3 // 2
            out.append(self._event(name, length, dots=dots))
            left -= length
        return out

    def _event(
        self, name: str, length: int, ratio: tuple[int, int] | None = None, edge: str = "",
        dots: int = 0,
    ) -> str:  # fmt: skip
        r = self.r
        timing = f"<duration>{length}</duration><voice>1</voice><type>{name}</type>"
        timing += "<dot/>" * dots
        modification = ""
        if ratio:
            modification = (
                f"<time-modification><actual-notes>{ratio[0]}</actual-notes>"
                f"<normal-notes>{ratio[1]}</normal-notes></time-modification>"
            )
        marks = f'<tuplet type="{edge}" number="1"/>' if edge else ""
        if r.random() < 0.3:
            if r.random() < self.density:
                marks += r.choice(FERMATAS)
            return (
                f"<note><rest/>{timing}{modification}"
                f"{f'<notations>{marks}</notations>' if marks else ''}</note>"
            )
        if r.random() < self.density:
            marks += r.choice(MARKS)
        if self.slur:
            self.slur -= 1
            marks += '<slur type="stop" number="1"/>' * (self.slur == 0)
        elif r.random() < 0.12:
            self.slur = r.randint(1, 5)
            marks += '<slur type="start" number="1"/>'
        grace = self._grace() if r.random() < 0.12 else ""
        head = "<notehead>x</notehead>" if r.random() < 0.07 else ""
        out = self._marks_between() + grace
        steps = sorted(r.sample(range(18), r.choice((1, 1, 1, 2, 3))))
        rolled = "<arpeggiate/>" if len(steps) > 1 and r.random() < 0.35 else ""
        for i, step in enumerate(steps):
            sign = f"<accidental>{r.choice(ACCIDENTALS)}</accidental>" if r.random() < 0.3 else ""
            noted = (marks if i == 0 else "") + rolled
            notations = f"<notations>{noted}</notations>" if noted else ""
            body = "<chord/>" * (i > 0) + self._pitch(step) + timing
            out += f"<note>{body}{sign}{modification}{head}{notations}</note>"
        return out

    def _pitch(self, step: int) -> str:
        letter, octave = "CDEFGAB"[step % 7], self.low + step // 7
        return f"<pitch><step>{letter}</step><octave>{octave}</octave></pitch>"

    def _grace(self) -> str:
        slash = self.r.choice(("", ' slash="yes"'))
        name = self.r.choice(("eighth", "eighth", "16th", "quarter", "half", "32nd"))
        return (
            f"<note><grace{slash}/>{self._pitch(self.r.randrange(16))}<voice>1</voice>"
            f"<type>{name}</type></note>"
        ) * self.r.choice((1, 1, 2))
