"""Shapes and runs in binary pictures."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from ensemble_sightread.morphology import low_runs, opened, pieces, shown


def test_low_runs_keeps_what_is_at_most_so_high() -> None:
    mask = np.zeros((20, 5), np.uint8)
    mask[0:3, 0] = 1  # at the edge of the page
    mask[4:8, 1] = 1
    mask[4:7, 2] = 1
    mask[17:20, 3] = 1
    mask[10:20, 4] = 1
    kept = low_runs(mask, 3)
    assert kept.sum(axis=0).tolist() == [3, 0, 3, 3, 0]


@pytest.mark.parametrize("height", [1, 2, 3, 7, 8, 26])
def test_upright_openings_are_those_of_opencv(height: int) -> None:
    mask = (np.random.default_rng(height).random((70, 45)) < 0.93).astype(np.uint8)
    expected = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((height, 1), np.uint8))
    assert np.array_equal(opened(mask, height, 1), expected)


def test_shapes_are_left_out_where_the_net_shows_nothing() -> None:
    mask = np.zeros((80, 120), np.uint8)
    mask[10:12, 10:50] = 1
    mask[60:62, 71:119] = 1
    sure = np.zeros((20, 30), np.uint8)
    sure[15, 29] = 9
    assert [piece.left for piece in shown(pieces(mask), sure, 8)] == [71]
    assert shown(pieces(mask), sure, 10) == []


def test_a_shape_inside_the_hole_of_another_is_found_and_cut_alone() -> None:
    mask = np.zeros((30, 30), np.uint8)
    cv2.rectangle(mask, (2, 2), (27, 27), 1, 2)
    cv2.rectangle(mask, (10, 10), (14, 12), 1, -1)
    found = sorted(pieces(mask), key=lambda piece: piece.width)
    assert (found[0].left, found[0].top, found[0].width, found[0].height) == (10, 10, 5, 3)
    assert len(found) == 2
    assert found[0].cut(mask).all()
    frame = found[1]
    inside = frame.cut(mask)[10 - frame.top : 13 - frame.top, 10 - frame.left : 15 - frame.left]
    assert not inside.any()


@pytest.mark.parametrize("share", [0.05, 0.3, 0.55])
def test_pieces_are_the_connected_components(share: float) -> None:
    mask = (np.random.default_rng(3).random((120, 90)) < share).astype(np.uint8)
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    found = pieces(mask)
    assert sorted((p.left, p.top, p.width, p.height, int(p.cut(mask).sum())) for p in found) == (
        sorted(tuple(int(v) for v in row) for row in stats[1:])
    )
