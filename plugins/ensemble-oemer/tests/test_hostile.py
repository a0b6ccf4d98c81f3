"""Inputs made to trouble oemer: nothing is unpickled or executed, and the page is read."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from ensemble_oemer.picture import A4, flattened, prepare
from oemer_running import Ran, command, context, page_of, run
from PIL import Image

pytestmark = pytest.mark.long

Convert = Callable[..., Ran]


class Trap:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str, str]]:
        return open, (str(self.path), "w")


NAMES = ("-o.png", "a b.png", 'it\'s "q".png', "🎵 ¢.png", "two\nlines.png", "$(touch x).png")


@pytest.mark.slow
def test_odd_names_and_a_pickle_beside_the_input_do_nothing(
    tune: Path, nets: Mapping[str, Path], tmp_path: Path
) -> None:
    sprung = tmp_path / "sprung"
    for name in NAMES:
        (tmp_path / name).write_bytes(tune.read_bytes())
        (tmp_path / name).with_suffix(".pkl").write_bytes(pickle.dumps(Trap(sprung)))
    before = set(tmp_path.iterdir())
    pickle.loads((tmp_path / "a b.pkl").read_bytes()).close()
    assert sprung.exists(), "the trap works"
    sprung.unlink()
    arguments = command(
        "-O", "oemer.deskew=off", "-o", "out/", "-j", "1", "--", *NAMES, nets=nets["colour"]
    )
    ran = run(arguments, tmp_path, {"LOG_LEVEL": "trace"})
    assert ran.code == 0, ran.err
    assert not sprung.exists() and set(tmp_path.iterdir()) - before == {tmp_path / "out"}
    made = sorted((tmp_path / "out").iterdir())
    assert [path.stem for path in made] == sorted(Path(name).stem for name in NAMES)
    assert len({path.read_bytes().count(b"<pitch>") for path in made}) == 1


@pytest.mark.slow
def test_a_name_like_an_option_is_read_by_its_path(
    convert: Convert, tune: Path, tmp_path: Path
) -> None:
    (tmp_path / "-o.png").write_bytes(tune.read_bytes())
    ran = convert("-O", "oemer.deskew=off", "./-o.png", "-o", "out/")
    assert ran.code == 0, ran.err
    assert (tmp_path / "out" / "-o.musicxml").exists()


def shades(image: Image.Image) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Its paper and its ink: the left and the right pixel."""
    array = np.asarray(image)
    return tuple(array[0, 0]), tuple(array[0, -1])


def test_every_kind_of_picture_is_black_on_white_for_oemer() -> None:
    black = Image.fromarray(np.array([[255, 0]], np.uint8))
    ink = np.array([[[0, 0, 0, 0], [0, 0, 0, 255]]], np.uint8)
    palette = Image.fromarray(np.array([[0, 1]], np.uint8)).convert("P")
    palette.putpalette([9, 9, 9, 0, 0, 0])
    palette.info["transparency"] = 0
    kinds = {
        "transparent": Image.fromarray(ink),
        "gray and transparent": Image.fromarray(ink).convert("LA"),
        "16 bits": Image.fromarray(np.array([[65535, 0]], np.uint16)),
        "one bit": black.convert("1"),
        "palette": palette,
        "CMYK": Image.fromarray(np.array([[[0, 0, 0, 0], [0, 0, 0, 255]]], np.uint8), "CMYK"),
    }
    for name, image in kinds.items():
        flat = flattened(image)
        assert (flat.mode, shades(flat)) == ("RGB", ((255, 255, 255), (0, 0, 0))), name


def test_colours_are_kept(tmp_path: Path) -> None:
    red = Image.new("RGB", (1000, 1414), (255, 0, 0))
    red.save(tmp_path / "red.png")
    path = prepare(page_of(tmp_path / "red.png"), context(tmp_path, tmp_path))
    assert (np.asarray(Image.open(path)) == (255, 0, 0)).all()


@pytest.mark.parametrize(
    ("size", "left_as_it_is"),
    [((1000, 1294), True), ((1000, 1414), True), ((1000, 300), False), ((300, 1000), False)],
)
def test_only_what_is_no_page_is_put_on_one(
    size: tuple[int, int], left_as_it_is: bool, tmp_path: Path
) -> None:
    Image.new("RGB", size, "white").save(tmp_path / "page.png")
    path = prepare(page_of(tmp_path / "page.png"), context(tmp_path, tmp_path))
    shown = Image.open(path)
    if left_as_it_is:
        assert shown.size == size
    else:
        assert abs(shown.height / shown.width - A4) < 0.01
    assert [found.name for found in path.parent.iterdir()] == [path.name]
    assert path.parent.stat().st_mode & 0o077 == 0
    assert "page" not in path.stem
