"""The scans and photos of the held-out set (``benchmarks/degrade.py``)."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

pytest.importorskip("cv2")
np = pytest.importorskip("numpy")
BENCHMARKS = Path(__file__).resolve().parents[3] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))
import degrade  # noqa: E402


@pytest.mark.parametrize(("name", "suffix"), [("write_scan", ".png"), ("write_photo", ".jpg")])
def test_the_same_seed_gives_the_same_picture(
    page: Path, tmp_path: Path, name: str, suffix: str
) -> None:
    outs = [tmp_path / f"{n}{suffix}" for n in range(3)]
    for out, seed in zip(outs, (1, 1, 2), strict=True):
        getattr(degrade, name)(page, out, seed)
    first, same, other = (out.read_bytes() for out in outs)
    assert first == same != other


def test_a_scan_is_smaller_and_still_dark_where_the_page_is(page: Path) -> None:
    clean = degrade.read_gray(page)
    scanned = degrade.scan(clean, 3)
    assert scanned.shape == tuple(round(side * 200 / 300) for side in clean.shape)
    assert scanned.min() < 90
    assert np.median(scanned) > 200
