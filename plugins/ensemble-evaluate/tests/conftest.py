"""Small sets of pages, read by the mock recognizer, whose score is known."""

from __future__ import annotations

from pathlib import Path

import pytest
from ensemble_evaluate.cases import Case, write_set

from ensemble_core.pipeline import Pipeline
from ensemble_core.testing import engraved_page


@pytest.fixture
def page(tmp_path: Path) -> Path:
    return engraved_page(tmp_path, "melody").image


def mock_reads(page: Path, **options: int) -> bytes:
    """What the mock recognizer makes of a page."""
    config = {
        "pipeline": {"recognizer": "mock", "export": []},
        "options": {"mock": options},
        "run": {"cache": False, "jobs": 1, "executor": "serial"},
    }
    score = Pipeline.from_config(config).run([page]).documents[0].score
    assert score is not None
    return score.musicxml


@pytest.fixture
def page_truth(page: Path) -> bytes:
    """What the mock reads on the page."""
    return mock_reads(page)


@pytest.fixture
def known_set(tmp_path: Path, page: Path) -> Path:
    """Two documents: what the mock reads, and what it reads with another tune."""
    folder = tmp_path / "set"
    folder.mkdir()
    cases = []
    for name, seed in (("right", 0), ("wrong", 5)):
        picture, truth = folder / f"{name}.png", folder / f"{name}.musicxml"
        picture.write_bytes(page.read_bytes())
        truth.write_bytes(mock_reads(page, seed=seed))
        cases.append(Case(name, (picture,), truth, "mock", "tune", 1))
    write_set(folder / "set.json", cases)
    return folder / "set.json"
