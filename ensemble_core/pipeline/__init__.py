"""Configuration to an immutable plan, and the plan carried out."""

from __future__ import annotations

from .cache import Cache, CacheInfo
from .convert import Converted, Output
from .inputs import Input, joined
from .pipeline import Pipeline
from .planner import exporter_for
from .run import Result

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
