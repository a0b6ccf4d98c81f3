"""The conformance kit finds what is wrong with a plugin, and names it."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest

from ensemble_core.hooks import hookimpl
from ensemble_core.imaging import derive, gray, open_image
from ensemble_core.model import (
    Affine,
    Artifact,
    Box,
    Context,
    ContractError,
    Element,
    ExporterSpec,
    MissingError,
    Page,
    PreprocessorSpec,
    RecognizerSpec,
    Score,
    option,
)
from ensemble_core.testing import CheckResult, check_plugin, sample_score
from ensemble_core.testing.quiet import standard_output


def failed(results: list[CheckResult]) -> dict[str, str]:
    return {r.name: r.message for r in results if r.outcome == "failed"}


def recognizer(recognize: Callable[[Page, Context], Any], **changes: Any) -> Any:
    """A plugin around a function."""

    class Reader:
        def recognize(self, page: Page, ctx: Context) -> Any:
            return recognize(page, ctx)

    return plugin("recognizer", RecognizerSpec, Reader, **changes)


def plugin(kind: str, spec: Any, target: Any, **changes: Any) -> Any:
    class Plugin:
        pass

    said = spec(**{"name": "bad", "target": target, "summary": "A bad one", **changes})
    setattr(Plugin, f"ensemble_{kind}s", staticmethod(hookimpl(lambda: [said])))
    made = Plugin()
    setattr(made, f"ensemble_{kind}s", hookimpl(lambda: [said]))
    return made


def read(page: Page, ctx: Context) -> Score:
    """What a good recognizer does: open the page, look at the context, give a score."""
    if not (gray(open_image(page, ctx)).point(lambda value: value < 128)).getbbox():
        return attrs.evolve(sample_score(1), musicxml=empty(page))
    ctx.check()
    return sample_score(2)


def empty(page: Page) -> bytes:
    text = sample_score(1).musicxml.decode()
    head, tail = text.index("<note"), text.rindex("</note>") + 7
    rest = '<note><rest measure="yes"/><duration>8</duration></note>'
    return (text[:head] + rest + text[tail:]).encode()


def test_a_good_recognizer_passes() -> None:
    results = check_plugin("recognizer", "bad", plugin=recognizer(read))
    assert failed(results) == {}
    assert sum(r.outcome == "passed" for r in results) >= 14


def check(recognize: Callable[[Page, Context], Any], **changes: Any) -> dict[str, str]:
    return failed(check_plugin("recognizer", "bad", plugin=recognizer(recognize, **changes)))


def test_printing_is_found_however_it_is_done() -> None:
    def prints(page: Page, ctx: Context) -> Score:
        print("reading ...")
        return read(page, ctx)

    def writes(page: Page, ctx: Context) -> Score:
        os.write(1, b"from a C library\n")
        return read(page, ctx)

    for recognize, said in ((prints, "reading"), (writes, "from a C library")):
        assert said in check(recognize)["it writes nothing to standard output"]


def test_a_changed_input_is_found() -> None:
    def spoils(page: Page, ctx: Context) -> Score:
        score = read(page, ctx)
        with page.image.open("ab") as stream:
            stream.write(b" ")
        return score

    assert "it does not change its input" in check(spoils)


def test_different_results_are_found_unless_the_spec_says_so() -> None:
    count = iter(range(1000))

    def differs(page: Page, ctx: Context) -> Score:
        return attrs.evolve(read(page, ctx), title=str(next(count)))

    name = "the same input gives the same bytes"
    assert name in check(differs)
    assert name not in check(differs, deterministic=False)


def test_deafness_to_cancelling_and_deadlines_is_found() -> None:
    def deaf(page: Page, ctx: Context) -> Score:
        time.sleep(2.5)
        return read(page, attrs.evolve(ctx, expires=None, cancel=Context(ctx.workspace).cancel))

    found = check_some(deaf, "test_it_stops_when_cancelled", "test_it_stops_at_its_deadline")
    assert [message[:10] for message in found] == ["went on fo", "went on fo"]


def check_some(recognize: Callable[[Page, Context], Any], *tests: str) -> list[str]:
    """Messages of single clauses, as pytest would call them."""
    import tempfile

    from ensemble_core.testing import RecognizerContract

    members = {"name": "bad", "plugin": recognizer(recognize)}
    contract = type("Bad", (RecognizerContract,), members)()
    found = []
    for test in tests:
        with tempfile.TemporaryDirectory() as folder, pytest.raises(AssertionError) as caught:
            getattr(contract, test)(Path(folder))
        found.append(str(caught.value))
    return found


def test_untyped_errors_on_broken_pages_are_found() -> None:
    def careless(page: Page, ctx: Context) -> Score:
        from PIL import Image

        with Image.open(page.image) as picture:
            picture.load()
        return sample_score(1)

    found = check(careless)
    assert "an empty file raised UnidentifiedImageError" in found["broken input is a typed error"]
    assert "a page over the limit is refused" in found


def test_a_reader_that_makes_things_up_is_found() -> None:
    found = check(lambda page, ctx: sample_score(2))
    assert "without a word" in found["broken input is a typed error"]
    assert "8 notes on an empty page" in found["an empty page is a typed error or an empty score"]


@pytest.mark.parametrize(
    ("score", "said"),
    [
        (sample_score(1).musicxml.replace(b"<part-list>", b"<part-lisp>"), "well-formed"),
        (sample_score(1).musicxml.replace(b'id="P1"', b'id="P2"', 1), "part list"),
        (sample_score(1).musicxml.replace(b"<voice>", b"<voices>"), "well-formed"),
        (sample_score(1).musicxml.replace(b"<type>quarter", b"<type>crotchet"), "MusicXML 4.0"),
    ],
)
def test_an_invalid_score_is_found(score: bytes, said: str) -> None:
    found = check(lambda page, ctx: attrs.evolve(read(page, ctx), musicxml=score))
    assert said in found["its output is valid"]


def test_a_box_of_nothing_is_found() -> None:
    def boxes(page: Page, ctx: Context) -> Score:
        element = Element("nowhere", "note", 0, Box(0, 0, 1, 1))
        return attrs.evolve(read(page, ctx), elements=(element,))

    assert "nowhere" in check(boxes)["its output is valid"]


@attrs.frozen
class BareOptions:
    """Options without documentation or default."""

    sigma: float = attrs.field()
    radius: int = option(1, "How far")


def test_undocumented_options_are_found() -> None:
    class Reader:
        def __init__(self, options: BareOptions) -> None:
            pass

        def recognize(self, page: Page, ctx: Context) -> Score:
            return read(page, ctx)

    bad = plugin("recognizer", RecognizerSpec, Reader, options=BareOptions)
    found = failed(check_plugin("recognizer", "bad", plugin=bad, options={"sigma": 1.0}))
    assert "sigma" in found["its options are documented"]


def test_a_heavy_import_is_found(install: Callable[..., Path]) -> None:
    install(
        "heavy-dist",
        {"recognizers": {"heavy": "heavy_plugin"}},
        heavy_plugin="""
            import numpy
            from ensemble_core.hooks import hookimpl
            from ensemble_core.model import RecognizerSpec

            class Reader:
                def recognize(self, page, ctx):
                    raise NotImplementedError

            @hookimpl
            def ensemble_recognizers():
                return [RecognizerSpec(name="heavy", target="heavy_plugin:Reader", summary="x")]
        """,
    )
    found = failed(check_plugin("recognizer", "heavy"))
    assert "numpy" in found["importing the plugin is cheap"]


def test_a_component_that_is_not_there_is_an_error_not_a_result() -> None:
    with pytest.raises(MissingError, match="no recognizer 'moc'"):
        check_plugin("recognizer", "moc")


def test_another_api_version_is_an_error_not_a_result() -> None:
    with pytest.raises(ContractError, match="plugin API 99"):
        check_plugin("recognizer", "bad", plugin=recognizer(read, api=99))


STUBBORN = """
    import time
    from ensemble_core.hooks import hookimpl
    from ensemble_core.model import RecognizerSpec
    from ensemble_core.testing import sample_score

    class Reader:
        def recognize(self, page, ctx):
            time.sleep(6)
            return sample_score(1)

    @hookimpl
    def ensemble_recognizers():
        return [RecognizerSpec(
            name="stubborn", target="stubborn_plugin:Reader", summary="x", isolation="{}")]
