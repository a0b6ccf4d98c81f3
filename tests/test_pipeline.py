"""The pipeline with in-process plugins: what an embedding program sees."""

from __future__ import annotations

import contextlib
import io
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import attrs
import pytest
from in_process import Toy
from PIL import Image

from ensemble_core import CancelToken, Config, Pipeline
from ensemble_core.model import (
    Affine,
    Box,
    ConfigError,
    Context,
    ContractError,
    Diagnostic,
    DiagnosticRaised,
    DocumentDone,
    ExitCode,
    MissingError,
    Page,
    PageDone,
    Progress,
    RecognitionError,
    RunDone,
    RunStarted,
    Score,
    StageStarted,
)
from ensemble_core.musicxml import count_measures
from ensemble_core.pipeline import Input, joined
from ensemble_core.pipeline.outputs import Placer


def pipeline(toy: Toy, tmp_path: Path, **more: Any) -> Pipeline:
    given: dict[str, Any] = {"recognizer": f"{toy.name}-reader", "export": [f"{toy.name}-exporter"]}
    options = {"run": {"cache-dir": str(tmp_path / "cache")}, **more.pop("sections", {})}
    return Pipeline(plugins=[toy], config=Config.from_mapping(options), **{**given, **more})


def test_pictures_come_out_as_files_and_a_score(page_png: Path, tmp_path: Path) -> None:
    toy = Toy()
    result = pipeline(toy, tmp_path, preprocess=["toy-enhancer"]).run([page_png])
    assert result.ok
    (document,) = result.documents
    assert document.outputs[0].data is not None and document.outputs[0].data.startswith(b"toy")
    assert document.score is not None
    assert count_measures(document.score.musicxml) == 1
    assert document.score.pages[0].width == 20
    assert toy.calls == ["load 0", "process 0", "recognize 0"]
    assert result.report.plan["recognizer"]["name"] == "toy-reader"


def test_bytes_and_streams_are_inputs_too(page_png: Path, tmp_path: Path) -> None:
    data = page_png.read_bytes()
    result = pipeline(Toy(), tmp_path).run([data, io.BytesIO(data), page_png.open("rb")])
    assert [d.report.status for d in result.documents] == ["ok"] * 3
    assert [d.report.name for d in result.documents] == ["input", "input", "page.png"]


def test_events_come_in_order_with_ids(page_png: Path, tmp_path: Path) -> None:
    toy, seen = Toy(), []
    pipeline(toy, tmp_path).run([page_png], on_event=seen.append)
    kinds = [type(event) for event in seen]
    assert kinds[0] is RunStarted and kinds[-1] is RunDone
    for kind in (StageStarted, Progress, PageDone, DiagnosticRaised, DocumentDone):
        assert kind in kinds
    assert len({event.run for event in seen}) == 1
    assert [e.time for e in seen] == sorted(e.time for e in seen)
    assert toy.events == seen


def test_an_observer_that_raises_stops_nothing(page_png: Path, tmp_path: Path) -> None:
    def boom(_: object) -> None:
        raise ValueError("boom")

    toy = Toy(event=boom)
    seen: list[Any] = []
    assert pipeline(toy, tmp_path).run([page_png], on_event=seen.append).ok
    warnings = [e.diagnostic for e in seen if isinstance(e, DiagnosticRaised)]
    assert [w.code for w in warnings].count("observer-raised") == 1


def test_a_second_run_recognizes_nothing_and_gives_the_same(page_png: Path, tmp_path: Path) -> None:
    toy = Toy()
    first = pipeline(toy, tmp_path).run([page_png])
    second = pipeline(toy, tmp_path).run([page_png])
    assert toy.calls.count("recognize 0") == 1
    assert second.documents[0].report.pages[0].cached
    assert first.documents[0].outputs == second.documents[0].outputs
    codes = [d.code for d in second.documents[0].report.diagnostics]
    assert "toy-note" in codes, "what a page said is kept with it"


