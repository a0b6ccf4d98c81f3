"""What the service does, free of HTTP: routes, pages and commands all call this."""

from __future__ import annotations

from .service import Service as Service

__all__ = ["Service"]