"""


@pytest.mark.parametrize(("isolation", "stopped"), [("worker", True), ("inline", False)])
def test_what_cannot_stop_by_itself_must_live_in_a_worker(
    install: Callable[..., Path], tmp_path: Path, isolation: str, stopped: bool
) -> None:
    from ensemble_core.testing import RecognizerContract

    install(
        "stubborn-dist", {"recognizers": {"stubborn": "stubborn_plugin"}},
        stubborn_plugin=STUBBORN.format(isolation),
    )  # fmt: skip
    contract = type("C", (RecognizerContract,), {"name": "stubborn", "cooperative": False})()
    if stopped:
        contract.test_it_stops_when_cancelled(tmp_path)
    else:
        with pytest.raises(AssertionError, match="only a component in a worker"):
            contract.test_it_stops_when_cancelled(tmp_path)


class TestPreprocessors:
    """What the contract of preprocessors finds."""

    def check(self, process: Callable[[Page, Context], Page]) -> dict[str, str]:
        class Enhancer:
            def process(self, page: Page, ctx: Context) -> Page:
                return process(page, ctx)

        return failed(
            check_plugin(
                "preprocessor", "bad", plugin=plugin("preprocessor", PreprocessorSpec, Enhancer)
            )
        )

    def test_a_good_one_passes(self) -> None:
        def half(page: Page, ctx: Context) -> Page:
            image = gray(open_image(page, ctx))
            ctx.check()
            small = image.resize((max(1, image.width // 2), max(1, image.height // 2)))
            back = Affine.scale(image.width / small.width, image.height / small.height)
            return derive(page, small, ctx, to_input=back)

        assert self.check(half) == {}

    def test_a_wrong_affine_map_is_found(self) -> None:
        def wrong(page: Page, ctx: Context) -> Page:
            image = gray(open_image(page, ctx))
            ctx.check()
            return derive(page, image, ctx, to_input=Affine.scale(3))

        assert "the affine map is wrong" in self.check(wrong)["its output is valid"]

    def test_a_forgotten_history_is_found(self) -> None:
        def forgets(page: Page, ctx: Context) -> Page:
            return attrs.evolve(derive(page, gray(open_image(page, ctx)), ctx), history=())

        assert "history" in self.check(forgets)["its output is valid"]

    def test_a_mode_it_cannot_take_is_found(self) -> None:
        def fussy(page: Page, ctx: Context) -> Page:
            image = open_image(page, ctx)
            if image.mode == "CMYK":
                raise ValueError("no CMYK")
            return derive(page, image, ctx)

        assert "no CMYK" in self.check(fussy)["it works in every mode"]


class TestExporters:
    """What the contract of exporters finds."""

    def check(self, content: bytes, media_type: str, where: str = "workspace") -> dict[str, str]:
        class Writer:
            def export(self, score: Score, ctx: Context) -> tuple[Artifact, ...]:
                folder = ctx.workspace if where == "workspace" else ctx.workspace.parent
                path = folder / "made.bin"
                path.write_bytes(content)
                return (Artifact(path, media_type, ".bin"),)

        bad = plugin("exporter", ExporterSpec, Writer, media_type=media_type, suffix=".bin")
        return failed(check_plugin("exporter", "bad", plugin=bad))

    MIDI = bytes.fromhex("4d546864 00000006 0000 0001 0060 4d54726b 00000004 00ff2f00")

    def test_a_whole_midi_file_passes(self) -> None:
        assert "its output is valid" not in self.check(self.MIDI, "audio/midi")

    @pytest.mark.parametrize("content", [b"RIFF", MIDI[:-1], MIDI + b"\0", MIDI[:14]])
    def test_a_broken_midi_file_is_found(self, content: bytes) -> None:
        assert "its output is valid" in self.check(content, "audio/midi")

    @pytest.mark.parametrize("media_type", ["application/pdf", "image/png", "image/svg+xml"])
    def test_a_wrong_media_type_is_found(self, media_type: str) -> None:
        assert "its output is valid" in self.check(self.MIDI, media_type)

    def test_a_file_outside_the_workspace_is_found(self) -> None:
        found = self.check(self.MIDI, "audio/midi", where="elsewhere")
        assert "not in the workspace" in found["its output is valid"]


def test_catching_standard_output_leaves_it_as_it_was(capfd: pytest.CaptureFixture[str]) -> None:
    with standard_output() as caught:
        print("word")
        os.write(1, b"raw")
    print("after")
    assert caught == [b"rawword\n"]
    assert capfd.readouterr().out == "after\n"


def test_the_kit_is_importable_without_pytest() -> None:
    import subprocess
    import sys

    code = "import sys; sys.modules['pytest'] = None; import ensemble_core.testing"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_every_kind_has_a_contract() -> None:
    from ensemble_core.model import KINDS
    from ensemble_core.testing.checking import CONTRACTS

    assert set(CONTRACTS) == set(KINDS)


def test_every_clause_is_documented() -> None:
    from ensemble_core.testing import ScoreLoaderContract
    from ensemble_core.testing.checking import CONTRACTS

    page = Path(__file__).parent.parent / "docs" / "reference" / "conformance.md"
    told = set(re.findall(r"`(test_\w+)`", page.read_text(encoding="utf-8")))
    contracts = [*CONTRACTS.values(), ScoreLoaderContract]
    assert told == {name for c in contracts for name in dir(c) if name.startswith("test_")}
