"""What came of trying to deliver a notice, and when to try again."""

from __future__ import annotations

import random
from datetime import timedelta

import attrs

WAITS = tuple(
    timedelta(seconds=seconds)
    for seconds in (10, 60, 300, 1800, 2 * 3600, 6 * 3600, 12 * 3600, 24 * 3600)
)
"""How long to wait after the first failure, the second …; after the last it is given up."""


@attrs.frozen
class Outcome:
    """What came of it.

    Attributes:
        delivered: Whether it arrived.
        said: What the other side said, or what went wrong.
        final: Whether to give up at once.
    """

    delivered: bool
    said: str
    final: bool = False


def wait_after(attempt: int) -> timedelta | None:
    """How long to wait after the failure of an attempt (from 1); None: give up.

    It varies by a tenth, so that what failed together is not tried together.
    """
    if attempt > len(WAITS):
        return None
    return WAITS[attempt - 1] * random.uniform(0.9, 1.1)  # noqa: S311 - not for secrets
