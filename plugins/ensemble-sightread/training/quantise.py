"""Makes the net that is shipped of the trained one: whole numbers of 8 bits, a third faster.

    python training/quantise.py --pages FOLDER [--net training/symbols.onnx] [--out FILE]

Weights have a scale per channel; those of what goes on between layers are set by crops of the
training pages, plain and worn. Weights use 7 of their 8 bits, as processors without VNNI
instructions add two products in 16 bits. The first layer and the boxes stay floating point.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

sys.path.insert(0, str(Path(__file__).parent))
from data import PLAIN, Pages, view
from ensemble_sightread.glyphs import MODEL
from ensemble_sightread.symbols import SPACE
from shipped import NET

CROPS, SIDE = 60, 640
FLOATING = ("/net/stem/", "/net/boxes/")
"""Layers that stay as they are: what they read or say does not fit 256 steps."""


class Crops(CalibrationDataReader):  # type: ignore[misc]
    """Crops of pages, every third each plain, like a scan and like a photo."""

    def __init__(self, pages: Pages) -> None:
        self.left = self.crops(pages)

    def crops(self, pages: Pages) -> Iterator[np.ndarray]:
        """The same ones each time, shape (1, 1, SIDE, SIDE)."""
        r = random.Random(1)
        for number in range(CROPS):
            page = r.randrange(len(pages.names))
            height, width = pages.pixels(page).shape
            middle = (width * r.uniform(0.3, 0.7), height * r.uniform(0.3, 0.7))
            how = (PLAIN, "scan", "photo")[number % 3]
            yield view(pages, r, page, middle, SIDE, how, SPACE).image[None, None]

    def get_next(self) -> dict[str, np.ndarray] | None:
        """The next one, or None behind the last."""
        crop = next(self.left, None)
        return None if crop is None else {"image": crop}


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=Path, required=True)
    parser.add_argument("--net", type=Path, default=NET)
    parser.add_argument("--out", type=Path, default=MODEL)
    args = parser.parse_args()
    whole = onnx.load(str(args.net))
    layers = [node.name for node in whole.graph.node if node.op_type == "Conv"]
    with tempfile.TemporaryDirectory() as folder:
        ready = str(Path(folder) / "net.onnx")
        quant_pre_process(whole, ready, skip_symbolic_shape=True)
        quantize_static(
            ready, str(args.out), Crops(Pages(args.pages)),
            quant_format=QuantFormat.QDQ, op_types_to_quantize=["Conv", "Add", "Relu", "Resize"],
            per_channel=True, reduce_range=True,
            activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
            nodes_to_exclude=[name for name in layers if name.startswith(FLOATING)],
        )  # fmt: skip
    made = onnx.load(str(args.out))
    onnx.helper.set_model_props(made, {entry.key: entry.value for entry in whole.metadata_props})
    onnx.save(made, str(args.out))
    print(f"{args.out.stat().st_size} bytes")


if __name__ == "__main__":
    main()
