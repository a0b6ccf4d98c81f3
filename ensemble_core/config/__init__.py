"""TOML in, typed options out, and where each value came from."""

from __future__ import annotations

from .config import Config, Layer, Value
from .discover import discover, project_file
from .options import structure_options, unstructure_options
from .schema import schema_of
from .settings import Settings, Use

__all__ = [
    "Config",
    "Layer",
    "Settings",
    "Use",
    "Value",
    "discover",
    "project_file",
    "schema_of",
    "structure_options",
    "unstructure_options",
]
