"""The symbol net: a small U-Net with centre heat maps (as in CenterNet, arXiv:1904.07850)."""

from __future__ import annotations

import torch
from ensemble_sightread.symbols import KINDS
from torch import Tensor, nn
from torch.nn import functional


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
    """Gray page (N, 1, H, W; 0 to 255, sides divisible by 16) to maps at a quarter of its size.

    ``forward`` gives heat (N, K, H/4, W/4; logits) and boxes (N, 4, H/4, W/4: offset of the
    centre in cells, log of width and height in staff spaces of 10 px).
    """

    def __init__(self, widths: tuple[int, int, int, int] = (16, 32, 64, 96)) -> None:
        super().__init__()
        a, b, c, d = widths
        self.stem = conv(1, a, 5, 2)
        self.quarter = nn.Sequential(conv(a, b, 3, 2), Block(b))
        self.eighth = nn.Sequential(conv(b, c, 3, 2), Block(c))
        self.sixteenth = nn.Sequential(conv(c, d, 3, 2), Block(d), Block(d))
        self.up_eighth = conv(d, c, 1)
        self.join_eighth = Block(c)
        self.up_quarter = conv(c, b, 1)
        self.join_quarter = Block(b)
        self.head = conv(b, 48)
        self.heat = nn.Conv2d(48, len(KINDS), 1)
        self.boxes = nn.Conv2d(48, 4, 1)
        nn.init.constant_(self.heat.bias, -4.6)  # type: ignore[arg-type]
        nn.init.normal_(self.heat.weight, std=0.01)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Heat logits and boxes."""
        x = 1 - image / 255
        quarter = self.quarter(self.stem(x))
        eighth = self.eighth(quarter)
        x = self.up_eighth(self.sixteenth(eighth))
        x = self.join_eighth(eighth + functional.interpolate(x, scale_factor=2.0))
        x = self.up_quarter(x)
        x = self.join_quarter(quarter + functional.interpolate(x, scale_factor=2.0))
        x = self.head(x)
        return self.heat(x), self.boxes(x)


def loss(
    heat: Tensor, boxes: Tensor, wanted: Tensor, regress: Tensor, mask: Tensor
) -> tuple[Tensor, Tensor]:
    """Focal loss of the heat maps and L1 loss of offsets and log sizes."""
    care = (mask >= 0).unsqueeze(1).float()
    p = torch.sigmoid(heat)
    hit = (wanted > 0.999).float()
    log_p, log_q = functional.logsigmoid(heat), functional.logsigmoid(-heat)
    positive = hit * (1 - p) ** 2 * log_p
    negative = (1 - hit) * (1 - wanted) ** 4 * p * p * log_q
    found = hit.sum().clamp(min=1)
    focal = -((positive + negative) * care).sum() / found
    there = (mask > 0).unsqueeze(1).float()
    weight = torch.tensor([1.0, 1.0, 0.5, 0.5]).view(1, 4, 1, 1)
    size = ((boxes - regress).abs() * weight * there).sum() / there.sum().clamp(min=1)
    return focal, size
