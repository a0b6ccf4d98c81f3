"""Ensemble reads sheet music: pictures in, scores out, every step a plugin.

What an embedding program needs stands here; it is imported when first used, so that
``import ensemble_core`` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .config import Config as Config
    from .hooks import hookimpl as hookimpl
    from .model import CancelToken as CancelToken
    from .model import Score as Score
    from .pipeline import Pipeline as Pipeline

__version__ = "0.1.0"

_PUBLIC = {
    "CancelToken": "ensemble_core.model",
    "Config": "ensemble_core.config",
    "Pipeline": "ensemble_core.pipeline",
    "Score": "ensemble_core.model",
    "hookimpl": "ensemble_core.hooks",
}
__all__ = ["CancelToken", "Config", "Pipeline", "Score", "__version__", "hookimpl"]


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
