"""Precision, recall and F1 per kind on pages of works that were never trained on.

    python training/evaluate.py --pages FOLDER [--calibrate FILE] [--engraver NAME]

The stored pages are scaled to 10 px per staff space. A detection is right if its kind is the
truth's and its centre lies within half a staff space (for wide symbols: within a quarter of
their side). ``--calibrate`` writes the threshold per kind that gives the best F1.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import attrs
import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from ensemble_sightread import glyphs
from ensemble_sightread.symbols import KINDS, SPACE, Symbol

LOWEST = 0.1
# Thresholds stay within these: what is rare here, or looks foreign, is not to be lost.
FLOOR, USUAL, CEILING = 0.25, 0.35, 0.42


def matched(
    found: list[Symbol], kinds: np.ndarray, boxes: np.ndarray
) -> tuple[list[tuple[str, float, bool]], list[str]]:
    """Each detection with whether it is right, and the kinds of truths nobody found."""
    free = np.ones(len(kinds), bool)
    centre = np.stack([(boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2], 1)
    reach = np.maximum(0.25 * np.stack([boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]], 1),
                       SPACE / 2)  # fmt: skip
    results = []
    for symbol in sorted(found, key=lambda s: -s.confidence):
        away = np.abs(centre - [symbol.x, symbol.y])
        near = (away < reach).all(1)
        if (near & (kinds == "?")).any():
            continue
        good = np.flatnonzero(near & free & (kinds == symbol.kind))
        if good.size:
            free[good[away[good].sum(1).argmin()]] = False
        results.append((symbol.kind, symbol.confidence, bool(good.size)))
    return results, [str(k) for k in kinds[free] if k != "?"]


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=Path, required=True)
    parser.add_argument("--engraver", default="")
    parser.add_argument("--calibrate", type=Path)
    parser.add_argument("--limit", type=int, default=1000)
    parser.add_argument("--scale", type=float, default=1.0, help="staff space, in 10 px")
    args = parser.parse_args()
    net = glyphs.load(1)
    if args.calibrate:
        low = np.full_like(net.thresholds, LOWEST)
        glyphs.load = lambda threads=1: attrs.evolve(net, thresholds=low)  # type: ignore
    results: list[tuple[str, float, bool]] = []
    truths: dict[str, int] = {}
    paths = [p for p in sorted(args.pages.glob("*.npz")) if args.engraver in p.name]
    for path in paths[: args.limit]:
        data = np.load(path)
        scale = SPACE * args.scale / float(data["space"])
        image = cv2.resize(
            np.load(path.with_suffix(".npy")), None, fx=scale, fy=scale,
            interpolation=cv2.INTER_AREA,
        )  # fmt: skip
        box, kinds = data["box"] * scale, data["kind"]
        results += matched(list(glyphs.detect(image)), kinds, box)[0]
        for kind in kinds:
            truths[str(kind)] = truths.get(str(kind), 0) + 1
    best: dict[str, float] = {}
    total = np.zeros(3)
    print(f"{min(len(paths), args.limit)} pages {args.engraver}")
    print(f"{'kind':<18}{'truth':>7}{'prec':>8}{'recall':>8}{'F1':>8}{'thr':>7}")
    for kind in KINDS:
        rows = sorted(((s, ok) for k, s, ok in results if k == kind), reverse=True)
        there = truths.get(kind, 0)
        if not there and not rows:
            continue
        right = np.cumsum([ok for _, ok in rows]) if rows else np.zeros(1)
        if args.calibrate and rows and there >= 8:
            f1 = 2 * right / (np.arange(1, len(rows) + 1) + there)
            good = np.flatnonzero(f1 >= f1.max() - 0.002)
            cut = rows[int(good[len(good) // 2])][0]
            best[kind] = round(float(min(max(cut, FLOOR), CEILING)), 3)
        if args.calibrate:
            rows = [row for row in rows if row[0] > best.get(kind, USUAL)]
        hits = sum(ok for _, ok in rows)
        total += hits, len(rows), there
        precision, recall = hits / max(len(rows), 1), hits / max(there, 1)
        both = 2 * hits / max(len(rows) + there, 1)
        line = f"{kind:<18}{there:>7}{precision:>8.3f}{recall:>8.3f}{both:>8.3f}"
        print(line + f"{best.get(kind, 0):>7.2f}" * bool(args.calibrate))
    hits, found, there = total
    print(f"{'all':<18}{there:>7.0f}{hits / found:>8.3f}{hits / there:>8.3f}"
          f"{2 * hits / (found + there):>8.3f}")  # fmt: skip
    if args.calibrate:
        # Told apart by the staff line they touch, so their heat counts alike.
        best["rest-whole"] = best["rest-half"] = 0.3
        args.calibrate.write_text(json.dumps(best, indent=1))


if __name__ == "__main__":
    main()
