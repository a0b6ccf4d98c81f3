"""The hook of the six image enhancers."""

from __future__ import annotations

from ensemble_core.hooks import hookimpl
from ensemble_core.model import PreprocessorSpec, Requirement

_NEEDS = (
    Requirement("module", "numpy", "pip install numpy"),
    Requirement("module", "cv2", "pip install opencv-python-headless"),
)


def _spec(name: str, component: str, summary: str) -> PreprocessorSpec:
    return PreprocessorSpec(
        name=name,
        target=f"ensemble_sharpen.{name}:{component}",
        options=f"ensemble_sharpen.options:{component}Options",
        summary=summary,
        version="1",
        requires=() if name in ("sharpen", "enhance") else _NEEDS,
    )


@hookimpl
def ensemble_preprocessors() -> list[PreprocessorSpec]:
    """The enhancers, each with options of its own."""
    return [
        _spec("sharpen", "Sharpen", "Magnify small pages, gray, full contrast, crisp edges"),
        _spec("enhance", "Enhance", "Fit large pages, a little brighter, richer and crisper"),
        _spec("deskew", "Deskew", "Turn the page so that its staves lie level"),
        _spec("flatten", "Flatten", "Even out shadows and uneven light"),
        _spec("binarize", "Binarize", "Black ink on white paper, nothing between (Sauvola, Otsu)"),
        _spec("crop", "Crop", "Cut a photo down to the sheet of paper on it"),
    ]
