"""The words that scores use to say how to play, and what they tell about where they stand."""

from __future__ import annotations

import re
from collections.abc import Set
from functools import lru_cache


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


TEMPO = _words(
    """adagio adagietto allegretto allegro andante andantino animato grave grazioso larghetto
    largo lento maestoso moderato mosso prestissimo presto vivace vivo vivacissimo tempo
    tranquillo minuetto menuetto menuet marcia scherzo trio rondo finale allegramente
    bewegt breit feierlich frisch gemächlich geschwind gehend innig kräftig langsam lebhaft
    leidenschaftlich mäßig mässig munter rasch ruhig schnell zeitmaß
    allant animé lent lentement modéré modérément rapide tranquille vif vite vivement
    brisk fast lively moderate moderately quick slow slowly"""
)
"""Words of a tempo mark, which stands above the top staff."""

ABOVE = _words(
    """arco pizz pizzicato solo soli tutti sord sordino sordini div divisi unis unisono ponticello
    sul fine coda segno rit ritard ritardando riten ritenuto rall rallentando rallent accel
    accelerando stringendo allarg allargando libitum lib ten tenuto rubato volta"""
)
"""Words of playing technique and of changes in tempo, mostly above their staff."""

BELOW = _words(
    """cresc crescendo dim dimin diminuendo decresc decrescendo dolce dolcissimo dol espress espr
    espressivo legato marc marcato leggiero simili leggero sotto morendo perdendosi perdendo smorz
    smorzando calando sostenuto sost sim simile cantabile cantando stacc staccato pesante ped
    pedale corda corde mezza parte colla semplice teneramente marcatissimo legatissimo
    agitato appassionato scherzando energico brillante risoluto delicato forte piano
    ausdrucksvoll zart"""
)
"""Words of expression, mostly below their staff."""

FILLING = _words(
    """a al alla assai ben che col colla con da di e et ed fuoco brio il in la l ma meno meglio
    moto molto non un una più piu poco possibile quasi sempre senza subito tanto troppo voce
    nicht sehr etwas und mit zu ziemlich im doch très peu plus moins assez sans"""
)
"""Words that stand among those, and in songs as well."""


OTHER = _words(
    """accelerato accentué affettuoso agitazione amabile amoroso ancora animando animez anfang aria
    attacca ausdruck avec belebter bewegter bewegung bien breiter calme canto capo chant cédez
    comodo comme decresc deciso dolente dolore doloroso douce doucement doux drängend duolo einfach
    empfindung encore espressione espressive esprit express expression flautando forza frei freely
    fröhlich giocoso grandioso grazia gehalten geheimnisvoll getragen heftig heimlich immer
    introduzione kraft langsamer largamente lebhafter leggermente leicht leidenschaft leise léger
    lentamente lugubre lusingando lustig martellato mehr melodia mesto misterioso moins mouvement
    naturale nobile obligato ohne ossia passione piacere piano pochissimo pochettino portato
    portamento prima primo quieto rapidamente recit recitativo religioso replica retenez retenu
    ruhiger sanft schleppend schluss secco secondo sentimento sentito slargando slentando soave
    softly sognando solenne sonore sospirando soprano spianato spiccato spirito spiritoso steigernd
    stesso strepitoso stretto strophe suivez tempestoso tenerezza tenore terzo toujours traurig
    tremolo tristezza tutta unruhig valse variation vigoroso vocalise voilé weich werden zeitmass
    zurückhaltend zögernd être""",
)
"""More words that directions are made of."""
ALL = TEMPO | ABOVE | BELOW | FILLING | OTHER
INSTRUMENTS = _words(
    """voice piano pianoforte singstimme violin violine violino viola violoncello violoncelle cello
    contrabass chant gesang soprano alto bass tenor klavier stimme flute flauto oboe clarinet
    klarinette bassoon fagott horn trumpet trombone tuba timpani contralto canto baritone bariton
    harpsichord cembalo organ orgel guitar mezzo-soprano bratsche recorder strings harp harfe
    continuo basso""",
)
"""Words that parts are called by."""


def plain(text: str) -> str:
    """A word without what stands around it, in small letters."""
    return re.sub(r"^[\W\d_]+|[\W\d_]+$", "", text).casefold()


def is_term(text: str) -> bool:
    """Whether a word says how to play."""
    word = plain(text)
    return word in TEMPO or word in ABOVE or word in BELOW


def fills(text: str) -> bool:
    """Whether a word stands in songs and among such terms alike."""
    return plain(text) in FILLING


def spelled(text: str, known: Set[str] | None = None) -> str:
    """A word as the one known word is spelled that is nearly alike, else as it is.

    Args:
        text: As it was read, with what stands around it.
        known: What to compare with; all terms if not given.
    """
    found = re.match(r"^([\W\d_]*)(.*?)([\W\d_]*)$", text)
    if found is None or not found[2]:
        return text
    core = _nearest(found[2].casefold(), frozenset(known) if known else ALL)
    if core is None:
        return text
    if len(found[2]) > 1 and found[2].isupper():
        core = core.upper()
    elif found[2][0].isupper():
        core = core[0].upper() + core[1:]
    return found[1] + core + found[3]


@lru_cache(maxsize=1024)
def _nearest(word: str, known: frozenset[str]) -> str | None:
    """The one word of those known that is few letters off; None: none or several, or itself."""
    if word in known or len(word) < 4:
        return None
    best: list[tuple[int, str]] = []
    own = _letters(word)
    for other, letters, off in _with_letters(known):
        if abs(len(other) - len(word)) > off:
            continue
        # An edit brings or takes one letter at most.
        if max((own & ~letters).bit_count(), (letters & ~own).bit_count()) <= off:
            away = _edits(word, other)
            if away <= off:
                best.append((away, other))
    best.sort()
    if not best or (len(best) > 1 and best[0][0] == best[1][0]):
        return None
    return best[0][1]


@lru_cache(maxsize=4)
def _with_letters(known: frozenset[str]) -> tuple[tuple[str, int, int], ...]:
    """The words that may be misread, which letters they have, and how many may be wrong."""
    return tuple((word, _letters(word), 1 + (len(word) >= 8)) for word in known if len(word) >= 5)


def _letters(word: str) -> int:
    """Which letters a word has, as bits; some letters share one."""
    bits = 0
    for letter in word:
        bits |= 1 << ord(letter) % 64
    return bits


def _edits(word: str, other: str) -> int:
    """Letters to add, leave out or change (Levenshtein's distance)."""
    before = list(range(len(other) + 1))
    for number, letter in enumerate(word, 1):
        row = [number]
        for place, its in enumerate(other):
            row.append(min(before[place + 1] + 1, row[-1] + 1, before[place] + (letter != its)))
        before = row
    return before[-1]