def test_what_decides_a_result_decides_the_cache(page_png: Path, tmp_path: Path) -> None:
    toy = Toy()
    pipeline(toy, tmp_path).run([page_png])
    pipeline(toy, tmp_path, preprocess=["toy-enhancer"]).run([page_png])
    pipeline(toy, tmp_path, options={"toy-loader": {"pages": 2}}).run([page_png])
    assert toy.calls.count("recognize 0") == 3
    off = {"run": {"cache": False}}
    pipeline(toy, tmp_path, sections=off).run([page_png])
    assert toy.calls.count("recognize 0") == 4


def failing_on(*pages: int) -> Any:
    from made_up import BARS

    def recognize(page: Page, ctx: Context) -> Score:
        if page.index in pages:
            raise RecognitionError(f"page {page.index + 1} is blank")
        return Score(BARS)

    return recognize


def test_a_failed_page_leaves_the_rest_and_says_which_bars(page_png: Path, tmp_path: Path) -> None:
    toy = Toy(recognize=failing_on(1))
    result = pipeline(toy, tmp_path, options={"toy-loader": {"pages": 3}}).run([page_png])
    report = result.documents[0].report
    assert report.status == "partial" and report.exit_code == ExitCode.PARTIAL
    assert [p.status for p in report.pages] == ["ok", "failed", "ok"]
    assert (
        report.pages[1].error is not None and "page 2 is blank" in report.pages[1].error["message"]
    )
    assert len(report.missing) == 1 and "page 2" in report.missing[0]
    assert result.documents[0].score is not None
    assert count_measures(result.documents[0].score.musicxml) == 2


def test_when_all_pages_fail_the_document_fails_with_their_code(
    page_png: Path, tmp_path: Path
) -> None:
    toy = Toy(recognize=failing_on(0, 1))
    result = pipeline(toy, tmp_path, options={"toy-loader": {"pages": 2}}).run([page_png])
    assert result.report.exit_code == ExitCode.RECOGNITION
    assert result.documents[0].outputs == ()


def test_a_failed_enhancement_warns_and_goes_on_unless_told_to_fail(
    page_png: Path, tmp_path: Path
) -> None:
    def broken(page: Page, ctx: Context) -> Page:
        raise IndexError("off by one")

    toy = Toy(process=broken)
    kind = pipeline(toy, tmp_path, preprocess=["toy-enhancer"]).run([page_png])
    assert kind.ok
    found = {d.code: d for d in kind.documents[0].report.diagnostics}
    assert "off by one" in found["preprocessor-skipped"].message
    assert found["preprocessor-skipped"].component == "toy-enhancer"
    strict = [{"use": "toy-enhancer", "on-error": "fail"}]
    result = pipeline(toy, tmp_path, preprocess=strict).run([page_png])
    assert result.report.exit_code == ExitCode.CONTRACT


def test_a_recognizer_falls_back_page_by_page(page_png: Path, tmp_path: Path) -> None:
    first, second = Toy("first", recognize=failing_on(1)), Toy("second")
    made = Pipeline(
        plugins=[first, second],
        recognizer={"use": "first-reader", "fallback": ["second-reader"]},
        export=["first-exporter"],
        options={"second-loader": {"pages": 2}, "first-loader": {"pages": 2}},
    )
    result = made.run([page_png])
    assert result.ok
    assert first.calls.count("recognize 0") + first.calls.count("recognize 1") == 2
    assert second.calls.count("recognize 0") == 0 and second.calls.count("recognize 1") == 1
    assert "recognizer-fell-back" in [d.code for d in result.documents[0].report.diagnostics]


@pytest.mark.parametrize(
    ("switch", "value", "code"),
    [
        ("recognize", "not a score", ExitCode.CONTRACT),
        ("recognize", Score(b"not xml"), ExitCode.CONTRACT),
        ("load", None, ExitCode.CONTRACT),
        ("export", ["x"], ExitCode.CONTRACT),
    ],
)
def test_garbage_from_a_component_is_its_broken_contract(
    page_png: Path, tmp_path: Path, switch: str, value: Any, code: ExitCode
) -> None:
    toy = Toy(**{switch: lambda *_: value})
    report = pipeline(toy, tmp_path).run([page_png]).documents[0].report
    assert report.exit_code == code and report.error is not None
    assert report.error["component"].startswith("toy-")


