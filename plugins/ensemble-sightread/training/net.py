"""The symbol net: a small U-Net with centre heat maps (as in CenterNet, arXiv:1904.07850)
and masks of thin things (as in U-Net, arXiv:1505.04597)."""

from __future__ import annotations

import torch
from ensemble_sightread.symbols import KINDS, MASKS
from torch import Tensor, nn
from torch.nn import functional

STEP = 32
"""Sides of the picture are multiples of this."""


def conv(inside: int, outside: int, size: int = 3, stride: int = 1) -> nn.Sequential:
    """Convolution, batch norm, ReLU."""
    return nn.Sequential(
        nn.Conv2d(inside, outside, size, stride, size // 2, bias=False),
        nn.BatchNorm2d(outside),
        nn.ReLU(inplace=True),
    )


class Block(nn.Module):
    """Two convolutions around which the input is added."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = conv(width, width)
        self.second = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Same shape out as in."""
        return functional.relu(x + self.second(self.first(x)))


class SymbolNet(nn.Module):
    """Gray page (N, 1, H, W; 0 to 255, sides divisible by 32) to maps.

    ``forward`` gives heat (N, K, H/4, W/4; logits), boxes (N, 4, H/4, W/4: offset of the
    centre in cells, log of width and height in staff spaces of 10 px) and masks (N, M, H/2,
    W/2; logits).
    """

    def __init__(
        self, widths: tuple[int, int, int, int, int] = (16, 32, 64, 96, 128), head: int = 64
    ) -> None:
        super().__init__()
        a, b, c, d, e = widths
        self.stem = conv(1, a, 5, 2)
        self.quarter = nn.Sequential(conv(a, b, 3, 2), Block(b))
        self.eighth = nn.Sequential(conv(b, c, 3, 2), Block(c))
        self.sixteenth = nn.Sequential(conv(c, d, 3, 2), Block(d), Block(d))
        self.deepest = nn.Sequential(conv(d, e, 3, 2), Block(e), Block(e))
        self.up_sixteenth = conv(e, d, 1)
        self.up_eighth = conv(d, c, 1)
        self.join_eighth = Block(c)
        self.up_quarter = conv(c, b, 1)
        self.join_quarter = Block(b)
        self.head = conv(b, head)
        self.heat = nn.Conv2d(head, len(KINDS), 1)
        self.boxes = nn.Conv2d(head, 4, 1)
        self.up_half = conv(b, a, 1)
        self.join_half = conv(a, a)
        self.masks = nn.Conv2d(a, len(MASKS), 1)
        nn.init.constant_(self.heat.bias, -4.6)  # type: ignore[arg-type]
        nn.init.normal_(self.heat.weight, std=0.01)
        nn.init.constant_(self.masks.bias, -2.5)  # type: ignore[arg-type]

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Heat logits, boxes and mask logits."""
        heat, features, thin = self.seen(image)
        return heat, self.boxes(features), thin

    def seen(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Heat logits, the features that boxes are made of, and mask logits."""
        half = self.stem(1 - image / 255)
        quarter = self.quarter(half)
        eighth = self.eighth(quarter)
        sixteenth = self.sixteenth(eighth)
        x = sixteenth + twice(self.up_sixteenth(self.deepest(sixteenth)))
        x = self.join_eighth(eighth + twice(self.up_eighth(x)))
        x = self.join_quarter(quarter + twice(self.up_quarter(x)))
        thin = self.masks(self.join_half(half + twice(self.up_half(x))))
        x = self.head(x)
        return self.heat(x), x, thin


def twice(x: Tensor) -> Tensor:
    """Every pixel as four."""
    return functional.interpolate(x, scale_factor=2.0)


def take_over(net: SymbolNet, state: dict[str, Tensor], kinds: tuple[str, ...]) -> list[str]:
    """Start from the weights of another net where they fit; returns the names that did not.

    Wider layers take what there is into their first channels; heat maps go by kind.

    Args:
        net: The net to fill.
        state: The other's state.
        kinds: The kinds the other knows.
    """
    own = net.state_dict()
    rows = [kinds.index(kind) if kind in kinds else -1 for kind in KINDS]
    for name, value in state.items():
        if name not in own:
            continue
        if name.startswith("heat."):
            taken = [i for i, row in enumerate(rows) if row >= 0]
            part = value[[rows[i] for i in taken]]
            own[name][(taken, slice(0, part.shape[1])) if part.dim() > 1 else (taken,)] = part
            if part.dim() > 1:  # widened channels begin without a say
                own[name][taken, part.shape[1] :] = 0
        elif value.dim() == own[name].dim():
            own[name][tuple(slice(0, n) for n in value.shape)] = value
    if "up_sixteenth.1.weight" not in state:  # nothing from the deepest stage, to begin with
        own["up_sixteenth.1.weight"].zero_()
    net.load_state_dict(own)
    return [n for n, value in own.items() if n not in state or value.shape != state[n].shape]


def loss(
    outputs: tuple[Tensor, Tensor, Tensor],
    wanted: Tensor,
    regress: Tensor,
    where: Tensor,
    thin: Tensor,
) -> dict[str, Tensor]:
    """The parts of the loss: focal (heat), L1 (offsets, log sizes), cross entropy and Dice.

    Args:
        outputs: What the net gave.
        wanted: Heat maps, (N, K, h, w), 0 to 255.
        regress: Offsets and log sizes, (N, 4, h, w).
        where: (N, h, w): 1 where a symbol's centre is, below 0 where nothing is learnt.
        thin: Masks wanted, (N, H/2, W/2): bit ``i`` of a byte is ``MASKS[i]``.
    """
    heat, boxes, masks = (x.float() for x in outputs)
    aim = wanted.float() / 255
    care = (where >= 0).unsqueeze(1).float()
    p = torch.sigmoid(heat)
    hit = (wanted == 255).float()
    log_p, log_q = functional.logsigmoid(heat), functional.logsigmoid(-heat)
    positive = hit * (1 - p) ** 2 * log_p
    negative = (1 - hit) * (1 - aim) ** 4 * p * p * log_q
    focal = -((positive + negative) * care).sum() / hit.sum().clamp(min=1)
    there = (where > 0).unsqueeze(1).float()
    weight = torch.tensor([1.0, 1.0, 0.5, 0.5], device=boxes.device).view(1, 4, 1, 1)
    size = ((boxes - regress.float()).abs() * weight * there).sum() / there.sum().clamp(min=1)
    bits = torch.arange(len(MASKS), device=thin.device).view(1, -1, 1, 1)
    there = ((thin.unsqueeze(1) >> bits) & 1).float()
    entropy = functional.binary_cross_entropy_with_logits(masks, there)
    q = torch.sigmoid(masks)
    overlap = (q * there).sum((0, 2, 3))
    area = there.sum((0, 2, 3))
    alike = (2 * overlap + 50) / (q.sum((0, 2, 3)) + area + 50)
    dice = ((1 - alike) * (area > 0)).mean()  # what is not on the crops would only be unlearnt
    return {"heat": focal, "box": size, "mask": 3 * entropy + 0.5 * dice}
