"""Configuration to an immutable plan, and the plan carried out.

Names are imported when first used: a worker process needs ``work`` and nothing else of this.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import lazily

if TYPE_CHECKING:
    from .cache import Cache as Cache
    from .cache import CacheInfo as CacheInfo
    from .convert import Converted as Converted
    from .delivery import Output as Output
    from .inputs import Input as Input
    from .inputs import joined as joined
    from .pipeline import Pipeline as Pipeline
    from .planner import exporter_for as exporter_for
    from .run import Result as Result

__all__ = [
    "Cache",
    "CacheInfo",
    "Converted",
    "Input",
    "Output",
    "Pipeline",
    "Result",
    "exporter_for",
    "joined",
]

__getattr__ = lazily(
    __name__,
    {
        "Cache": "ensemble_core.pipeline.cache",
        "CacheInfo": "ensemble_core.pipeline.cache",
        "Converted": "ensemble_core.pipeline.convert",
        "Input": "ensemble_core.pipeline.inputs",
        "Output": "ensemble_core.pipeline.delivery",
        "Pipeline": "ensemble_core.pipeline.pipeline",
        "Result": "ensemble_core.pipeline.run",
        "exporter_for": "ensemble_core.pipeline.planner",
        "joined": "ensemble_core.pipeline.inputs",
    },
)
