"""A running average of a net's weights, which reads better than the weights of any one step."""

from __future__ import annotations

import torch
from torch import nn


def average(ema: nn.Module, net: nn.Module, step: int, most: float = 0.998) -> None:
    """Move the average towards the weights of now.

    Args:
        ema: The average.
        net: The net that learns.
        step: How many steps it has learnt: the first weigh more.
        most: How much of the average is kept in a step, at most.
    """
    keep = min(most, (1 + step) / (10 + step))
    pairs = list(zip(ema.state_dict().values(), net.state_dict().values(), strict=True))
    floats = [(kept, now) for kept, now in pairs if kept.dtype.is_floating_point]
    kept, now = (list(column) for column in zip(*floats, strict=True))
    with torch.no_grad():
        torch._foreach_mul_(kept, keep)
        torch._foreach_add_(kept, now, alpha=1 - keep)
        for count, latest in pairs:
            if not count.dtype.is_floating_point:
                count.copy_(latest)
