"""Live events, from the worker that makes them to whoever watches."""

from __future__ import annotations

from .bus import Bus, LocalBus


def open_bus(url: str) -> Bus:
    """The bus for a setting: Redis if it names one, else within this process."""
    if not url:
        return LocalBus()
    from .redis import RedisBus

    return RedisBus(url)
