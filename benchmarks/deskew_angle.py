"""How well ``deskew`` measures a known angle on engraved pages.

    python benchmarks/deskew_angle.py [folder of PDFs] [--turns 8]

Every first page is rendered at 200 dpi, turned by known angles (a third of them below one
degree), clean and degraded (blur, noise, a shadow across the page), and measured.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from ensemble_pdf.loader import PdfLoader
from ensemble_pdf.options import PdfOptions
from ensemble_sharpen.skew import slope
from PIL import Image

from ensemble_core.imaging import gray, open_image
from ensemble_core.model import Context, Document

DATA = Path(os.environ.get("ENSEMBLE_DATA", Path(__file__).parents[2] / "shared" / "data"))


def degraded(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Soft, noisy and unevenly lit, as a poor photo is."""
    array = cv2.GaussianBlur(np.asarray(image), (0, 0), 1.2).astype(np.float32)
    array *= np.linspace(0.4, 1.0, array.shape[1], dtype=np.float32)[None, :]
    array += rng.normal(0, 10, array.shape).astype(np.float32)
    return Image.fromarray(array.clip(0, 255).astype(np.uint8))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", nargs="?", type=Path, default=DATA / "pdf")
    parser.add_argument("--turns", type=int, default=9)
    given = parser.parse_args()
    rng = np.random.default_rng(7)
    errors: dict[str, list[float]] = {"clean": [], "degraded": []}
    seconds: list[float] = []
    for path in sorted(given.folder.glob("*.pdf")):
        document = Document(path, path.name, "application/pdf", "", path.stat().st_size)
        with tempfile.TemporaryDirectory() as folder:
            ctx = Context(Path(folder))
            page = gray(open_image(PdfLoader(PdfOptions(dpi=200)).load(document, 0, ctx), ctx))
        small = given.turns // 3
        angles = [*rng.uniform(-1, 1, small), *rng.uniform(-14, 14, given.turns - small)]
        for angle in angles:
            turned = page.rotate(-angle, Image.Resampling.BICUBIC, expand=True, fillcolor=255)
            for kind, image in (("clean", turned), ("degraded", degraded(turned, rng))):
                began = time.process_time()
                found = slope(image, 15.0, lambda: None)
                seconds.append(time.process_time() - began)
                errors[kind].append(abs(found - angle) if found is not None else 90.0)
    for kind, found_errors in errors.items():
        tell(kind, found_errors)
    print(f"CPU seconds a page: median {np.median(seconds):.2f}, most {max(seconds):.2f}")


def tell(kind: str, errors: list[Any]) -> None:
    print(
        f"{kind:9} {len(errors)} pages: error median {np.median(errors):.4f}°,"
        f" 95 % {np.percentile(errors, 95):.4f}°, largest {max(errors):.4f}°"
    )


if __name__ == "__main__":
    main()
