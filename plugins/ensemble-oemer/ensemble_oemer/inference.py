"""oemer's nets run by us: sessions kept, threads bounded, progress told, cancellation heard.

Stands in for ``oemer.inference.inference``: the same windows, merged the same way (mean of
overlapping windows, then the most probable class).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ensemble_core.model import Context, MissingError

from .checkpoints import NETS, Net, model_file
from .options import OemerOptions

PIXELS = 3_675_000
"""oemer scales every page to the mean of 3.0 and 4.35 megapixels."""


class Nets:
    """Both nets, loaded once per worker."""

    def __init__(self, folder: Path, options: OemerOptions) -> None:
        self._folder, self._options = folder, options
        self._sessions: dict[str, Any] = {}

    def replacement(self, ctx: Context) -> Any:
        """A function to put in the place of oemer's own."""

        def inference(
            model_path: str, img_path: str, *_: Any, manual_th: Any = None, use_tf: bool = False
        ) -> tuple[Any, Any]:
            number = 0 if model_path.endswith(NETS[0].folder) else 1
            probabilities = self._run(number, Path(img_path), ctx)
            return probabilities.argmax(axis=-1), probabilities

        return inference

    def _session(self, net: Net, threads: int) -> Any:
        if net.folder not in self._sessions:
            import onnxruntime

            settings = onnxruntime.SessionOptions()
            settings.intra_op_num_threads = threads
            settings.inter_op_num_threads = 1
            settings.log_severity_level = 4
            path = model_file(self._folder, net)
            try:
                self._sessions[net.folder] = onnxruntime.InferenceSession(
                    str(path), settings, providers=["CPUExecutionProvider"]
                )
            except Exception as error:
                raise MissingError(
                    f"the model file {path} cannot be loaded: {error}".splitlines()[0],
                    code="model-missing",
                ) from error
        return self._sessions[net.folder]

    def _run(self, number: int, image: Path, ctx: Context) -> Any:
        import numpy as np

        net = NETS[number]
        session = self._session(net, ctx.threads)
        pixels = scaled(image)
        height, width = pixels.shape[:2]
        corners = [
            (min(y, height - net.window), min(x, width - net.window))
            for y in range(0, height, self._options.step)
            for x in range(0, width, self._options.step)
        ]
        corners = list(dict.fromkeys(corners))
        total = np.zeros((height, width, net.classes), np.float32)
        seen = np.zeros((height, width, 1), np.float32)
        for start in range(0, len(corners), self._options.batch):
            some = corners[start : start + self._options.batch]
            batch = np.stack([pixels[y : y + net.window, x : x + net.window] for y, x in some])
            for (y, x), part in zip(
                some, session.run([net.output], {"input": batch})[0], strict=True
            ):
                total[y : y + net.window, x : x + net.window] += part
                seen[y : y + net.window, x : x + net.window] += 1
            share = 0.45 * (number + min(1.0, (start + len(some)) / len(corners)))
            ctx.progress(share, 1.0, "page")
        return total / seen


def scaled(image: Path) -> Any:
    """The page as the nets want it: uint8, shape (height, width, 3), channels in BGR order."""
    import numpy as np
    from PIL import Image

    with Image.open(image) as picture:
        rgb = picture.convert("RGB")
    ratio = (PIXELS / (rgb.width * rgb.height)) ** 0.5
    size = (round(ratio * rgb.width), round(ratio * rgb.height))
    swapped = Image.fromarray(np.ascontiguousarray(np.asarray(rgb)[:, :, ::-1]))
    return np.asarray(swapped.resize(size))
