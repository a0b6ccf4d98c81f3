"""Ensemble reads sheet music: pictures in, scores out, every step a plugin.

What an embedding program needs stands here; it is imported when first used, so that
``import ensemble_core`` costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .lazy import lazily

if TYPE_CHECKING:
    from .config import Config as Config
    from .hooks import hookimpl as hookimpl
    from .model import CancelToken as CancelToken
    from .model import Score as Score
    from .pipeline import Pipeline as Pipeline

__version__ = "0.1.0"

__all__ = ["CancelToken", "Config", "Pipeline", "Score", "__version__", "hookimpl"]

__getattr__ = lazily(
    __name__,
    {
        "CancelToken": "ensemble_core.model",
        "Config": "ensemble_core.config",
        "Pipeline": "ensemble_core.pipeline",
        "Score": "ensemble_core.model",
        "hookimpl": "ensemble_core.hooks",
    },
)
