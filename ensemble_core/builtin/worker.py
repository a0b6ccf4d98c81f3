"""What a worker process runs: takes tasks from its parent and answers, one JSON line each.

Lines from the parent: ``{"do": "work", …}``, ``{"do": "cancel", "id"}``, ``{"do": "bye"}``.
Lines to the parent: ``ready``; ``begun``, ``message`` (what a task sends) and ``result`` or
``failed``, each with the task's id.

The two pipes are moved away from file descriptors 0 and 1 before anything else is
imported, so that nothing a plugin or a C library prints can be taken for an answer; what
is printed joins the standard error stream, which the parent keeps for crash messages.
"""

from __future__ import annotations

import contextlib
import faulthandler
import json
import os
import queue
import sys
import threading
import time
from pathlib import Path
from typing import IO, Any

HEADROOM = 2**30
"""What the hard limit of data memory leaves above a task's limit, in bytes.

Reserved address space counts here but is never filled: thread stacks, arenas, OpenBLAS.
NumPy, OpenCV, ONNX Runtime and music21 together were seen to reserve 220 MiB beyond what
was resident, on two cores. The parent watches the resident memory as well.
"""


class Channel:
    """The parent's end of the line, safe to write to from any thread."""

    def __init__(self) -> None:
        self.incoming: IO[bytes] = os.fdopen(os.dup(0), "rb")
        self._outgoing: IO[bytes] = os.fdopen(os.dup(1), "wb")
        self._lock = threading.Lock()
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        os.dup2(2, 1)
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
        sys.stdout = sys.stderr

    def send(self, message: dict[str, Any]) -> None:
        """Write one line.

        Raises:
            TypeError, ValueError: The message is not plain JSON data; nothing was written.
        """
        line = json.dumps(message, separators=(",", ":")).encode() + b"\n"
        with self._lock:
            self._outgoing.write(line)
            self._outgoing.flush()


class Worker:
    """Listens in one thread, works in the main thread."""

    def __init__(self, channel: Channel) -> None:
        from ensemble_core.model import CancelToken

        self._token = CancelToken
        self._channel = channel
        self._tasks: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._cancels: dict[str, CancelToken] = {}

    def listen(self) -> None:
        """Take orders until the parent says goodbye or is gone."""
        with contextlib.suppress(BrokenPipeError):
            if self._listen():
                return
        _end_orphaned()

    def _listen(self) -> bool:
        """Take orders; True when the parent said goodbye, False when it just went."""
        for line in self._channel.incoming:
            order = json.loads(line)
            if order["do"] == "work":
                self._cancels[order["id"]] = self._token()
                self._channel.send({"type": "begun", "id": order["id"]})
                self._tasks.put(order)
            elif order["do"] == "cancel":
                token = self._cancels.get(order["id"])
                if token:
                    token.cancel()
            else:
                self._tasks.put(None)
                return True
        return False

    def serve(self) -> None:
        """Do one task after the other until :meth:`listen` ends."""
        try:
            self._serve()
        except BrokenPipeError:
            threading.Event().wait()  # the parent is gone; the listener ends this process

    def _serve(self) -> None:
        self._channel.send({"type": "ready"})
        while (order := self._tasks.get()) is not None:
            answer = self._do(order)
            self._cancels.pop(order["id"], None)
            try:
                self._channel.send({**answer, "id": order["id"]})
            except (TypeError, ValueError, RecursionError) as error:
                answer = _failed(_not_plain(order["function"], error))
                self._channel.send({**answer, "id": order["id"]})

    def _do(self, order: dict[str, Any]) -> dict[str, Any]:
        from ensemble_core.builtin.calling import call

        deadline = order["deadline"]
        try:
            with _memory_limit(order["max_memory"]), _self_destruction(deadline):
                ctx = self._context(order)
                return {"type": "result", "value": call(order["function"], order["payload"], ctx)}
        except BaseException as error:
            return _failed(error)

    def _context(self, order: dict[str, Any]) -> Any:
        from ensemble_core.model import Context, Limits

        name, deadline = order["id"], order["deadline"]
        return Context(
            workspace=Path(order["workspace"]),
            limits=Limits(**order["limits"]),
            threads=order["threads"],
            expires=None if deadline is None else time.monotonic() + deadline,
            cancel=self._cancels[name],
            page=order["page"],
            send=lambda message: self._channel.send(
                {"type": "message", "id": name, "body": message}
            ),
        )


def _failed(error: BaseException) -> dict[str, Any]:
    from ensemble_core.builtin.calling import as_error

    return {"type": "failed", "error": as_error(error).to_payload()}


def _not_plain(function: str, error: Exception) -> Exception:
    from ensemble_core.model import ContractError

    return ContractError(f"{function} gave something that is not plain JSON data: {error}")


def _end_orphaned() -> None:
    """The parent is gone without a word: take along everything we started, and go."""
    from ensemble_core.builtin.killing import MARK, sweep

    try:
        sweep(os.environ.get(MARK) or "-", os.getpid())
    finally:
        os._exit(1)


@contextlib.contextmanager
def _memory_limit(limit: int | None) -> Any:
    """Make allocations far beyond ``limit`` fail at once, where the system can do that.

    ``RLIMIT_DATA`` counts private writable memory on Linux from 4.7 on; ``RLIMIT_AS``
    would also count libraries and reservations, which are large and harmless. Elsewhere
    only the parent watches.
    """
    if limit is None or sys.platform != "linux":
        yield
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = limit + HEADROOM
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (wanted, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


@contextlib.contextmanager
def _self_destruction(deadline: float | None) -> Any:
    """End this process well after the deadline even if parent and interpreter hang.

    The parent kills long before; this is for code that never gives the interpreter back
    after the parent is gone. faulthandler's watchdog is a thread in C.
    """
    if deadline is None:
        yield
        return
    faulthandler.dump_traceback_later(deadline + 10, exit=True)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()


def _volunteer_for_the_oom_killer() -> None:
    """If the machine runs out of memory, this process should go and not the user's."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500", encoding="ascii")


def _step_back(nice: int) -> None:
    """Leave the processor to others first."""
    if nice and sys.platform != "win32":
        os.nice(nice)
        # Linux may share it out among sessions, and each worker has one of its own.
        with contextlib.suppress(OSError):
            Path("/proc/self/autogroup").write_text(str(nice), encoding="ascii")


def main(nice: int = 0) -> None:
    """Serve the parent on the other end of standard input and output.

    Args:
        nice: How far to step back for others that want the processor, 0 to 19.
    """
    channel = Channel()
    faulthandler.enable()
    _volunteer_for_the_oom_killer()
    _step_back(nice)
    worker = Worker(channel)
    threading.Thread(target=worker.listen, name="listener", daemon=True).start()
    worker.serve()


if __name__ == "__main__":
    main()
