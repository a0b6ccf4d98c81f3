"""Trains the symbol net; stops at a given time, and goes on from its last checkpoint.

    python training/train.py --pages FOLDER --run FOLDER --minutes 150 [--start OLD]

``OLD`` is a checkpoint (``last.pt``) or an exported net (``symbols.onnx``) to begin from. Uses a
CUDA device if there is one (bfloat16, bigger batches), else the processor.
"""

from __future__ import annotations

import argparse
import copy
import math
import os
import signal
import sys
import time
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).parent))
from averages import average
from data import Crops
from ensemble_sightread.symbols import KINDS
from net import SymbolNet, loss, take_over
from shipped import steady, weights_of

SAVE_SECONDS = 180


def rate(done: float, step: int, base: float) -> float:
    """Warm-up, then a cosine down to a fiftieth; ``done`` is the part of the run behind."""
    cosine = 0.02 + 0.98 * (1 + math.cos(math.pi * min(done, 1.0))) / 2
    return base * cosine * min(1.0, (step + 1) / 100)


class Training:
    """The net, its average and optimizer, and how far they are."""

    def __init__(self, folder: Path, device: torch.device, base: float) -> None:
        self.checkpoint, self.moments = folder / "last.pt", folder / "optimizer.pt"
        self.device, self.base = device, base
        self.net = SymbolNet()
        self.step, self.seconds = 0, 0.0
        self.ema = copy.deepcopy(self.net)
        for net in (self.net, self.ema):
            net.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimizer = torch.optim.AdamW(self.net.parameters(), lr=base, weight_decay=1e-4)

    def resume(self) -> bool:
        """Go on from the checkpoint, if there is one."""
        if not self.checkpoint.exists():
            return False
        state: dict[str, Any] = torch.load(
            self.checkpoint, weights_only=True, map_location=self.device
        )
        self.net.load_state_dict(state["net"])
        self.ema.load_state_dict(state["ema"])
        self.step, self.seconds = state["step"], state["seconds"]
        if self.moments.exists():
            kept = torch.load(self.moments, weights_only=True, map_location=self.device)
            if kept["step"] == self.step:
                self.optimizer.load_state_dict(kept["optimizer"])
        return True

    def start_from(self, path: Path, crops: Crops) -> None:
        """Take over the weights of another run, or of an exported net, where they fit."""
        if path.suffix == ".onnx":
            weights, kinds = weights_of(path)
        else:
            state: dict[str, Any] = torch.load(path, weights_only=True, map_location="cpu")
            weights, kinds = state["ema"], tuple(state["kinds"])
        fresh = take_over(self.net, weights, kinds)
        if path.suffix == ".onnx":
            seen = (torch.from_numpy(image)[None].float() for image, *_ in islice(crops, 64))
            steady(self.net, (batch.to(self.device) for batch in seen), set(weights))
        self.ema.load_state_dict(self.net.state_dict())
        print(f"weights of {path}; {len(fresh)} tensors are new or wider")

    def save(self, seconds: float) -> None:
        """Write the checkpoint, each of its two files whole or not at all."""
        weights = {
            "net": self.net.state_dict(), "ema": self.ema.state_dict(), "step": self.step,
            "seconds": seconds, "kinds": KINDS,
        }  # fmt: skip
        moments = {"optimizer": self.optimizer.state_dict(), "step": self.step}
        for path, state in ((self.moments, moments), (self.checkpoint, weights)):
            torch.save(state, path.with_suffix(".tmp"))
            path.with_suffix(".tmp").replace(path)

    def learn(self, batch: list[torch.Tensor], done: float) -> dict[str, float]:
        """One step; the parts of the loss."""
        image, thin, wanted, regress, where = (
            part.to(self.device, non_blocking=True) for part in batch
        )
        for group in self.optimizer.param_groups:
            group["lr"] = rate(done, self.step, self.base)
        pixels = image.float().contiguous(memory_format=torch.channels_last)
        cuda = self.device.type == "cuda"
        with torch.autocast(self.device.type, torch.bfloat16, enabled=cuda):
            outputs = self.net(pixels)
        parts = loss(outputs, wanted, regress, where, thin)
        self.optimizer.zero_grad(set_to_none=True)
        torch.stack(list(parts.values())).sum().backward()
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 5.0)
        self.optimizer.step()
        average(self.ema, self.net, self.step)
        self.step += 1
        return {name: part.item() for name, part in parts.items()}


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=Path, required=True)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--start", type=Path, help="checkpoint of another net to begin from")
    parser.add_argument("--minutes", type=float, default=150, help="of the whole run")
    parser.add_argument("--stop-after", type=float, help="minutes until this call ends")
    parser.add_argument("--batch", type=int)
    parser.add_argument("--side", type=int, help="of a crop, in pixels")
    parser.add_argument("--rate", type=float, default=1.5e-3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--workers", type=int)
    args = parser.parse_args()
    cuda = torch.cuda.is_available()
    torch.set_num_threads(args.threads)
    torch.backends.cudnn.benchmark = True
    args.run.mkdir(parents=True, exist_ok=True)
    training = Training(args.run, torch.device("cuda" if cuda else "cpu"), args.rate)
    resumed = training.resume()
    drawn = Crops(args.pages, 1000 + training.step, args.side or (384 if cuda else 256))
    if not resumed and args.start:
        training.start_from(args.start, drawn)
    crops = torch.utils.data.DataLoader(
        drawn, batch_size=args.batch or (32 if cuda else 4), pin_memory=cuda, prefetch_factor=8,
        num_workers=args.workers or (max((os.cpu_count() or 2) - 1, 1) if cuda else 1),
    )  # fmt: skip
    loop(training, crops, args.minutes * 60, (args.stop_after or args.minutes) * 60)


def loop(training: Training, crops: Any, total: float, here: float) -> None:
    """Learn until the run's ``total`` seconds are over, or this call's ``here``."""
    before, started = training.seconds, time.monotonic()
    saved = started
    sums: Counter[str] = Counter()  # of the losses, and of the steps
    training.net.train()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        for batch in crops:
            now = time.monotonic()
            elapsed = before + now - started
            if elapsed > total or now - started > here:
                break
            sums.update({**training.learn(batch, elapsed / total), "steps": 1})
            if training.step % 50 == 0:
                many = sums.pop("steps")
                shown = " ".join(f"{name} {value / many:.3f}" for name, value in sums.items())
                print(f"{time.strftime('%H:%M:%S')} step {training.step} {shown} {elapsed:.0f} s",
                      flush=True)  # fmt: skip
                sums.clear()
            if now - saved > SAVE_SECONDS:
                training.save(elapsed)
                saved = now
    finally:
        training.save(before + time.monotonic() - started)


if __name__ == "__main__":
    main()
