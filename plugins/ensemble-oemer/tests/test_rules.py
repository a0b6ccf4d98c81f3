"""oemer's rules under our hand: stages told, deskew when it helps, no memory of earlier pages."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest
from ensemble_oemer.engine import load_oemer
from ensemble_oemer.failures import typed
from ensemble_oemer.options import OemerOptions
from ensemble_oemer.recognizer import OemerRecognizer
from oemer_pages import coloured_page, little_score
from oemer_running import context, page_of

from ensemble_core.model import Cancelled, CancelToken, RecognitionError, Step

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with other music than the tune."""
    score = little_score(["G4/2 A4/2 | B4/1 | C5/4 B4/4 A4/4 G4/4", "G3/1 | D3/1 | G3/1"])
    return coloured_page(score, tmp_path_factory.mktemp("other") / "other.png").picture


def read(picture: Path, nets: Path, folder: Path, **options: Any) -> bytes:
    """Read a page in this process with a recognizer of its own."""
    ctx = context(nets, folder)
    return OemerRecognizer(OemerOptions(**options)).recognize(page_of(picture), ctx).musicxml


@pytest.mark.slow
def test_two_pages_one_after_the_other_are_read_like_each_alone(
    nets: Mapping[str, Path], tune: Path, other: Path, tmp_path: Path
) -> None:
    kept = OemerRecognizer(OemerOptions(deskew="off"))
    together = [
        kept.recognize(page_of(page), context(nets["colour"], tmp_path / name)).musicxml
        for page, name in ((other, "a"), (tune, "b"))
    ]
    load_oemer().layers.register_layer("notes", np.array(["what a page that crashed left"]))
    again = read(tune, nets["colour"], tmp_path / "c", deskew="off")
    assert again == together[1] != together[0]


@pytest.mark.slow
def test_progress_rises_to_one_and_names_a_deskewed_page_once(
    nets: Mapping[str, Path], tune: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ete, straightened = load_oemer(), []
    real = ete.estimate_coords
    monkeypatch.setattr(ete, "estimate_coords", lambda s: straightened.append(1) or real(s))
    told: list[dict[str, Any]] = []
    ctx = context(nets["colour"], tmp_path, send=told.append)
    page = attrs.evolve(page_of(tune), history=(Step("deskew"),))
    OemerRecognizer(OemerOptions()).recognize(page, ctx)
    done = [word["done"] for word in told if word["type"] == "progress"]
    assert done == sorted(done) and done[-1] == 1.0 and len(done) > 100
    assert not straightened, "the page was straight already"


@pytest.mark.slow
def test_where_dewarping_fails_the_page_is_read_without_it_and_the_nets_run_once(
    nets: Mapping[str, Path], tune: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = read(tune, nets["colour"], tmp_path / "plain", deskew="off")
    load_oemer()
    from oemer import dewarp

    # the most frequent crash on photos; test_failures has a page that fails there by itself
    monkeypatch.setattr(dewarp, "connect_nearby_grid_group", _asserts)
    told: list[dict[str, Any]] = []
    ctx = context(nets["colour"], tmp_path / "bent", send=told.append)
    result = OemerRecognizer(OemerOptions()).recognize(page_of(tune), ctx)
    codes = [word["code"] for word in told if word["type"] == "diagnostic"]
    done = [word["done"] for word in told if word["type"] == "progress"]
    assert codes.count("oemer-not-straightened") == 1
    assert result.musicxml == plain and done == sorted(done)


def _asserts(*_: Any) -> Any:
    raise AssertionError("-1, -1")


def test_cancelling_is_heard_between_two_batches(
    nets: Mapping[str, Path], tune: Path, tmp_path: Path
) -> None:
    token, told = CancelToken(), []

    def stop_at_third(message: dict[str, Any]) -> None:
        told.append(message)
        if len(told) == 3:
            token.cancel()

    ctx = context(nets["colour"], tmp_path, send=stop_at_third, cancel=token)
    with pytest.raises(Cancelled):
        OemerRecognizer(OemerOptions()).recognize(page_of(tune), ctx)
    assert len(told) == 3


def test_what_nobody_foresaw_names_exception_and_stage() -> None:
    error = typed(ZeroDivisionError("by zero\nand more"), "rhythm")
    assert isinstance(error, RecognitionError) and error.code == "oemer-failed"
    assert error.message == "oemer failed in its stage rhythm: ZeroDivisionError: by zero"


def test_lack_of_memory_stays_what_it_is() -> None:
    with pytest.raises(MemoryError):
        typed(MemoryError(), "rhythm")


def test_an_odd_log_level_is_no_trouble_and_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    monkeypatch.setenv("LOG_LEVEL", "trace")
    load_oemer()
    assert os.environ["LOG_LEVEL"] == "trace"
