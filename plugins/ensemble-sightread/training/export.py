"""Writes the trained net as ONNX, and checks it against PyTorch.

    python training/export.py --run FOLDER [--thresholds FILE] [--out FILE]

What the package ships is made of that file by ``quantise.py``.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

sys.path.insert(0, str(Path(__file__).parent))
from ensemble_sightread.symbols import KINDS, MASKS
from net import STEP, SymbolNet
from shipped import NET


class Bytes(nn.Module):
    """The net from uint8 pixels to heat, features and masks, their channels last."""

    def __init__(self, net: SymbolNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Heat (logits), features and masks (logits): (N, rows, columns, channels)."""
        return tuple(each.permute(0, 2, 3, 1) for each in self.net.seen(image.float()))


def fold(module: nn.Module) -> None:
    """Fold each batch norm into the convolution before it."""
    for name, child in module.named_children():
        if (
            isinstance(child, nn.Sequential)
            and len(child) >= 2
            and isinstance(child[0], nn.Conv2d)
            and isinstance(child[1], nn.BatchNorm2d)
        ):
            fused = [fuse_conv_bn_eval(child[0], child[1]), *list(child)[2:]]
            setattr(module, name, nn.Sequential(*fused))
        else:
            fold(child)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--thresholds", type=Path)
    parser.add_argument("--out", type=Path, default=NET)
    args = parser.parse_args()
    state = torch.load(args.run / "last.pt", weights_only=True, map_location="cpu")
    net = SymbolNet()
    net.load_state_dict(state["ema"])
    net.eval()
    whole = Bytes(net)
    image = torch.randint(0, 256, (1, 1, 128, 192), dtype=torch.uint8)
    with torch.no_grad():
        wanted = net(image.float())
    fold(net)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    torch.onnx.export(
        whole, (image,), str(args.out), dynamo=False, opset_version=17,
        input_names=["image"], output_names=["heat", "features", "masks"],
        dynamic_axes={"image": {2: "h", 3: "w"}, "heat": {1: "h4", 2: "w4"},
                      "features": {1: "h4", 2: "w4"}, "masks": {1: "h2", 2: "w2"}},
    )  # fmt: skip
    thresholds = [0.35] * len(KINDS)
    if args.thresholds:
        given = json.loads(args.thresholds.read_text())
        thresholds = [given.get(kind, 0.35) for kind in KINDS]
    model = onnx.load(str(args.out))
    boxes = torch.cat([net.boxes.weight[:, :, 0, 0], net.boxes.bias[:, None]], 1)  # type: ignore
    about = {
        "kinds": json.dumps(KINDS), "thresholds": json.dumps(thresholds),
        "masks": json.dumps(MASKS), "step": str(STEP), "boxes": json.dumps(boxes.tolist()),
        "steps": str(state["step"]), "licence": "Apache-2.0",
    }  # fmt: skip
    onnx.helper.set_model_props(model, about)
    onnx.save(model, str(args.out))
    got = onnxruntime.InferenceSession(str(args.out)).run(None, {"image": image.numpy()})
    heat, features, masks = (np.moveaxis(each, 3, 1) for each in got)
    sizes = net.boxes(torch.from_numpy(features)).detach().numpy()
    apart = [
        float(np.abs(mine - truth.numpy()).max())
        for mine, truth in zip((heat, sizes, masks), wanted, strict=True)
    ]
    print(f"step {state['step']}, {args.out.stat().st_size} bytes, greatest difference {apart}")
    if max(apart) > 1e-2:
        raise SystemExit("the exported net differs from the trained one")


if __name__ == "__main__":
    main()
