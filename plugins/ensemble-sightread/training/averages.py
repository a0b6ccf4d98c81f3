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
    now = net.state_dict()
    with torch.no_grad():
        for name, value in ema.state_dict().items():
            if value.dtype.is_floating_point:
                value.mul_(keep).add_(now[name], alpha=1 - keep)
            else:
                value.copy_(now[name])
