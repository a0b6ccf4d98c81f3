"""The nets as we run them give what oemer's own inference gives."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
from ensemble_oemer.checkpoints import NETS, SYMBOLS
from ensemble_oemer.inference import Nets, corners
from ensemble_oemer.options import OemerOptions
from oemer_running import context

from ensemble_core.model import MissingError


def nothing(share: float) -> None:
    """Tell nobody."""


@pytest.mark.parametrize("kind", ["colour", "print"])
def test_the_classes_are_oemers_bit_for_bit(
    kind: str, nets: Mapping[str, Path], tune: Path, printed_tune: Path, tmp_path: Path
) -> None:
    oemer = pytest.importorskip("oemer")
    from oemer.inference import inference

    picture = {"colour": tune, "print": printed_tune}[kind]
    maps = Nets(OemerOptions()).predict(picture, context(nets[kind], tmp_path), nothing)
    assert maps is not None
    for net, ours in zip(NETS, (maps.staves, maps.symbols), strict=True):
        folder = tmp_path / net.folder
        shutil.copytree(nets[kind] / net.folder, folder)
        shipped = Path(oemer.__file__).parent / "checkpoints" / net.folder / "metadata.pkl"
        shutil.copy(shipped, folder)
        theirs, _ = inference(str(folder), str(picture))
        assert (theirs == ours).all()
        assert len(set(ours.ravel().tolist())) == net.classes, "some class never occurs"


def test_a_wider_step_needs_less_than_half_the_windows() -> None:
    def looked_at(step: int, window: int) -> int:
        return len(set(corners(2280, 1612, window, step)))

    for net in NETS:
        stock = len(corners(2280, 1612, net.window, 128))
        assert 2 * looked_at(192, net.window) < stock
        assert looked_at(128, net.window) < stock


def test_a_wider_step_sees_the_same(nets: Mapping[str, Path], tune: Path, tmp_path: Path) -> None:
    seen = [
        Nets(OemerOptions(step=step, batch=batch)).predict(
            tune, context(nets["colour"], tmp_path / str(step)), nothing
        )
        for step, batch in ((128, None), (192, 7))
    ]
    assert seen[0] is not None and seen[1] is not None
    assert (seen[0].staves == seen[1].staves).all() and (seen[0].symbols == seen[1].symbols).all()


def test_progress_rises_evenly_to_one(nets: Mapping[str, Path], tune: Path, tmp_path: Path) -> None:
    told: list[float] = []
    Nets(OemerOptions(batch=16)).predict(tune, context(nets["colour"], tmp_path), told.append)
    assert told == sorted(told) and told[-1] == 1.0
    steps = [after - before for before, after in zip([0.0, *told], told, strict=False)]
    assert max(steps) < 0.1


def test_a_page_without_staves_spares_the_second_net(
    nets: Mapping[str, Path], tune: Path, tmp_path: Path
) -> None:
    ctx = context(nets["blind"], tmp_path)
    ctx.models = {name: path for name, path in ctx.models.items() if name != SYMBOLS.file}
    assert Nets(OemerOptions()).predict(tune, ctx, nothing) is None


def test_nets_are_loaded_once_and_let_go_when_asked(
    nets: Mapping[str, Path], tune: Path, tmp_path: Path
) -> None:
    ctx = context(nets["colour"], tmp_path)
    kept, dropped = Nets(OemerOptions()), Nets(OemerOptions(keep_sessions=False))
    for each in (kept, dropped):
        assert each.predict(tune, ctx, nothing) is not None
    ctx.models = {}
    assert kept.predict(tune, ctx, nothing) is not None
    with pytest.raises(MissingError, match="missing"):
        dropped.predict(tune, ctx, nothing)


@pytest.mark.parametrize("provider", ["cuda", "coreml"])
def test_a_provider_that_is_not_there_is_said(
    provider: str, nets: Mapping[str, Path], tune: Path, tmp_path: Path
) -> None:
    import onnxruntime
    from ensemble_oemer.providers import PROVIDERS, _has_driver

    if PROVIDERS[provider] in onnxruntime.get_available_providers() and (
        provider != "cuda" or _has_driver()
    ):
        pytest.skip(f"this machine has {provider}")
    options = OemerOptions(provider=provider)
    with pytest.raises(MissingError, match=f"provider {provider}") as caught:
        Nets(options).predict(tune, context(nets["colour"], tmp_path), nothing)
    assert caught.value.code == "provider-missing" and "provider=auto" in caught.value.hint


def test_the_cpu_is_taken_silently_where_nothing_better_is(
    nets: Mapping[str, Path], tune: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    context_ = context(nets["colour"], tmp_path)
    assert Nets(OemerOptions(provider="auto")).predict(tune, context_, nothing) is not None
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("how", ["truncated", "rubbish", "swapped"])
def test_a_file_that_is_no_such_net_is_said(
    how: str, nets: Mapping[str, Path], tune: Path, tmp_path: Path
) -> None:
    ctx = context(nets["colour"], tmp_path)
    first, second = (tmp_path / net.file for net in NETS)
    whole = [ctx.models[net.file].read_bytes() for net in NETS]
    first.write_bytes({"truncated": whole[0][:200], "rubbish": b"x", "swapped": whole[1]}[how])
    second.write_bytes(whole[1])
    ctx.models = {path.name: path for path in (first, second)}
    with pytest.raises(MissingError) as caught:
        Nets(OemerOptions()).predict(tune, ctx, nothing)
    assert caught.value.code == "model-damaged" and "ensemble models" in caught.value.hint
