"""Layers of configuration: who wins, who said so, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from ensemble_core.config import Config, Use, discover, project_file
from ensemble_core.model import ConfigError
from ensemble_core.places import config_file


def origin(config: Config, key: str) -> tuple[object, str]:
    return next((v.value, v.origin) for v in config.explain() if v.key == key)


def test_every_layer_beats_the_one_below(tmp_path: Path) -> None:
    user = config_file()
    user.parent.mkdir(parents=True)
    user.write_text('[run]\njobs = 1\nthreads = 1\n[pipeline]\nrecognizer = "user"\n')
    project = tmp_path / "ensemble.toml"
    project.write_text(
        '[run]\nthreads = 2\n[pipeline]\nrecognizer = "project"\nexport = ["midi"]\n'
        '[profiles.photo]\nrecognizer = "photo"\npreprocess = ["crop"]\n'
        "[profiles.photo.limits]\nmax-pages = 3\n"
    )
    folder = tmp_path / "deep" / "er"
    folder.mkdir(parents=True)
    plain = discover(folder, {})
    assert origin(plain, "run.jobs") == (1, str(user))
    assert origin(plain, "run.threads") == (2, str(project))
    assert origin(plain, "limits.max-pages") == (500, "default")
    photo = discover(folder, {}, profile="photo")
    assert origin(photo, "pipeline.recognizer") == ("photo", "profile photo")
    assert photo.settings().limits.max_pages == 3
    env = {
        "ENSEMBLE_PIPELINE__RECOGNIZER": "env",
        "ENSEMBLE_PROFILE": "photo",
        "ENSEMBLE_DATA": "/x",
    }
    shell = discover(folder, env)
    assert origin(shell, "pipeline.recognizer")[1] == "environment ENSEMBLE_PIPELINE__RECOGNIZER"
    assert origin(shell, "pipeline.preprocess") == (["crop"], "profile photo")
    said = discover(folder, env, arguments={"pipeline": {"recognizer": "me"}}, options=["x.y=1"])
    assert origin(said, "pipeline.recognizer") == ("me", "argument")
    assert origin(said, "options.x.y") == ("1", "argument -O x.y=1")


def test_a_pyproject_table_counts_and_a_chosen_file_replaces_it(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.ensemble.run]\njobs = 3\n")
    assert project_file(tmp_path) == tmp_path / "pyproject.toml"
    assert discover(tmp_path, {}).settings().run.jobs == 3
    other = tmp_path / "other.toml"
    other.write_text("[run]\njobs = 4\n")
    assert discover(tmp_path, {}, file=other).settings().run.jobs == 4
    assert discover(tmp_path, {"ENSEMBLE_CONFIG": str(other)}).settings().run.jobs == 4


def test_tables_merge_and_lists_replace() -> None:
    low = {"options": {"sharpen": {"sigma": 1, "width": 2}}, "pipeline": {"export": ["a", "b"]}}
    high = {"options": {"sharpen": {"sigma": 3}}, "pipeline": {"export": ["c"]}}
    settings = Config.from_mapping(low).with_layer("up", high).settings()
    assert settings.options["sharpen"] == {"sigma": 3, "width": 2}
    assert settings.pipeline.export == ("c",)


@pytest.mark.parametrize(
    ("data", "phrase"),
    [
        ({"pipelin": {}}, "did you mean 'pipeline'"),
        ({"run": {"job": 1}}, "did you mean 'jobs'"),
        ({"run": {"jobs": -1}}, "below 0"),
        ({"run": 3}, "run is not a table"),
        ({"options": {"x": 3}}, "options.x is not a table"),
        ({"profiles": {"p": {"recogniser": "x"}}}, "did you mean 'recognizer'"),
        ({"profiles": {"p": 3}}, "not a table"),
        ({"default-profile": "none"}, "there is no profile 'none'"),
    ],
)
def test_what_is_wrong_is_said_with_the_closest_word(data: dict[str, object], phrase: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Config.from_mapping(data).settings()
    assert phrase in str(caught.value)


def test_a_wrong_value_names_its_origin(tmp_path: Path) -> None:
    path = tmp_path / "ensemble.toml"
    path.write_text("[run]\njobs = 'two'\n")
    with pytest.raises(ConfigError, match=r"run.jobs: 'two' is not a whole number \[from .*toml\]"):
        discover(tmp_path, {}).settings()


@pytest.mark.parametrize(
    ("variable", "phrase"),
    [("ENSEMBLE_RUN__JOB", "did you mean 'jobs'"), ("ENSEMBLE_RUNS__JOBS", "did you mean 'run'")],
)
def test_a_misspelled_variable_is_an_error(tmp_path: Path, variable: str, phrase: str) -> None:
    with pytest.raises(ConfigError, match=phrase):
        discover(tmp_path, {variable: "1"})


@pytest.mark.parametrize("text", ["sigma=1", "sharpen.sigma", ".=1", "=1"])
def test_an_option_argument_has_a_form(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match=r"component\.option=value"):
        discover(tmp_path, {}, options=[text])


def test_unreadable_files_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such configuration file"):
        Config.from_file(tmp_path / "none.toml")
    bad = tmp_path / "bad.toml"
    bad.write_text("[run\n")
    with pytest.raises(ConfigError, match="not valid TOML"):
        Config.from_file(bad)
    bad.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="cannot be read"):
        Config.from_file(bad)


def test_steps_are_names_or_tables() -> None:
    use = Use.parse({"use": "oemer", "fallback": ["mock"], "on-error": "skip", "a_b": 1}, "x")
    assert use == Use("oemer", {"a-b": 1}, "skip", (Use("mock"),))
    for bad in (3, {}, {"use": 3}, "", {"use": "x", "on-error": "explode"}):
        with pytest.raises(ConfigError):
            Use.parse(bad, "pipeline.preprocess")
