"""Work that is done beside other work of a page, where a second thread may be used.

OpenCV, NumPy and ONNX Runtime let other threads run while they work on a picture.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import TypeVar

T = TypeVar("T")


class Beside:
    """A second thread for a page, or none: then what is started is done at once.

    What is read is the same either way. Leaving the context waits for what still runs.

    Args:
        threads: How many threads the page may use.
    """

    def __init__(self, threads: int = 1) -> None:
        self._pool = ThreadPoolExecutor(1, "sightread") if threads > 1 else None

    def start(self, work: Callable[[], T]) -> Callable[[], T]:
        """Begin some work; gives what waits for its result, or raises what it raised."""
        if self._pool is not None:
            return self._pool.submit(work).result
        result = work()
        return lambda: result

    def __enter__(self) -> Beside:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
