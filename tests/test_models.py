"""Model files: what a plan says of them, and how they reach the component that reads them."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import attrs
import pytest
from made_up import BARS

from ensemble_core import Pipeline, hookimpl
from ensemble_core.model import (
    Context,
    ContractError,
    Event,
    MissingError,
    ModelFile,
    Page,
    Progress,
    RecognizerSpec,
    Score,
    option,
)

NET = bytes(range(256)) * 40
FILE = ModelFile(
    "net.bin", "https://models.example/net.bin", len(NET), hashlib.sha256(NET).hexdigest(),
    aliases=("deep/inside/model.bin",),
)  # fmt: skip
UNPINNED = attrs.evolve(FILE, sha256="")


@attrs.frozen
class Own:
    nets: Path | None = option(None, "Folder of one's own model files")


class Hungry:
    """A plugin whose recognizer reads a model file."""

    def __init__(self, *files: ModelFile, priority: int = 5) -> None:
        self.files, self.priority = files, priority
        self.got: list[Path] = []

    @hookimpl
    def ensemble_recognizers(self) -> list[RecognizerSpec]:
        plugin = self

        class Reader:
            def __init__(self, options: Own) -> None: ...

            def recognize(self, page: Page, ctx: Context) -> Score:
                plugin.got += [ctx.model(file.name) for file in plugin.files]
                return Score(BARS)

        return [
            RecognizerSpec(
                name="hungry", target=Reader, options=Own, models=self.files,
                own_models="nets", priority=self.priority,
            )
        ]  # fmt: skip


@pytest.fixture
def folder(own_home: Path) -> Path:
    return own_home / "cache" / "ensemble" / "models" / "hungry"


def put(folder: Path, data: bytes = NET, name: str = "net.bin") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)
    return folder / name


def pipeline(plugin: Hungry, **settings: Any) -> Pipeline:
    data = {"pipeline": {"recognizer": "hungry"}, "run": {"executor": "serial"}, **settings}
    return Pipeline.from_config(data, plugins=[plugin])


def test_a_component_is_handed_its_verified_files(folder: Path, page_png: Path) -> None:
    path, plugin = put(folder), Hungry(FILE)
    result = pipeline(plugin).run([page_png])
    assert result.ok, result.report
    assert plugin.got == [path]
    told = result.report.plan["recognizer"]["models"]["net.bin"]
    assert told == {"path": str(path), "sha256": FILE.sha256}


def test_a_missing_file_is_one_line_with_size_folder_and_command(
    folder: Path, page_png: Path
) -> None:
    with pytest.raises(MissingError) as caught:
        pipeline(Hungry(FILE)).run([page_png])
    assert caught.value.code == "model-missing" and caught.value.exit_code == 4
    for word in ("net.bin", "10.2 kB", str(folder), "ensemble models fetch hungry", "--fetch-mod"):
        assert word in str(caught.value)


@pytest.mark.parametrize("data", [NET[:-1], NET + b"x", b"", NET[:-1] + b"x"])
def test_a_file_that_is_not_the_one_is_refused(folder: Path, page_png: Path, data: bytes) -> None:
    put(folder, data)
    with pytest.raises(MissingError) as caught:
        pipeline(Hungry(FILE)).plan([page_png])
    assert caught.value.code == "model-damaged"
    assert "net.bin" in str(caught.value) and str(folder) in str(caught.value)


def test_without_a_published_hash_the_first_one_is_held_to(folder: Path, page_png: Path) -> None:
    path = put(folder)
    assert pipeline(Hungry(UNPINNED)).run([page_png]).ok
    assert json.loads((folder / "hashes.json").read_text()) == {"net.bin": FILE.sha256}
    stamp = path.stat()
    put(folder, NET[:-1] + b"x")
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    with pytest.raises(MissingError, match="changed"):
        pipeline(Hungry(UNPINNED)).run([page_png])


def test_other_bytes_are_another_result(page_png: Path, tmp_path: Path) -> None:
    settings = {"options": {"hungry": {"nets": str(tmp_path)}}}
    keys = set()
    for data in (b"mine", b"ours"):
        put(tmp_path, data)
        plan = pipeline(Hungry(FILE), **settings).plan([page_png])
        keys.add(plan.reading_key("image/png"))
    assert len(keys) == 2


@pytest.mark.parametrize("name", ["net.bin", "deep/inside/model.bin"])
def test_own_files_are_taken_whatever_their_size(page_png: Path, tmp_path: Path, name: str) -> None:
    path = put((tmp_path / "own" / name).parent, b"mine", Path(name).name)
    plugin = Hungry(FILE)
    options = {"hungry": {"nets": str(tmp_path / "own")}}
    assert pipeline(plugin, options=options).run([page_png]).ok
    assert plugin.got == [path]


def test_own_files_that_are_not_there_are_named(page_png: Path, tmp_path: Path) -> None:
    with pytest.raises(MissingError) as caught:
        pipeline(Hungry(FILE), options={"hungry": {"nets": str(tmp_path)}}).plan([page_png])
    assert str(tmp_path / "net.bin") in str(caught.value)
    assert caught.value.code == "model-missing"


def test_auto_takes_none_whose_files_are_missing(folder: Path, page_png: Path) -> None:
    auto = {"pipeline": {"recognizer": "auto"}}
    hungry, fed = Hungry(FILE, priority=10_000), Hungry(FILE, priority=10_000)
    chosen = Pipeline.from_config(auto, plugins=[hungry]).plan([page_png]).recognizer
    assert chosen is not None and chosen.name != "hungry"
    put(folder)
    chosen = Pipeline.from_config(auto, plugins=[fed]).plan([page_png]).recognizer
    assert chosen is not None and chosen.name == "hungry"


def test_a_program_may_have_them_fetched(folder: Path, page_png: Path) -> None:
    from publishing import Publisher, slow

    with Publisher(NET).running() as publisher:
        publisher.answers = [slow]
        plugin = Hungry(attrs.evolve(FILE, url=f"{publisher.base}/net"))
        reader = pipeline(plugin, models={"allow-hosts": ["127.0.0.1"]})
        with pytest.raises(MissingError):
            reader.run([page_png])
        with pytest.raises(MissingError):
            reader.plan([page_png])
        assert publisher.asked == []
        events: list[Event] = []
        result = reader.run([page_png], fetch_models=True, on_event=events.append)
    assert result.ok and plugin.got == [folder / "net.bin"]
    told = [e for e in events if isinstance(e, Progress) and e.unit == "bytes"]
    assert {(e.document, e.component, e.total) for e in told} == {("", "hungry", len(NET))}
    assert [e.done for e in told] == sorted(e.done for e in told)
    assert told[-1].done == len(NET)
    assert len({e.run for e in events}) == 1, "one run, one id"


@pytest.mark.parametrize("name", ["../net.bin", "a/b", ".hidden", "hashes.json", ""])
def test_a_file_name_that_leads_elsewhere_breaks_the_contract(page_png: Path, name: str) -> None:
    with pytest.raises(ContractError, match="file name"):
        pipeline(Hungry(attrs.evolve(FILE, name=name))).plan([page_png])


def test_the_folder_is_a_setting(page_png: Path, tmp_path: Path) -> None:
    path = put(tmp_path / "elsewhere" / "hungry")
    plugin = Hungry(FILE)
    settings = {"models": {"folder": str(tmp_path / "elsewhere")}}
    assert pipeline(plugin, **settings).run([page_png]).ok
    assert plugin.got == [path]
