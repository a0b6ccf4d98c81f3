"""Goes on from a net that was exported: its weights, made fit for learning again.

An exported net has each batch norm folded into the convolution before it. Here the norm is
put back so that the net gives the same as before: it is told the mean and deviation that
really come in, and undoes them by its scale and shift.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from net import SymbolNet
from torch import Tensor, nn

NET = Path(__file__).with_name("symbols.onnx")
"""The net in floating point, of which the package's is made."""


def weights_of(path: Path) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """The state of the net in an ONNX file, its norms doing nothing yet; and its kinds."""
    import onnx

    model = onnx.load(str(path))
    about = {entry.key: entry.value for entry in model.metadata_props}
    stored = {
        node.name.removeprefix("net."): torch.from_numpy(onnx.numpy_helper.to_array(node).copy())
        for node in model.graph.initializer
    }
    boxes = torch.tensor(json.loads(about["boxes"]))
    stored |= {"boxes.weight": boxes[:, :-1, None, None], "boxes.bias": boxes[:, -1]}
    state: dict[str, Tensor] = {}
    for name, value in stored.items():
        if not name.endswith(".0.bias"):
            state[name] = value
            continue
        norm = name.removesuffix("0.bias") + "1."
        state[norm + "bias"] = value
        state[norm + "weight"] = torch.ones_like(value)
        state[norm + "running_mean"] = torch.zeros_like(value)
        state[norm + "running_var"] = torch.ones_like(value)
    return state, tuple(json.loads(about["kinds"]))


def steady(net: SymbolNet, pictures: Iterable[Tensor], known: set[str]) -> None:
    """Tell each norm what comes in, with the same going out.

    Args:
        net: The net, its norms as :func:`weights_of` leaves them.
        pictures: Batches of pages, (N, 1, H, W).
        known: Names of the tensors that were taken over; other norms stay as they are.
    """
    sums: dict[str, list[Any]] = {}
    norms = {
        name: layer for name, layer in net.named_modules()
        if isinstance(layer, nn.BatchNorm2d) and f"{name}.bias" in known
    }  # fmt: skip

    def watch(name: str) -> Any:
        def hook(layer: nn.Module, given: tuple[Tensor, ...]) -> None:
            seen = given[0].double()
            total = sums.setdefault(name, [0.0, 0.0, 0])
            total[0] = total[0] + seen.mean((0, 2, 3))
            total[1] = total[1] + (seen * seen).mean((0, 2, 3))
            total[2] += 1

        return hook

    hooks = [layer.register_forward_pre_hook(watch(name)) for name, layer in norms.items()]
    net.eval()
    with torch.no_grad():
        for batch in pictures:
            net(batch)
        for name, (mean, square, count) in sums.items():
            layer, middle = norms[name], mean / count
            spread = (square / count - middle * middle).clamp(min=0) + layer.eps
            layer.weight.mul_(spread.sqrt().float())
            layer.bias.add_(middle.float() * layer.weight / spread.sqrt().float())
            layer.running_mean.copy_(middle.float())  # type: ignore[union-attr]
            layer.running_var.copy_((spread - layer.eps).float())  # type: ignore[union-attr]
    for handle in hooks:
        handle.remove()