def test_boxes_come_back_in_pixels_of_the_source(page_png: Path, tmp_path: Path) -> None:
    def halve(page: Page, ctx: Context) -> Page:
        return attrs.evolve(page, to_source=page.to_source.after(Affine.scale(2)))

    result = pipeline(Toy(process=halve), tmp_path, preprocess=["toy-enhancer"]).run([page_png])
    assert result.documents[0].score is not None
    assert result.documents[0].score.elements[0].box == Box(2, 2, 6, 6)


def test_pages_can_be_chosen(page_png: Path, tmp_path: Path) -> None:
    toy = Toy()
    made = pipeline(toy, tmp_path, options={"toy-loader": {"pages": 9}})
    result = made.run([page_png], pages=[0, 6])
    assert [p.index for p in result.documents[0].report.pages] == [0, 6]
    none = made.run([page_png], pages=[20])
    assert none.report.exit_code == ExitCode.INPUT


def test_a_plan_serves_again(page_png: Path, tmp_path: Path) -> None:
    toy = Toy()
    made = pipeline(toy, tmp_path, options={"toy-loader": {"pages": 9}})
    planned = made.planned([Input("page", (page_png,), ("page.png",))], pages=[2])
    first, again = (made.run([page_png], planned=planned) for _ in range(2))
    for result in (first, again):
        assert [p.index for p in result.documents[0].report.pages] == [2]
    assert first.report.plan == again.report.plan == made.run([page_png], pages=[2]).report.plan


def test_joined_inputs_become_one_score(page_png: Path, tmp_path: Path) -> None:
    result = pipeline(Toy(), tmp_path).run([joined([page_png, page_png])])
    assert len(result.documents) == 1 and result.documents[0].score is not None
    assert count_measures(result.documents[0].score.musicxml) == 2


def test_too_many_pages_is_a_limit(page_png: Path, tmp_path: Path) -> None:
    made = pipeline(
        Toy(), tmp_path, options={"toy-loader": {"pages": 3}}, sections={"limits": {"max-pages": 2}}
    )
    assert made.run([page_png]).report.exit_code == ExitCode.LIMIT
    assert made.run([page_png], pages=[0, 1]).ok


def test_outputs_are_placed_whole_and_never_over_others(page_png: Path, tmp_path: Path) -> None:
    toy, out = Toy(), tmp_path / "out"
    first = pipeline(toy, tmp_path).run([page_png], output=f"{out}/")
    target = out / "page.toy"
    assert first.documents[0].report.outputs == (str(target),)
    assert [p.name for p in out.iterdir()] == ["page.toy"]
    again = pipeline(toy, tmp_path).run([page_png], output=f"{out}/")
    assert again.report.exit_code == ExitCode.OUTPUT
    skipped = pipeline(toy, tmp_path).run([page_png], output=f"{out}/", policy="skip")
    assert skipped.documents[0].report.status == "skipped" and skipped.ok
    resumed = pipeline(toy, tmp_path).run([page_png], output=f"{out}/", policy="resume")
    assert resumed.ok
    target.write_text("mine")
    refused = pipeline(toy, tmp_path).run([page_png], output=f"{out}/", policy="resume")
    assert refused.report.exit_code == ExitCode.OUTPUT and target.read_text() == "mine"
    assert pipeline(toy, tmp_path).run([page_png], output=f"{out}/", policy="overwrite").ok
    assert target.read_text() != "mine"


def test_two_inputs_never_write_the_same_file(page_png: Path, tmp_path: Path) -> None:
    other = tmp_path / "sub" / "page.png"
    other.parent.mkdir()
    other.write_bytes(page_png.read_bytes())
    with pytest.raises(ConfigError, match="would both write"):
        pipeline(Toy(), tmp_path).run([page_png, other], output=f"{tmp_path}/out/")
    result = pipeline(Toy(), tmp_path).run(
        [page_png, other], output=f"{tmp_path}/o/{{index}}-{{stem}}"
    )
    assert [Path(d.report.outputs[0]).name for d in result.documents] == [
        "1-page.toy",
        "2-page.toy",
    ]


