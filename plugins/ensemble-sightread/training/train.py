"""Trains the symbol net; stops at a given time, and goes on from its last checkpoint.

python training/train.py --pages FOLDER --run FOLDER --minutes 60
"""

from __future__ import annotations

import argparse
import copy
import math
import sys
import time
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).parent))
from data import Crops
from net import SymbolNet, loss


def average(ema: SymbolNet, net: SymbolNet, step: int) -> None:
    """Move the running average of the weights towards those of now."""
    keep = min(0.997, (1 + step) / (10 + step))
    now = net.state_dict()
    with torch.no_grad():
        for name, value in ema.state_dict().items():
            if value.dtype.is_floating_point:
                value.mul_(keep).add_(now[name], alpha=1 - keep)
            else:
                value.copy_(now[name])


def rate(elapsed: float, total: float, step: int, base: float) -> float:
    """Warm-up, then a cosine down to a fiftieth over the time given."""
    progress = min(elapsed / total, 1.0)
    cosine = 0.02 + 0.98 * (1 + math.cos(math.pi * progress)) / 2
    return base * cosine * min(1.0, (step + 1) / 100)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=Path, required=True)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--rate", type=float, default=1.5e-3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--workers", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    args.run.mkdir(parents=True, exist_ok=True)
    checkpoint = args.run / "last.pt"
    net = SymbolNet()
    optimizer = torch.optim.AdamW(net.parameters(), lr=args.rate, weight_decay=1e-4)
    step, before, ema = 0, 0.0, copy.deepcopy(net)
    if checkpoint.exists():
        state: dict[str, Any] = torch.load(checkpoint, weights_only=True)
        net.load_state_dict(state["net"])
        ema.load_state_dict(state["ema"])
        optimizer.load_state_dict(state["optimizer"])
        step, before = state["step"], state["seconds"]
    crops = torch.utils.data.DataLoader(
        Crops(args.pages, 1000 + step), batch_size=args.batch, num_workers=args.workers,
        prefetch_factor=8 if args.workers else None,
    )  # fmt: skip
    started = saved = time.monotonic()
    total = before + args.minutes * 60
    sums = [0.0, 0.0]
    net.train()

    def save() -> None:
        torch.save(
            {
                "net": net.state_dict(), "ema": ema.state_dict(), "step": step,
                "optimizer": optimizer.state_dict(),
                "seconds": before + time.monotonic() - started,
            },
            checkpoint.with_suffix(".tmp"),
        )  # fmt: skip
        checkpoint.with_suffix(".tmp").replace(checkpoint)

    for image, wanted, regress, mask in crops:
        elapsed = before + time.monotonic() - started
        if elapsed > total:
            break
        for group in optimizer.param_groups:
            group["lr"] = rate(elapsed, total, step, args.rate)
        heat, boxes = net(image.float())
        focal, size = loss(heat, boxes, wanted.float(), regress, mask)
        optimizer.zero_grad(set_to_none=True)
        (focal + size).backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimizer.step()
        average(ema, net, step)
        sums = [sums[0] + focal.item(), sums[1] + size.item()]
        step += 1
        if step % 50 == 0:
            print(
                f"{time.strftime('%H:%M:%S')} step {step} heat {sums[0] / 50:.3f} "
                f"box {sums[1] / 50:.3f} {elapsed:.0f} s", flush=True,
            )  # fmt: skip
            sums = [0.0, 0.0]
        if time.monotonic() - saved > 120:
            save()
            saved = time.monotonic()
    save()


if __name__ == "__main__":
    main()
