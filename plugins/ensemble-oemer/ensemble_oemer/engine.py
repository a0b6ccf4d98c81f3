"""oemer's own module, with what it stumbles over put right."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Any

from ensemble_core.model import MissingError


def load_oemer() -> Any:
    """The module ``oemer.ete``.

    Raises:
        MissingError: oemer, or something it needs, is not installed.
    """
    before = os.environ.get("LOG_LEVEL")
    os.environ["LOG_LEVEL"] = "warning"  # a word outside its own list is a KeyError in oemer
    try:
        from oemer import bbox, ete
    except ImportError as error:
        raise MissingError(
            f"oemer does not load: {error}", hint="pip install oemer==0.1.8",
            code="requirement-missing",
        ) from error  # fmt: skip
    finally:
        del os.environ["LOG_LEVEL"]
        if before is not None:
            os.environ["LOG_LEVEL"] = before
    if int(bbox.cv2.__version__.split(".")[0]) >= 5:
        bbox.cv2 = _OldHough(bbox.cv2)
    if bbox.AgglomerativeClustering.__module__ != __name__:
        bbox.AgglomerativeClustering = _clustering_of_one(bbox.AgglomerativeClustering)
    return ete


def limit_threads(threads: int) -> None:
    """Bound OpenCV's threads; OpenMP and BLAS read theirs from the environment."""
    with suppress(ImportError):
        import cv2

        cv2.setNumThreads(threads)


class _OldHough:
    """OpenCV 5 as oemer expects OpenCV: ``HoughLinesP`` gives shape (n, 1, 4)."""

    __version__ = "4"

    def __init__(self, cv2: Any) -> None:
        self._cv2 = cv2

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cv2, name)

    def HoughLinesP(self, *arguments: Any) -> Any:  # noqa: N802 - the name is OpenCV's
        """As OpenCV 4 gave it."""
        lines = self._cv2.HoughLinesP(*arguments)
        return lines if lines is None else lines.reshape(-1, 1, 4)


def _clustering_of_one(clustering: Any) -> Any:
    """scikit-learn's clustering refuses a single box, which is a cluster all the same."""
    import numpy as np

    class Clustering(clustering):  # type: ignore[misc]
        def fit(self, points: Any, y: Any = None) -> Any:
            if len(points) != 1:
                return super().fit(points, y)
            self.labels_ = np.zeros(1, np.int64)
            return self

    return Clustering


def masks_stay_masks(dewarp: Any) -> Any:
    """oemer bends masks with cubic interpolation, and later cuts off what is behind the point:
    every edge that fell between two pixels loses one, and thin beams and stems part."""
    import numpy as np

    def whole(pixels: Any, *coordinates: Any) -> Any:
        bent = dewarp(pixels, *coordinates)
        return bent if pixels.dtype == np.uint8 else (bent > 0.5).astype(pixels.dtype)

    return whole
