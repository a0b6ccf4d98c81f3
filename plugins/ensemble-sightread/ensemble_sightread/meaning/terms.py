"""The words that scores use to say how to play, and what they tell about where they stand."""

from __future__ import annotations

import re


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
    espressivo legato marc marcato leggiero leggero sotto morendo perdendosi perdendo smorz
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
