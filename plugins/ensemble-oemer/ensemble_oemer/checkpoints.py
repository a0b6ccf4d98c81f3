"""oemer's two nets: what they look at, what they tell apart, and the files they are in."""

from __future__ import annotations

import attrs

from ensemble_core.model import ModelFile

_RELEASE = "https://github.com/BreezeWhite/oemer/releases/download/checkpoints/"
_HOSTS = ("objects.githubusercontent.com", "release-assets.githubusercontent.com")


@attrs.frozen
class Net:
    """One of oemer's nets. It takes ``input``, uint8 of shape (n, window, window, 3), BGR.

    Attributes:
        file: Its name among the files of oemer's release.
        folder: Where oemer keeps it, below ``checkpoints``.
        size: Size of the published file in bytes; no hash is published.
        output: Name of its output, float32 of shape (n, window, window, classes).
        classes: How many classes it tells apart.
        window: Side of the square it looks at, in pixels.
    """

    file: str
    folder: str
    size: int
    output: str
    classes: int
    window: int


STAVES = Net("1st_model.onnx", "unet_big", 70_767_752, "prediction", 3, 256)
"""Classes: 0 background, 1 staff line, 2 symbol."""

SYMBOLS = Net("2nd_model.onnx", "seg_net", 38_448_467, "conv2d_25", 4, 288)
"""Classes: 0 background, 1 stem, rest or bar line, 2 notehead, 3 clef, key or accidental."""

NETS = (STAVES, SYMBOLS)

MODELS = tuple(
    ModelFile(
        net.file, _RELEASE + net.file, net.size,
        hosts=_HOSTS, aliases=(f"{net.folder}/model.onnx",), licence="MIT",
    )
    for net in NETS
)  # fmt: skip
