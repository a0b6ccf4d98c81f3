"""What lines of text on pages of music say: from the training scores, and by chance."""

from __future__ import annotations

import html
import json
import random
import re
import unicodedata
from collections import Counter
from pathlib import Path

from ensemble_sightread.letters import ALPHABET, canonical
from make_pages import musicxml, works

TAGS = re.compile(
    r"<(lyric|words|rehearsal|work-title|movement-title|creator|part-name|credit-words)\b"
    r"([^>]*)>(.*?)</\1>", re.S,
)  # fmt: skip
SAID = re.compile(r"<text[^>]*>([^<]*)<")
COMMON = "".join(char for char in ALPHABET if char not in "ťď")
"""What is drawn by chance: without letters whose caron looks like an apostrophe behind them."""
ACCENTED: dict[str, str] = {}
for _char in COMMON:
    ACCENTED.setdefault(unicodedata.normalize("NFD", _char)[0], "")
    if len(unicodedata.normalize("NFD", _char)) == 2:
        ACCENTED[unicodedata.normalize("NFD", _char)[0]] += _char


def collect(scores: Path, store: Path) -> dict[str, list[str]]:
    """Lyric verses, directions and titles of the works for training; kept in ``store``."""
    if store.exists():
        kept: dict[str, list[str]] = json.loads(store.read_text())
        return kept
    verses: list[str] = []
    words: Counter[str] = Counter()
    titles: set[str] = set()
    for work in sorted(set(works(scores, evaluation=False))):
        by_number: dict[str, list[str]] = {}
        for tag, attributes, body in TAGS.findall(musicxml(work)):
            if tag != "lyric":
                words.update([body] if tag in ("words", "rehearsal") else ())
                titles.update((body,) if tag not in ("words", "rehearsal") else ())
                continue
            going = "<syllabic>begin<" in body or "<syllabic>middle<" in body
            said = clean(" ".join(SAID.findall(body)))
            number = attributes.partition('number="')[2][:2]
            by_number.setdefault(number, []).append(said + ("\t" if going else " "))
        verses += ["".join(parts) for parts in by_number.values()]
    texts = {
        "verses": [v for v in verses if len(v) > 8],
        "words": [clean(w) for w in sorted(words) for _ in range(min(words[w], 40))],
        "titles": [line for t in sorted(titles) for line in clean(t).split("\n") if line],
    }
    store.write_text(json.dumps(texts))
    return texts


def clean(said: str) -> str:
    """Without entities, and with the characters that are learnt alone."""
    return "".join(c for c in canonical(html.unescape(said)) if c in ALPHABET or c in " \n")


class Sayings:
    """Draws what a line says; a tab stands for a wide gap with or without a hyphen."""

    def __init__(self, texts: dict[str, list[str]], r: random.Random) -> None:
        self.texts, self.r = texts, r
        self.lengths = [len(v) for v in texts["verses"]]

    def draw(self) -> str:
        """One line of 1 to about 40 characters."""
        r = self.r
        kind = r.choices(("verse", "words", "titles", "chance", "number"), (50, 22, 12, 8, 8))[0]
        if kind == "verse":
            said = self._verse()
        elif kind == "number":
            said = self._number()
        elif kind == "chance":
            letters = r.choices(COMMON, k=r.randint(1, 12))
            said = "".join(letters).strip() or "a"
        else:
            said = r.choice(self.texts[kind])
        throw = r.random()
        if throw < 0.06:
            said = said.upper().replace("SS", "ß") if r.random() < 0.1 else said.upper()
        elif throw < 0.16:
            said = "".join(
                r.choice(ACCENTED[c]) if ACCENTED.get(c) and r.random() < 0.3 else c for c in said
            )
        if len(said) > 40:
            start = r.randrange(len(said) - 20)
            said = said[start : start + r.randint(8, 40)]
        return "".join(c for c in said if c in ALPHABET or c == "\t").strip() or "1."

    def _verse(self) -> str:
        r = self.r
        verse = r.choices(self.texts["verses"], self.lengths)[0]
        start = r.randrange(max(1, len(verse) - 10))
        said = verse[start : start + r.randint(3, 40)]
        joint = r.choice(("", "", "-", "\t-\t", "\t-\t", "\t"))
        said = said.strip().replace("\t", joint)
        if r.random() < 0.12:
            said = f"{r.randint(1, 9)}. {said}"
        if r.random() < 0.06:
            said += r.choice(("_", "\t_", "\t-"))
        return said

    def _number(self) -> str:
        r = self.r
        return r.choice((
            f"{r.randint(1, 9)}", f"{r.randint(1, 9)}.", f"{r.randint(1, 240)}",
            f"({r.randint(1, 60)})", f"Op. {r.randint(1, 140)}, No. {r.randint(1, 12)}",
            f"{r.choice('♩♩♪𝅗')}{r.choice(('', '.'))} = {r.randint(30, 220)}",
            f"({r.choice('♩♩♪𝅗')} = {r.randint(30, 220)})", r.choice("ABCDEFGHIJKLM"),
            f"({r.randint(1650, 1950)}–{r.randint(1650, 1990)})", f"{r.randint(1, 20)})",
            f"{r.randint(1, 4)}{r.choice((',', '-', ' '))}{r.randint(1, 5)}", "1. 2.",
            "D.C. al Fine",
        ))  # fmt: skip
