"""Stand-in nets and pages, made once a session, and ways to run oemer on them for real."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from oemer_running import TUNE, Ran, command, run

Convert = Callable[..., Ran]


@pytest.fixture(scope="session")
def nets(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """Folders of stand-in nets: ``colour``, ``print`` and ``blind``."""
    pytest.importorskip("onnx")
    pytest.importorskip("oemer")
    import oemer_standins

    folder = tmp_path_factory.mktemp("nets")
    return {
        "colour": oemer_standins.colour_nets(folder / "colour"),
        "print": oemer_standins.print_nets(folder / "print"),
        "blind": oemer_standins.blind_nets(folder / "blind"),
    }


@pytest.fixture(scope="session")
def tune(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four bars for piano on one system, in class colours."""
    from oemer_pages import coloured_page, little_score

    path = tmp_path_factory.mktemp("pages") / "tune.png"
    return coloured_page(little_score(TUNE), path).picture


@pytest.fixture(scope="session")
def printed_tune(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same in black."""
    from oemer_pages import little_score, print_page

    path = tmp_path_factory.mktemp("pages") / "printed.png"
    return print_page(little_score(TUNE), path).picture


@pytest.fixture
def convert(nets: Mapping[str, Path], tmp_path: Path) -> Convert:
    """Run ``ensemble convert --recognizer oemer`` in ``tmp_path``, with the colour nets."""

    def convert(
        *arguments: str | Path, which: str = "colour", env: Mapping[str, str] | None = None
    ) -> Ran:
        return run(command(*arguments, nets=nets[which]), tmp_path, env)

    return convert
