"""From what is seen to what it means: symbols become notes, notes become bars."""

from __future__ import annotations

from .reading import Reading, read

__all__ = ["Reading", "read"]
