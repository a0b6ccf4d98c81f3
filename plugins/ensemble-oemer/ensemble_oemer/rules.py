"""oemer's rules: from what the nets saw to MusicXML, stage by stage.

``oemer.ete.extract`` calls its stages by names of its own module. While it runs, these names
lead to wrappers that tell how far it is, look at the context and know where it failed, and
its inference hands out class maps that are there already.
"""

from __future__ import annotations

import io
import threading
import warnings
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

from ensemble_core.model import Context, Diagnostic, EnsembleError

from .engine import load_oemer, masks_stay_masks
from .failures import typed
from .graces import drop_graces
from .inference import Maps, Tell

STAGES = {
    "dewarp": ("estimate_coords", 0.0),
    "staves": ("staff_extract", 0.3),
    "noteheads": ("note_extract", 0.5),
    "groups": ("group_extract", 0.6),
    "symbols": ("symbol_extract", 0.7),
    "rhythm": ("rhythm_extract", 0.8),
    "musicxml": ("MusicXMLBuilder", 0.95),
}
"""Stage → its function in ``oemer.ete``, and the share of the rules' time before it."""

one_at_a_time = threading.RLock()
"""oemer keeps a page in global variables, and its functions are replaced while one is read."""


class _Stages:
    """Where oemer is."""

    def __init__(self, ctx: Context, tell: Tell) -> None:
        self._ctx, self._tell = ctx, tell
        self.now = "start"

    def report(self, diagnostic: Diagnostic) -> None:
        self._ctx.report(diagnostic)

    def wrap(self, stage: str, share: float, function: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*arguments: Any, **named: Any) -> Any:
            self.now = stage
            self._ctx.check()
            self._tell(share)
            return function(*arguments, **named)

        return wrapped


def read_maps(
    picture: Path, maps: Maps, ctx: Context, tell: Tell, *, dewarp: bool, mend: bool = True
) -> bytes:
    """Make MusicXML of what the nets saw on a page.

    Where oemer's dewarping fails, the page is read again without it, and a warning says so.

    Args:
        picture: The page the maps were made of, alone in its folder.
        maps: What is where.
        ctx: Of the call.
        tell: Gets the share of the rules that is done.
        dewarp: Straighten curved staves first.
        mend: Keep masks whole when they are bent, and leave grace notes out.

    Raises:
        RecognitionError: oemer's rules failed on the page.
    """
    ete = load_oemer()
    stages = _Stages(ctx, tell)
    with one_at_a_time, _replaced(ete, maps, stages, mend):
        try:
            return _extract(ete, picture, dewarp)
        except EnsembleError:
            raise
        except Exception as error:
            if not dewarp or stages.now != "dewarp":
                raise typed(error, stages.now) from error
            ctx.report(_not_straightened(error))
        try:
            return _extract(ete, picture, False)
        except EnsembleError:
            raise
        except Exception as error:
            raise typed(error, stages.now) from error


def _extract(ete: Any, picture: Path, dewarp: bool) -> bytes:
    arguments = Namespace(
        img_path=str(picture), output_path=str(picture.with_suffix(".musicxml")), use_tf=False,
        save_cache=False, without_deskew=not dewarp,
    )  # fmt: skip
    ete.clear_data()  # what an earlier page left would silently be read again
    try:
        with redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return Path(ete.extract(arguments)).read_bytes()
    finally:
        ete.clear_data()


@contextmanager
def _replaced(ete: Any, maps: Maps, stages: _Stages, mend: bool) -> Iterator[None]:
    """Let the names ``ete.extract`` calls lead to our wrappers for a while."""

    def inference(model_path: str, *_: Any, **__: Any) -> tuple[Any, None]:
        return (maps.staves if model_path.endswith("unet_big") else maps.symbols), None

    def rhythm() -> None:
        before["rhythm_extract"]()
        graces = drop_graces(ete.layers) if mend else 0
        if graces:
            stages.report(_without_graces(graces))

    builder = ete.MusicXMLBuilder
    names = {name: (stage, share) for stage, (name, share) in STAGES.items()}
    before = {name: getattr(ete, name) for name in (*names, "inference", "dewarp")}
    ours = {
        "rhythm_extract": rhythm,
        "MusicXMLBuilder": lambda title: builder(title=""),  # it would be the picture's name
    }
    try:
        for name, (stage, share) in names.items():
            setattr(ete, name, stages.wrap(stage, share, ours.get(name, before[name])))
        ete.inference = inference
        if mend:
            ete.dewarp = masks_stay_masks(ete.dewarp)
        yield
    finally:
        for name, function in before.items():
            setattr(ete, name, function)


def _not_straightened(error: Exception) -> Diagnostic:
    return Diagnostic(
        "warning", "oemer-not-straightened",
        f"oemer could not straighten the staves ({type(error).__name__}); read as they are",
        "the steps crop, flatten and deskew before it help with photos",
    )  # fmt: skip


def _without_graces(count: int) -> Diagnostic:
    return Diagnostic(
        "info", "oemer-grace-notes",
        f"left out {count} noteheads much smaller than the others: grace notes, which oemer "
        "takes for notes of a length",
    )  # fmt: skip
