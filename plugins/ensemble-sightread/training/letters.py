"""Trains the net that reads lines of text, and writes it as ONNX.

    python training/letters.py --scores FOLDER --run FOLDER --minutes 77
    python training/letters.py --run FOLDER --export [--out FILE]

Lines are made on the fly (``sayings.py``, ``lines.py``, ``strangers.py``). A run that was
stopped goes on where it was; more minutes make it longer. One core trains, a second makes
the lines.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

sys.path.insert(0, str(Path(__file__).parent))
import lines
import sayings
import strangers
from averages import average
from ensemble_sightread.letters import ALPHABET, BASE, HEIGHT, MODEL, STRIDE, X_HEIGHT

CLASSES = len(ALPHABET) + 1
SAVE_SECONDS = 60


class LetterNet(nn.Module):
    """From pixels, shape (N, HEIGHT, W), 0 to 255, to classes and style of W / STRIDE frames."""

    def __init__(self, width: int = 144) -> None:
        super().__init__()

        def conv(before: int, after: int, kernel: tuple[int, int], stride: tuple[int, int],
                 pad: tuple[int, int]) -> nn.Sequential:  # fmt: skip
            return nn.Sequential(
                nn.Conv2d(before, after, kernel, stride, pad, bias=False),
                nn.BatchNorm2d(after), nn.ReLU(inplace=True),
            )  # fmt: skip

        self.eye = nn.Sequential(
            conv(1, 16, (3, 3), (2, 1), (1, 1)),
            conv(16, 32, (3, 3), (2, 2), (1, 1)),
            conv(32, 64, (3, 3), (2, 1), (1, 1)),
            conv(64, width, (4, 1), (1, 1), (0, 0)),
        )
        self.trunk = nn.ModuleList(
            conv(width, width, (1, 3), (1, 1), (0, reach)) for reach in (1, 1, 1, 1)
        )
        for block, reach in zip(self.trunk, (1, 2, 4, 1), strict=True):
            block[0].dilation, block[0].padding = (1, reach), (0, reach)  # type: ignore[union-attr,index]
        self.classes = nn.Conv2d(width, CLASSES, 1)
        self.style = nn.Conv2d(width, 2, 1)

    def forward(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Logits of the classes, shape (N, frames, CLASSES), and of italic, bold (N, frames, 2)."""
        x = self.eye(rows[:, None] / 255)
        for block in self.trunk:
            x = x + block(x)
        return self.classes(x)[:, :, 0].transpose(1, 2), self.style(x)[:, :, 0].transpose(1, 2)


class Rows(torch.utils.data.IterableDataset[Any]):
    """Batches of rows without end; most lines are shown a few times in other company."""

    def __init__(self, texts: dict[str, list[str]], seed: int, batch: int) -> None:
        self.texts, self.seed, self.batch = texts, seed, batch

    def __iter__(self) -> Iterator[tuple[Tensor, ...]]:
        os.nice(1)
        torch.set_num_threads(1)
        lines.cv2.setNumThreads(1)
        r = random.Random(self.seed)
        said = sayings.Sayings(self.texts, r)
        pool: list[lines.Line] = []
        while True:
            fresh = [self._line(said, r) for _ in range(max(24, 200 - len(pool)))]
            pool = (pool + [line for line in fresh if line])[-3000:]
            rows = [lines.row(r.choices(pool, k=9), r) for _ in range(self.batch)]
            numbers = [[ALPHABET.index(c) + 1 for c in text] for _, text, *_ in rows]
            yield (
                torch.from_numpy(np.stack([row[0] for row in rows])),
                torch.tensor([n for row in numbers for n in row]),
                torch.tensor([len(row) for row in numbers]),
                torch.from_numpy(np.stack([row[2] for row in rows])),
                torch.from_numpy(np.stack([row[3] for row in rows])),
            )

    @staticmethod
    def _line(said: sayings.Sayings, r: random.Random) -> lines.Line | None:
        return strangers.stranger(r) if r.random() < 0.14 else lines.set_line(said.draw(), r)


def losses(net: LetterNet, batch: list[Tensor], guided: float) -> dict[str, Tensor]:
    """The parts of the loss; ``guided`` weighs what is told frame by frame, 1 to 0."""
    pixels, wanted, lengths, frames, style = batch
    classes, slant = net(pixels.float())
    logs = functional.log_softmax(classes, -1)
    count = torch.full((len(pixels),), logs.shape[1])
    ctc = functional.ctc_loss(
        logs.transpose(0, 1), wanted, count, lengths, reduction="sum", zero_infinity=True
    )
    known = style >= 0
    parts = {"ctc": (1 - guided) * ctc / max(1, int(lengths.sum()))}
    if guided > 0:
        weight = torch.ones(CLASSES)
        weight[0] = 0.5
        parts["frames"] = guided * functional.nll_loss(logs.flatten(0, 1), frames.flatten(), weight)
    parts["style"] = 0.2 * functional.binary_cross_entropy_with_logits(
        slant.transpose(1, 2)[known], style[known]
    )
    return parts


