"""How well a net sees pages of works that were never trained on, per kind and class of lines.

    python training/evaluate.py --pages FOLDER [--model FILE] [--worn scan] [--json FILE]
    python training/evaluate.py --pages FOLDER --calibrate THRESHOLDS.json
    python training/evaluate.py --compare OLD.json NEW.json

The stored pages are scaled to 10 px per staff space, plain or worn (the same way each time).
A detection is right if its kind is the truth's and its centre lies within half a staff space
(for wide symbols: within a quarter of their side). A pixel of a mask is right if one of the
truth's lies beside it. ``--calibrate`` writes the threshold per kind that gives the best F1.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections import Counter
from pathlib import Path

import attrs
import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from data import PLAIN, Crop, Pages, view
from ensemble_sightread import glyphs
from ensemble_sightread.symbols import KINDS, MASKS, SPACE, Symbol

LOWEST = 0.1
# Thresholds stay within these: what is rare here, or looks foreign, is not to be lost.
FLOOR, USUAL, CEILING = 0.25, 0.35, 0.42
SURE = 128

Rows = list[tuple[str, float, bool]]


def matched(found: tuple[Symbol, ...], kinds: np.ndarray, boxes: np.ndarray) -> Rows:
    """Each detection, its confidence and whether it is right; ``boxes`` are x, y, w, h."""
    free = np.ones(len(kinds), bool)
    reach = np.maximum(0.25 * boxes[:, 2:], SPACE / 2)
    results = []
    for symbol in sorted(found, key=lambda s: -s.confidence):
        away = np.abs(boxes[:, :2] - [symbol.x, symbol.y])
        near = (away < reach).all(1)
        if (near & (kinds == "?")).any():
            continue
        good = np.flatnonzero(near & free & (kinds == symbol.kind))
        if good.size:
            free[good[away[good].sum(1).argmin()]] = False
        results.append((symbol.kind, symbol.confidence, bool(good.size)))
    return results


def whole(pages: Pages, page: int, how: str, scale: float) -> Crop:
    """A whole page, worn the same way each time."""
    height, width = pages.pixels(page).shape
    side = -(-int(max(height, width) * SPACE * scale / pages.spaces[page]) // 32) * 32
    r = random.Random(pages.names[page] + how)
    return view(pages, r, page, (width / 2, height / 2), side, how, SPACE * scale)


@attrs.define
class Tally:
    """What was found on all pages.

    ``lines`` counts, per class, mask pixels seen, of these right, true ones, of these found.
    """

    rows: Rows = attrs.field(factory=list)
    truths: Counter[str] = attrs.field(factory=Counter)
    lines: dict[str, np.ndarray] = attrs.field(factory=dict)

    def add(self, crop: Crop) -> None:
        """Look at a page."""
        seen = glyphs.look(crop.image)
        names = np.array([KINDS[k] if k >= 0 else "?" for k in crop.kinds])
        self.rows += matched(seen.symbols, names, crop.boxes)
        self.truths.update(names.tolist())
        beside = np.ones((3, 3), np.uint8)
        for bit, name in enumerate(MASKS):
            if name in seen.masks:
                mine = (seen.masks[name] >= SURE).astype(np.uint8)
                true = crop.masks >> bit & 1
                right = mine & cv2.dilate(true, beside)
                found = true & cv2.dilate(mine, beside)
                counts = np.array([x.sum(dtype=np.int64) for x in (mine, right, true, found)])
                self.lines[name] = self.lines.get(name, 0) + counts


def thresholds(tally: Tally) -> dict[str, float]:
    """The threshold per kind that gives the best F1, of kinds with enough truths."""
    best: dict[str, float] = {}
    for kind in KINDS:
        rows = sorted(((s, ok) for k, s, ok in tally.rows if k == kind), reverse=True)
        if not rows or tally.truths[kind] < 8:
            continue
        right = np.cumsum([ok for _, ok in rows])
        f1 = 2 * right / (np.arange(1, len(rows) + 1) + tally.truths[kind])
        good = np.flatnonzero(f1 >= f1.max() - 0.002)
        cut = rows[int(good[len(good) // 2])][0]
        best[kind] = round(float(min(max(cut, FLOOR), CEILING)), 3)
    # Told apart by the staff line they touch, so their heat counts alike.
    best["rest-whole"] = best["rest-half"] = 0.3
    return best


def figures(tally: Tally, cut: dict[str, float]) -> dict[str, list[float]]:
    """Number of truths, precision, recall and F1 of each kind, of all, and of each mask."""
    table: dict[str, list[float]] = {}
    sums = np.zeros(3)
    for kind in KINDS:
        oks = [ok for k, s, ok in tally.rows if k == kind and s > cut.get(kind, 0)]
        there = tally.truths[kind]
        if there or oks:
            counts = np.array([sum(oks), len(oks), there])
            sums += counts
            table[kind] = _scores(*counts.tolist())
    table["all"] = _scores(*sums.tolist())
    for name, (mine, right, true, found) in tally.lines.items():
        precision, recall = right / max(mine, 1), found / max(true, 1)
        both = 2 * precision * recall / max(precision + recall, 1e-9)
        table[f"mask {name}"] = [int(true), float(precision), float(recall), float(both)]
    return table


def _scores(hits: float, found: float, there: float) -> list[float]:
    return [
        int(there), hits / max(found, 1), hits / max(there, 1), 2 * hits / max(found + there, 1)
    ]  # fmt: skip


def compare(old: Path, new: Path) -> None:
    """Print the F1 of two evaluations beside one another."""
    before, after = (json.loads(path.read_text()) for path in (old, new))
    print(f"{'':<20}{'truth':>8}{'old':>8}{'new':>8}{'change':>8}")
    for name, row in after.items():
        was = before.get(name, [0, 0, 0, 0])[3]
        print(f"{name:<20}{row[0]:>8}{was:>8.3f}{row[3]:>8.3f}{row[3] - was:>+8.3f}")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=Path)
    parser.add_argument("--model", type=Path, help="another net than the package's")
    parser.add_argument("--worn", default=PLAIN, choices=(PLAIN, "clean", "scan", "photo"))
    parser.add_argument("--engraver", default="")
    parser.add_argument("--calibrate", type=Path)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--limit", type=int, default=1000)
    parser.add_argument("--scale", type=float, default=1.0, help="staff space, in 10 px")
    parser.add_argument("--compare", type=Path, nargs=2)
    args = parser.parse_args()
    if args.compare:
        compare(*args.compare)
        return
    if args.model:
        glyphs.MODEL = args.model
    net = glyphs.load(1)
    if args.calibrate:
        low = np.full_like(net.thresholds, LOWEST)
        glyphs.load = lambda threads=1: attrs.evolve(net, thresholds=low)  # type: ignore
    pages, tally = Pages(args.pages), Tally()
    chosen = [n for n, name in enumerate(pages.names) if args.engraver in name][: args.limit]
    for page in chosen:
        tally.add(whole(pages, page, args.worn, args.scale))
    cut = dict.fromkeys(KINDS, USUAL) | thresholds(tally) if args.calibrate else {}
    if args.calibrate:
        args.calibrate.write_text(json.dumps(cut, indent=1))
    table = figures(tally, cut)
    print(f"{len(chosen)} pages {args.engraver} {args.worn}")
    print(f"{'kind':<20}{'truth':>8}{'prec':>8}{'recall':>8}{'F1':>8}")
    for name, (there, *rest) in table.items():
        print(f"{name:<20}{there:>8}" + "".join(f"{x:>8.3f}" for x in rest))
    if args.json:
        args.json.write_text(json.dumps(table, indent=1))


if __name__ == "__main__":
    main()
