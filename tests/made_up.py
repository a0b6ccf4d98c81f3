"""Made-up plugins as source code, and the smallest score."""

from __future__ import annotations

READER = """
from ensemble_core.hooks import hookimpl
from ensemble_core.model import RecognizerSpec, Score

SCORE = b'''{score}'''

class Reader:
    def recognize(self, page, ctx):
        return Score(SCORE)

@hookimpl
def ensemble_recognizers():
    return [RecognizerSpec(name="{name}", target=__name__ + ":Reader", api={api})]
"""

BARS = b"""<?xml version="1.0" encoding="UTF-8"?>
<score-partwise version="4.0"><part-list><score-part id="P1"><part-name>Flute</part-name>\
</score-part></part-list><part id="P1"><measure number="1"><attributes><divisions>1</divisions>\
<key><fifths>0</fifths></key><time><beats>4</beats><beat-type>4</beat-type></time>\
<clef><sign>G</sign><line>2</line></clef></attributes>\
<note id="n1"><pitch><step>C</step><octave>5</octave></pitch><duration>4</duration>\
<voice>1</voice><type>whole</type></note></measure></part></score-partwise>"""


def reader_code(name: str, api: int = 1) -> str:
    """A working recognizer plugin as source code."""
    return READER.format(score=BARS.decode(), name=name, api=api)
