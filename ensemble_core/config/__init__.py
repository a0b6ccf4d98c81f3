"""TOML in, typed options out, and where each value came from."""

from __future__ import annotations

from .options import structure_options, unstructure_options
from .schema import schema_of

__all__ = ["schema_of", "structure_options", "unstructure_options"]
