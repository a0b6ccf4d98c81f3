"""Ctrl-C and SIGTERM: the first asks the run to stop, the second ends at once."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType

from ..model import CancelToken


@contextlib.contextmanager
def stop_on_signals() -> Iterator[CancelToken]:
    """A token that is thrown by Ctrl-C or SIGTERM while the block runs."""
    token = CancelToken()

    def stop(_number: int, _frame: FrameType | None) -> None:
        if token.cancelled:
            raise KeyboardInterrupt
        token.cancel()

    wanted = [signal.SIGINT, signal.SIGTERM]
    before = {number: signal.signal(number, stop) for number in wanted}
    try:
        yield token
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
