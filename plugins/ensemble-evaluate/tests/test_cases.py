from __future__ import annotations

from pathlib import Path

import pytest
from ensemble_evaluate.cases import Case, read_cases, write_set

from ensemble_core.model import ConfigError, InputError


def touch(folder: Path, *names: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).write_bytes(b"x")
    return folder


def test_folders_pair_by_name_and_several_pictures_are_one_document(tmp_path: Path) -> None:
    truth = touch(tmp_path / "truth", "a.musicxml", "b.mxl", "alone.xml")
    pages = touch(tmp_path / "pages", "a.png", "b-1.png", "b-10.png", "b-2.png", "other.png")
    cases = read_cases([truth, pages])
    assert [case.name for case in cases] == ["a", "b"]
    assert [path.name for path in cases[1].pictures] == ["b-1.png", "b-2.png", "b-10.png"]


def test_a_truth_and_a_pdf_are_one_document(tmp_path: Path) -> None:
    folder = touch(tmp_path / "x", "whole.mxl", "scan.pdf")
    (case,) = read_cases([folder / "whole.mxl", folder / "scan.pdf"])
    assert case.pictures == (folder / "scan.pdf",)


def test_a_set_file_survives_writing_and_reading(tmp_path: Path) -> None:
    touch(tmp_path, "p.png", "t.musicxml")
    case = Case("p", (tmp_path / "p.png",), tmp_path / "t.musicxml", "verovio", "piano", 2, "scan")
    write_set(tmp_path / "set.json", [case])
    assert read_cases([tmp_path / "set.json"]) == [case]


def test_a_set_in_toml(tmp_path: Path) -> None:
    touch(tmp_path, "p.png", "t.musicxml")
    text = '[[pages]]\nname = "p"\npicture = "p.png"\ntruth = "t.musicxml"\nstaves = 2\n'
    (tmp_path / "set.toml").write_text(text)
    (case,) = read_cases([tmp_path / "set.toml"])
    assert (case.pictures, case.staves) == ((tmp_path / "p.png",), 2)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("nothing", ConfigError),
        ("{}", ConfigError),
        ('{"pages": [{"name": "p"}]}', ConfigError),
        ('{"pages": [{"name": "p", "picture": "p.png", "truth": "t", "mood": 1}]}', ConfigError),
        ('{"pages": [{"name": "p", "picture": "gone.png", "truth": "t"}]}', InputError),
    ],
)
def test_a_wrong_set_is_one_clear_line(tmp_path: Path, text: str, kind: type[Exception]) -> None:
    (tmp_path / "set.json").write_text(text)
    with pytest.raises(kind) as error:
        read_cases([tmp_path / "set.json"])
    assert "\n" not in str(error.value)


def test_nothing_that_pairs_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has the name of a picture"):
        read_cases([touch(tmp_path / "t", "a.xml"), touch(tmp_path / "p", "b.png")])
