"""Makes the net that is shipped of the trained one: whole numbers of 8 bits, a third faster.

    python training/quantise.py --pages FOLDER [--net training/symbols.onnx] [--out FILE]

Weights have a scale per channel; those of what goes on between layers are set by crops of the
training pages, plain and worn. Weights use 7 of their 8 bits, as processors without VNNI
instructions add two products in 16 bits. The first layer stays floating point.

What the net gives stays in bytes, and pixels are doubled by copying them: to make numbers of the
bytes, and ONNX Runtime's Resize, which uses one thread, would take a fifth of all the time.
"""

from __future__ import annotations

import argparse
import json
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
FLOATING = "/net/stem/"
"""The layer that stays as it is: in whole numbers it would take longer."""
ROWS_LAST, CHANNELS_LAST = [0, 3, 1, 2], [0, 2, 3, 1]


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


def give_bytes(model: onnx.ModelProto) -> dict[str, tuple[float, float]]:
    """Let the net give its outputs as bytes; their steps and zeros (see ``glyphs.Scale``)."""
    graph = model.graph
    makers = {output: node for node in graph.node for output in node.output}
    values = {each.name: onnx.numpy_helper.to_array(each) for each in graph.initializer}
    scales = {}
    for output in graph.output:
        last = makers[output.name]  # a transposition
        numbers = makers[last.input[0]]
        scales[output.name] = tuple(float(values[name]) for name in numbers.input[1:])
        last.input[0] = numbers.input[0]
        output.type.tensor_type.elem_type = onnx.TensorProto.UINT8
        if not any(numbers.output[0] in node.input for node in graph.node):
            graph.node.remove(numbers)
    return scales


def double_by_copying(model: onnx.ModelProto) -> None:
    """Put copies of columns, then of rows, in the place of each Resize."""
    graph, node = model.graph, onnx.helper.make_node
    makers = {output: node for node in graph.node for output in node.output}
    weights = {each.name: each for each in graph.initializer}
    graph.initializer.append(onnx.numpy_helper.from_array(np.array([1, 2, 2, 1]), "doubled"))
    for resize in [each for each in graph.node if each.op_type == "Resize"]:
        numbers = makers[resize.input[0]]
        after = next(each for each in graph.node if resize.output[0] in each.input)
        layer = makers[makers[numbers.input[0]].input[0]]
        width = weights[makers[layer.input[1]].input[0]].dims[0]
        at = f"{resize.name}/"
        graph.initializer.append(
            onnx.numpy_helper.from_array(np.array([0, 0, -1, width]), f"{at}wide")
        )
        place = list(graph.node).index(resize)
        graph.node.remove(resize)
        graph.node.remove(after)
        for each in (
            node("Transpose", [f"{at}twice"], [after.output[0]], perm=ROWS_LAST),
            node("Reshape", [f"{at}rows", f"{at}size"], [f"{at}twice"]),
            node("Concat", [f"{at}columns"] * 2, [f"{at}rows"], axis=2),
            node("Reshape", [f"{at}pairs", f"{at}wide"], [f"{at}columns"]),
            node("Concat", [f"{at}once"] * 2, [f"{at}pairs"], axis=3),
            node("Mul", [f"{at}shape", "doubled"], [f"{at}size"]),
            node("Shape", [f"{at}once"], [f"{at}shape"]),
            node("Transpose", [numbers.input[0]], [f"{at}once"], perm=CHANNELS_LAST),
        ):
            graph.node.insert(place, each)


def without_unused(model: onnx.ModelProto) -> None:
    """Drop constants nothing asks for any more."""
    asked = {name for node in model.graph.node for name in node.input}
    kept = [each for each in model.graph.initializer if each.name in asked]
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)


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
    double_by_copying(made)
    scales = give_bytes(made)
    without_unused(made)
    about = {entry.key: entry.value for entry in whole.metadata_props}
    onnx.helper.set_model_props(made, {**about, "scales": json.dumps(scales)})
    onnx.checker.check_model(made)
    onnx.save(made, str(args.out))
    print(f"{args.out.stat().st_size} bytes")


if __name__ == "__main__":
    main()
