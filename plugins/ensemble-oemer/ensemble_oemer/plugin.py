"""The hooks of ensemble-oemer."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ensemble_core.hooks import hookimpl
from ensemble_core.model import Diagnostic, Plan, RecognizerSpec, Requirement

from .checkpoints import NETS, checkpoint_folder, problems


@hookimpl
def ensemble_recognizers() -> list[RecognizerSpec]:
    """The recognizer; it takes minutes a page, so it is never chosen unless it is named."""
    return [
        RecognizerSpec(
            name="oemer",
            target="ensemble_oemer.recognizer:OemerRecognizer",
            options="ensemble_oemer.options:OemerOptions",
            summary="oemer 0.1.8, two large neural nets; minutes a page, one or two staves",
            version="1",
            priority=-100,
            requires=(
                Requirement("module", "oemer", "pip install --no-deps oemer==0.1.8"),
                Requirement("module", "sklearn", "pip install 'ensemble-oemer[engine]'"),
                Requirement("module", "onnxruntime", "pip install 'ensemble-oemer[engine]'"),
            ),
        )
    ]


@hookimpl
def ensemble_check(plan: Plan) -> Iterable[Diagnostic]:
    """Say before a long wait that the model files are missing or not whole."""
    chosen = [step for step in (plan.recognizer, *plan.fallbacks) if step]
    for step in chosen:
        if step.target == "ensemble_oemer.recognizer:OemerRecognizer":
            given = step.options.get("checkpoints")
            folder = Path(given) if given else checkpoint_folder()
            for text in problems(folder):
                yield Diagnostic(
                    "error", "model-missing", text, component="oemer",
                    hint=f"download {' and '.join(net.release for net in NETS)} from the release "
                    f"'checkpoints' of BreezeWhite/oemer into {folder}",
                )  # fmt: skip
