"""Draws what the net sees on a page: python training/overlay.py PICTURE OUT.png [SPACE]

``SPACE`` is the staff space of the picture in pixels (10 if it is normalised already).
"""

from __future__ import annotations

import sys

import cv2
from ensemble_sightread.glyphs import detect
from ensemble_sightread.symbols import SPACE


def main() -> None:
    """Command line."""
    image = cv2.imread(sys.argv[1], cv2.IMREAD_GRAYSCALE)
    scale = SPACE / float(sys.argv[3]) if len(sys.argv) > 3 else 1.0
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=way)
    shown = cv2.cvtColor(cv2.resize(image, None, fx=2, fy=2), cv2.COLOR_GRAY2BGR)
    for s in detect(image):
        a, b = (round(2 * s.left), round(2 * s.top)), (round(2 * s.right), round(2 * s.bottom))
        cv2.rectangle(shown, a, b, (0, 0, 255), 1)
        if s.kind != "head-black":
            name = s.kind.replace("head-", "").replace("rest-", "r")
            cv2.putText(shown, name, (a[0], a[1] - 2), 0, 0.4, (200, 0, 0), 1)
    cv2.imwrite(sys.argv[2], shown)


if __name__ == "__main__":
    main()