def edits(a: str, b: str) -> int:
    """Levenshtein distance."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a):
        last, row[0] = row[0], i + 1
        for j, y in enumerate(b):
            last, row[j + 1] = row[j + 1], min(row[j + 1] + 1, row[j] + 1, last + (x != y))
    return row[-1]


def error(logits: Tensor, batch: list[Tensor]) -> float:
    """Character error rate of a batch, read greedily."""
    best = logits.argmax(-1).tolist()
    truth = batch[1].tolist()
    wrong, at = 0, 0
    for row, long in zip(best, batch[2].tolist(), strict=True):
        said = [c for c, before in zip(row, [0, *row], strict=False) if c and c != before]
        wanted = truth[at : at + long]
        at += long
        wrong += edits("".join(map(chr, said)), "".join(map(chr, wanted)))
    return wrong / max(1, len(truth))


def train(args: argparse.Namespace) -> None:
    """Learn for ``args.minutes`` in all."""
    args.run.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    texts = sayings.collect(args.scores, args.run / "texts.json")
    net, ema = LetterNet(), LetterNet()
    optimizer = torch.optim.AdamW(net.parameters(), lr=args.rate, weight_decay=1e-3)
    step, before = 0, 0.0
    store = args.run / "last.pt"
    if store.exists():
        state = torch.load(store, weights_only=True)
        net.load_state_dict(state["net"])
        ema.load_state_dict(state["ema"])
        optimizer.load_state_dict(state["optimizer"])
        step, before = state["step"], state["seconds"]
    else:
        ema.load_state_dict(net.state_dict())

    def save(seconds: float) -> None:
        torch.save({"net": net.state_dict(), "ema": ema.state_dict(), "step": step,
                    "optimizer": optimizer.state_dict(), "seconds": seconds},
                   store.with_suffix(".tmp"))  # fmt: skip
        store.with_suffix(".tmp").replace(store)

    loader = torch.utils.data.DataLoader(
        Rows(texts, 1000 + step, args.batch), batch_size=None, num_workers=1, prefetch_factor=8
    )
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    started = saved = time.monotonic()
    sums: Counter[str] = Counter()
    net.train()
    try:
        for batch in loader:
            now = time.monotonic()
            done = (before + now - started) / (60 * args.minutes)
            if done > 1:
                break
            for group in optimizer.param_groups:
                group["lr"] = args.rate * min(1, (step + 1) / 100) * (
                    0.02 + 0.49 * (1 + math.cos(math.pi * done)))  # fmt: skip
            parts = losses(net, batch, max(0.0, 1 - done / args.guided))
            optimizer.zero_grad(set_to_none=True)
            torch.stack(list(parts.values())).sum().backward()
            nn.utils.clip_grad_norm_(net.parameters(), 2.0)
            optimizer.step()
            step += 1
            average(ema, net, step, 0.997)
            sums.update({**{k: v.item() for k, v in parts.items()}, "steps": 1})
            if step % 50 == 0:
                many = sums.pop("steps")
                ema.eval()
                with torch.no_grad():
                    wrong = error(ema(batch[0].float())[0], batch)
                said = " ".join(f"{name} {value / many:.4f}" for name, value in sums.items())
                print(f"{time.strftime('%H:%M:%S')} step {step} {said} CER {wrong:.4f} "
                      f"{now - started + before:.0f} s", flush=True)  # fmt: skip
                sums.clear()
            if now - saved > SAVE_SECONDS:
                save(before + now - started)
                saved = now
    finally:
        save(before + time.monotonic() - started)


class Read(nn.Module):
    """The net as it is shipped: bytes in; the best class of each frame, how sure it is, style."""

    def __init__(self, net: LetterNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Classes (N, frames) int64, probabilities (N, frames), style (N, frames, 2)."""
        classes, style = self.net(rows.float())
        sure, best = torch.softmax(classes, -1).max(-1)
        return best, sure, torch.sigmoid(style)


def export(args: argparse.Namespace) -> None:
    """Write the averaged net as ONNX with what the reader must know of it."""
    import onnx
    import onnxruntime
    from export import fold

    state = torch.load(args.run / "last.pt", weights_only=True)
    net = LetterNet()
    net.load_state_dict(state["ema"])
    net.eval()
    fold(net)
    rows = torch.randint(0, 256, (2, HEIGHT, 256), dtype=torch.uint8)
    torch.onnx.export(
        Read(net), (rows,), str(args.out), dynamo=False, opset_version=17,
        input_names=["rows"], output_names=["classes", "sure", "style"],
        dynamic_axes={"rows": {0: "n", 2: "w"}, "classes": {0: "n", 1: "f"},
                      "sure": {0: "n", 1: "f"}, "style": {0: "n", 1: "f"}},
    )  # fmt: skip
    model = onnx.load(str(args.out))
    about = {
        "alphabet": json.dumps(ALPHABET), "height": str(HEIGHT), "base": str(BASE),
        "x_height": str(X_HEIGHT), "stride": str(STRIDE), "steps": str(state["step"]),
        "licence": "Apache-2.0",
    }  # fmt: skip
    onnx.helper.set_model_props(model, about)
    onnx.save(model, str(args.out))
    with torch.no_grad():
        wanted = Read(net)(rows)[1].numpy()
    got = onnxruntime.InferenceSession(str(args.out)).run(None, {"rows": rows.numpy()})[1]
    apart = float(np.abs(got - wanted).max())
    print(f"step {state['step']}, {args.out.stat().st_size} bytes, greatest difference {apart}")
    if apart > 1e-3:
        raise SystemExit("the exported net differs from the trained one")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scores", type=Path, help="folder with lieder and quartets")
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=77, help="of the whole run")
    parser.add_argument("--batch", type=int, default=12)
    parser.add_argument("--rate", type=float, default=3e-3)
    parser.add_argument(
        "--guided", type=float, default=0.3, help="part of the run with known places"
    )
    parser.add_argument("--export", action="store_true")
    parser.add_argument("--out", type=Path, default=MODEL)
    args = parser.parse_args()
    (export if args.export else train)(args)


if __name__ == "__main__":
    main()
