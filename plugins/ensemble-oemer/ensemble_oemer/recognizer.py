"""The recognizer: oemer on one page, in the worker process the frame gives it."""

from __future__ import annotations

import os
import secrets
from argparse import Namespace
from pathlib import Path
from typing import Any

from ensemble_core.imaging import gray, open_image
from ensemble_core.model import Context, MissingError, Page, RecognitionError, Score

from .checkpoints import checkpoint_folder, problems
from .inference import Nets
from .options import OemerOptions
from .repair import repair

A4 = 2**0.5
"""Height over width of the page oemer's training pages had."""


class OemerRecognizer:
    """Reads a page with oemer.

    The page is flattened to 8-bit RGB, padded to the shape of A4 (oemer scales whatever it gets
    to one area, so a strip would be blown up), and lies alone under a random name in a private
    folder (oemer unpickles a file of the same stem if there is one).
    """

    def __init__(self, options: OemerOptions) -> None:
        self._options = options
        self._folder = options.checkpoints or checkpoint_folder()
        self._nets = Nets(self._folder, options)

    def recognize(self, page: Page, ctx: Context) -> Score:
        """Read one page.

        Raises:
            RecognitionError: oemer found no staves, or failed on what it found.
            MissingError: oemer or its model files are missing.
        """
        lacking = problems(self._folder, sizes=False)
        if lacking:
            raise MissingError(lacking[0], code="model-missing")
        ete = _oemer()
        folder = ctx.workspace / secrets.token_hex(8)
        folder.mkdir(mode=0o700)
        picture = folder / f"{secrets.token_hex(8)}.png"
        self._prepare(page, ctx).save(picture)
        ete.inference = self._nets.replacement(ctx)
        ete.clear_data()  # what an earlier page left would silently be read again
        arguments = Namespace(
            img_path=str(picture), output_path=str(folder / "page.musicxml"), use_tf=False,
            save_cache=False, without_deskew=not self._options.deskew,
        )  # fmt: skip
        try:
            written = Path(ete.extract(arguments))
        except (RecognitionError, MissingError):
            raise
        except (AssertionError, ValueError, TypeError, IndexError, KeyError) as error:
            reason = f"{type(error).__name__}: {error}".splitlines()[0]
            raise RecognitionError(
                f"oemer gave up on this page ({reason})",
                hint="-O oemer.deskew=false often helps; a page without staves never will",
            ) from error
        finally:
            ete.clear_data()
        ctx.progress(1.0, 1.0, "page")
        return Score(repair(written.read_bytes()))

    def _prepare(self, page: Page, ctx: Context) -> Any:
        from PIL import Image

        shown = gray(open_image(page, ctx))
        width = max(shown.width, round(shown.height / A4))
        height = max(shown.height, round(width * A4))
        paper = Image.new("RGB", (width, height), "white")
        paper.paste(shown, ((width - shown.width) // 2, 0))
        return paper


def _oemer() -> Any:
    """oemer's end-to-end module, with what it stumbles over put right."""
    os.environ["LOG_LEVEL"] = "warning"  # any other word than its own list is a KeyError there
    try:
        from oemer import bbox, ete
    except ImportError as error:
        raise MissingError(
            f"oemer is not installed ({error})",
            hint="pip install --no-deps oemer==0.1.8; pip install 'ensemble-oemer[engine]'",
            code="requirement-missing",
        ) from error
    if int(bbox.cv2.__version__.split(".")[0]) >= 5:
        bbox.cv2 = _OldHough(bbox.cv2)
    return ete


class _OldHough:
    """OpenCV 5 as oemer expects OpenCV: ``HoughLinesP`` gives shape (n, 1, 4)."""

    def __init__(self, cv2: Any) -> None:
        self._cv2 = getattr(cv2, "_cv2", cv2)
        self.__version__ = "4"

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cv2, name)

    def HoughLinesP(self, *arguments: Any) -> Any:  # noqa: N802 - the name is OpenCV's
        """As OpenCV 4 gave it."""
        lines = self._cv2.HoughLinesP(*arguments)
        return lines if lines is None else lines.reshape(-1, 1, 4)
