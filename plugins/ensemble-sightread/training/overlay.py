"""Draws what the net sees on a page: python training/overlay.py PICTURE OUT.png"""

from __future__ import annotations

import sys

import cv2
from ensemble_sightread.glyphs import detect
from ensemble_sightread.normalise import normalise


def main() -> None:
    """Command line."""
    image = normalise(cv2.imread(sys.argv[1], cv2.IMREAD_GRAYSCALE)).image
    shown = cv2.cvtColor(cv2.resize(image, None, fx=2, fy=2), cv2.COLOR_GRAY2BGR)
    for s in detect(image):
        a, b = (round(2 * s.left), round(2 * s.top)), (round(2 * s.right), round(2 * s.bottom))
        cv2.rectangle(shown, a, b, (0, 0, 255), 1)
        if s.kind != "head-black":
            name = s.kind.replace("head-", "").replace("rest-", "r")
            cv2.putText(shown, name, (a[0], a[1] - 2), 0, 0.4,
                        (200, 0, 0), 1)  # fmt: skip
    cv2.imwrite(sys.argv[2], shown)


if __name__ == "__main__":
    main()
