"""oemer's two model files: which they are, where they are looked for, whether they are whole."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import attrs


@attrs.frozen
class Net:
    """One of oemer's nets.

    Attributes:
        folder: Its folder below ``checkpoints``.
        release: Its name among the files of the release.
        size: Its size in bytes; oemer publishes no hash.
        output: Name of its output tensor.
        classes: How many classes it tells apart.
        window: Side of the square it looks at, in pixels.
    """

    folder: str
    release: str
    size: int
    output: str
    classes: int
    window: int


NETS = (
    Net("unet_big", "1st_model.onnx", 70_767_752, "prediction", 3, 256),
    Net("seg_net", "2nd_model.onnx", 38_448_467, "conv2d_25", 4, 288),
)


def checkpoint_folder() -> Path:
    """Where oemer itself keeps its model files: in its own package."""
    spec = importlib.util.find_spec("oemer")
    places = list(spec.submodule_search_locations or ()) if spec else []
    return Path(places[0] if places else "oemer") / "checkpoints"


def model_file(folder: Path, net: Net) -> Path:
    """The file of a net: as oemer lays it, or by its name in the release."""
    laid = folder / net.folder / "model.onnx"
    return laid if laid.exists() or not (folder / net.release).exists() else folder / net.release


def problems(folder: Path, sizes: bool = True) -> list[str]:
    """What is wrong with the model files in a folder, one line each.

    Args:
        folder: Where they should be.
        sizes: Also hold them to their published sizes, so that half a download is noticed.
    """
    found = []
    for net in NETS:
        path = model_file(folder, net)
        if not path.is_file():
            found.append(f"the model file {path} is missing ({net.size / 1e6:.0f} MB)")
        elif sizes and path.stat().st_size != net.size:
            size = path.stat().st_size
            found.append(f"the model file {path} has {size:,} bytes instead of {net.size:,}")
    return found