def test_two_documents_that_end_at_once_share_a_new_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither writes before the folder is there, whichever began to make it."""
    source = tmp_path / "made.musicxml"
    source.write_bytes(b"made")
    both, make = threading.Barrier(2), Path.mkdir

    def mkdir(self: Path, mode: int = 0o777, parents: bool = False, exist_ok: bool = False) -> None:
        with contextlib.suppress(threading.BrokenBarrierError):
            both.wait(1)  # one alone makes the folder late
        make(self, mode, parents, exist_ok)

    placer, finals = Placer("error", None), [tmp_path / "new" / name for name in "ab"]
    monkeypatch.setattr(Path, "mkdir", mkdir)
    with ThreadPoolExecutor(2) as pool:
        placed = list(pool.map(lambda final: placer.place("", {source: final}), finals))
    assert placed == [[final] for final in finals]
    assert [final.read_bytes() for final in finals] == [b"made", b"made"]


def test_a_name_without_a_known_suffix_is_a_folder(page_png: Path, tmp_path: Path) -> None:
    result = pipeline(Toy(), tmp_path).run([page_png], output=tmp_path / "new")
    assert result.documents[0].report.outputs == (str(tmp_path / "new" / "page.toy"),)
    named = pipeline(Toy(), tmp_path).run([page_png], output=tmp_path / "tune.toy")
    assert named.documents[0].report.outputs == (str(tmp_path / "tune.toy"),)


def test_a_bad_template_is_a_usage_error(page_png: Path, tmp_path: Path) -> None:
    for template in ("{date}/x", "{stem", "{0}"):
        with pytest.raises(ConfigError):
            pipeline(Toy(), tmp_path).run([page_png], output=template)


def test_cancelling_stops_before_the_next_page(page_png: Path, tmp_path: Path) -> None:
    token = CancelToken()

    def stop(page: Page, ctx: Context) -> Score:
        token.cancel()
        ctx.check()
        raise AssertionError("not reached")

    toy = Toy(recognize=stop)
    made = pipeline(toy, tmp_path, options={"toy-loader": {"pages": 3}})
    result = made.run([page_png], cancel=token)
    assert result.report.exit_code == ExitCode.CANCELLED
    assert result.documents[0].report.status == "cancelled"
    assert toy.calls == ["load 0", "recognize 0"]


def test_a_deadline_stops_cooperative_work(page_png: Path, tmp_path: Path) -> None:
    def slow(page: Page, ctx: Context) -> Score:
        while True:
            ctx.check()

    made = pipeline(Toy(recognize=slow), tmp_path, sections={"run": {"page-deadline": 0.2}})
    assert made.run([page_png]).report.exit_code == ExitCode.DEADLINE


def test_a_check_can_refuse_the_plan(page_png: Path, tmp_path: Path) -> None:
    found = Diagnostic("error", "model-missing", "no weights", "fetch them")
    with pytest.raises(MissingError, match="no weights"):
        pipeline(Toy(check=lambda plan: [found]), tmp_path).run([page_png])
    found = Diagnostic("error", "odd-order", "binarize before deskew")
    with pytest.raises(ConfigError, match="binarize before deskew"):
        pipeline(Toy(check=lambda plan: [found]), tmp_path).run([page_png])


def test_misspelled_components_and_options_are_refused(page_png: Path, tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="did you mean 'toy-reader'"):
        pipeline(Toy(), tmp_path, recognizer="toy-raeder").run([page_png])
    with pytest.raises(ConfigError, match="did you mean 'pages'"):
        pipeline(Toy(), tmp_path, options={"toy-loader": {"page": 1}}).run([page_png])
    with pytest.raises(ConfigError, match="no such component"):
        pipeline(Toy(), tmp_path, options={"toy-laoder": {"pages": 1}}).run([page_png])
    with pytest.raises(ConfigError, match="has no options"):
        pipeline(Toy(), tmp_path, options={"toy-reader": {"x": 1}}).run([page_png])


def test_a_live_plugin_with_a_misspelled_hook_is_refused_at_once() -> None:
    from ensemble_core import hookimpl

    class Bad:
        @hookimpl
        def ensemble_recogniser(self) -> None: ...

    with pytest.raises(ContractError, match="ensemble_recogniser"):
        Pipeline(plugins=[Bad()])


def test_the_plan_is_data_and_runs_nothing(page_png: Path, tmp_path: Path) -> None:
    toy = Toy()
    plan = pipeline(toy, tmp_path, preprocess=["toy-enhancer"]).plan([page_png])
    assert [step.name for step in plan.preprocess] == ["toy-enhancer"]
    assert plan.loaders["image/png"].options == {"pages": 1}
    assert toy.calls == []
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        plan.jobs = 3  # type: ignore[misc]


def test_jobs_times_threads_stay_within_the_cores() -> None:
    import os

    from ensemble_core.pipeline.planner import share_cores

    cores = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    for jobs in range(cores + 1):
        for threads in range(cores + 3):
            got_jobs, got_threads = share_cores(jobs, threads)
            assert got_jobs >= 1 and got_threads >= 1
            assert got_jobs * got_threads <= max(cores, got_jobs)


def test_one_page_alone_gets_all_threads(
    page_png: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: set(range(4)), raising=False)
    other, film = tmp_path / "other.png", tmp_path / "film.tiff"
    other.write_bytes(page_png.read_bytes())
    Image.open(page_png).save(film)

    def shared(*inputs: Path, pages: list[int] | None = None, jobs: int = 0) -> tuple[int, int]:
        run = {"run": {"jobs": jobs}}
        plan = pipeline(Toy(), tmp_path, sections=run).plan(inputs, pages)
        return plan.jobs, plan.threads

    assert shared(page_png) == (1, 4)
    assert shared(page_png, other) == (2, 2)
    assert shared(page_png, other, page_png, other, page_png) == (4, 1)
    assert shared(film) == (4, 1)  # it may have many
    assert shared(film, pages=[0]) == (1, 4)
    assert shared(page_png, jobs=2) == (2, 2)


def test_an_input_that_is_not_there_fails_alone(page_png: Path, tmp_path: Path) -> None:
    inputs = [page_png, tmp_path / "none.png", tmp_path]
    result = pipeline(Toy(), tmp_path).run(inputs)
    assert [d.report.status for d in result.documents] == ["ok", "failed", "failed"]
    assert result.report.exit_code == ExitCode.PARTIAL
    alone = pipeline(Toy(), tmp_path).run([tmp_path / "none.png"])
    assert alone.report.exit_code == ExitCode.INPUT


def test_an_input_can_name_its_folder(page_png: Path, tmp_path: Path) -> None:
    given = Input("named.png", (page_png,), ("named.png",), tmp_path / "there")
    result = pipeline(Toy(), tmp_path).run([given], output="")
    assert result.documents[0].report.outputs == (str(tmp_path / "there" / "named.toy"),)


def test_an_executor_is_a_strategy_too(tmp_path: Path) -> None:
    from made_up import BARS

    toy = Toy()
    made = Pipeline(
        plugins=[toy], export=["musicxml", "toy-exporter"],
        config=Config.from_mapping({"run": {"executor": "toy-executor"}}),
    )  # fmt: skip
    assert made.run([BARS]).ok
    assert toy.calls[0].startswith("open ") and toy.calls[-1] == "close"
    assert "task ensemble_core.pipeline.work:read_score" in toy.calls


def test_resuming_tries_the_failed_pages_again(page_png: Path, tmp_path: Path) -> None:
    out = f"{tmp_path}/out/"
    bad = Toy(recognize=failing_on(1))
    pages = {"toy-loader": {"pages": 3}}
    first = pipeline(bad, tmp_path, options=pages).run([page_png], output=out)
    assert first.report.exit_code == ExitCode.PARTIAL
    good = Toy()
    again = pipeline(good, tmp_path, options=pages).run([page_png], output=out, policy="resume")
    assert again.ok and again.documents[0].report.status == "ok"
    assert good.calls == ["load 1", "recognize 1"]
    assert (tmp_path / "out" / "page.toy").read_bytes().count(b"<measure") == 3
    done = pipeline(good, tmp_path, options=pages).run([page_png], output=out, policy="resume")
    assert done.documents[0].report.status == "skipped"
