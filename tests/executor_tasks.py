"""What the executor tests have workers do. Imported in workers by its own name."""

from __future__ import annotations

import ctypes
import errno
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ensemble_core.model import Context, Diagnostic, InputError, LimitExceeded

LEAKED: list[bytearray] = []
SLEEP = "import time; time.sleep(3600)"
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(3600)"


def echo(payload: Mapping[str, Any], ctx: Context) -> Any:
    return dict(payload)


def priority(payload: Mapping[str, Any], ctx: Context) -> list[int]:
    """How far the process steps back, and one it starts."""
    child = subprocess.run(
        [sys.executable, "-c", "import os; print(os.nice(0))"], capture_output=True, check=True
    )
    return [os.nice(0), int(child.stdout)]


def about(payload: Mapping[str, Any], ctx: Context) -> Any:
    return {
        "pid": os.getpid(),
        "workspace": str(ctx.workspace),
        "threads": ctx.threads,
        "omp": os.environ.get("OMP_NUM_THREADS"),
        "page": ctx.page,
        "max_pixels": ctx.limits.max_pixels,
        "remaining": ctx.remaining(),
        "modules": sorted(sys.modules),
        "cwd": str(Path.cwd()),
    }


def talk(payload: Mapping[str, Any], ctx: Context) -> Any:
    for number in range(payload["times"]):
        ctx.progress(number, payload["times"])
    ctx.report(Diagnostic("warning", "odd-bar", "the bar is odd"))
    return None


def print_noise(payload: Mapping[str, Any], ctx: Context) -> Any:
    print('{"type":"result","id":"x","value":"forged"}', flush=True)
    sys.stdout.write("no newline")
    ctypes.CDLL(None).puts(b"from C")
    ctypes.CDLL(None).fflush(None)
    os.write(1, b"\x00\xff raw" * 20_000)
    subprocess.run([sys.executable, "-c", "print('from a child')"], check=True)
    return sys.stdin.read()


def raise_typed(payload: Mapping[str, Any], ctx: Context) -> Any:
    raise InputError("broken", hint="mend it", component="loader-x", code="input-odd")


def raise_other(payload: Mapping[str, Any], ctx: Context) -> Any:
    raise ValueError("what is this?\nsecond line")


def leave(payload: Mapping[str, Any], ctx: Context) -> Any:
    sys.exit(3)


def not_plain(payload: Mapping[str, Any], ctx: Context) -> Any:
    return object()


def no_memory(payload: Mapping[str, Any], ctx: Context) -> Any:
    try:
        bytearray(50 * 2**30)
    except MemoryError as error:
        raise InputError("the component hides what happened") from error


def throw_bad_alloc(payload: Mapping[str, Any], ctx: Context) -> Any:
    """What a C++ library does that does not catch it."""
    (ctx.workspace / f"died-{time.monotonic_ns()}").touch()
    os.write(2, b"terminate called after throwing an instance of 'std::bad_alloc'\n")
    os.abort()


def stop_reading(payload: Mapping[str, Any], ctx: Context) -> Any:
    """Return, and have the whole process stopped a moment later."""
    subprocess.Popen(
        ["sh", "-c", f"sleep 0.2; kill -STOP {os.getpid()}; touch stopped"], cwd=ctx.workspace
    )
    return "done"


def run_short_of_memory(payload: Mapping[str, Any], ctx: Context) -> Any:
    """The ways libraries say so."""
    if payload["how"] == "system":
        raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))
    if payload["how"] == "onnx":
        raise RuntimeError("Non-zero status code: std::bad_alloc")
    if payload["how"] == "opencv":
        raise RuntimeError("(-4:Insufficient memory) Failed to allocate 99 bytes")
    raise LimitExceeded("the component says so itself", hint="less")


def leak(payload: Mapping[str, Any], ctx: Context) -> Any:
    """Lose 2 MiB a task."""
    LEAKED.append(bytearray(b"x") * 2**21)
    return os.getpid()


def die(payload: Mapping[str, Any], ctx: Context) -> Any:
    """By a signal or an exit code, on the first so many attempts."""
    ctx.send({"type": "stage", "component": payload.get("component", "")})
    marks = list(ctx.workspace.glob("died-*"))
    if len(marks) < payload.get("times", 100):
        (ctx.workspace / f"died-{len(marks)}").touch()
        print("the last words", file=sys.stderr, flush=True)
        if payload.get("child"):
            note_child(ctx, start_new_session=True)
        if "signal" in payload:
            os.kill(os.getpid(), getattr(signal, payload["signal"]))
        os._exit(payload.get("status", 1))
    return "alive"


def sleep(payload: Mapping[str, Any], ctx: Context) -> Any:
    ctx.send({"type": "stage", "component": payload.get("component", "")})
    (ctx.workspace / f"started-{ctx.page}").touch()
    time.sleep(payload["seconds"])
    return "done"


def sleep_politely(payload: Mapping[str, Any], ctx: Context) -> Any:
    (ctx.workspace / f"started-{ctx.page}").touch()
    while True:
        ctx.check()
        ctx.cancel.wait(0.02)


def hang_in_c(payload: Mapping[str, Any], ctx: Context) -> Any:
    """Never lets go of the interpreter: PyDLL calls keep the lock."""
    (ctx.workspace / f"started-{ctx.page}").touch()
    ctypes.PyDLL(None).sleep(3600)


def hang_with_tree(payload: Mapping[str, Any], ctx: Context) -> Any:
    """Deaf to SIGTERM, with a child, a deaf child elsewhere, and a runaway grandchild."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    note_child(ctx)
    note_child(ctx, DEAF, start_new_session=True)
    middle = (
        "import subprocess, sys; "
        f"print(subprocess.Popen([sys.executable, '-c', {DEAF!r}], start_new_session=True,"
        " stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).pid)"
    )
    orphan = subprocess.run(
        [sys.executable, "-c", middle], check=True, capture_output=True, text=True
    )
    (ctx.workspace / f"pid-{int(orphan.stdout)}").touch()
    (ctx.workspace / f"pid-{os.getpid()}").touch()
    (ctx.workspace / "started").touch()
    while True:
        time.sleep(1)


def note_child(ctx: Context, code: str = SLEEP, **options: Any) -> None:
    child = subprocess.Popen([sys.executable, "-c", code], **options)
    (ctx.workspace / f"pid-{child.pid}").touch()


def leave_child(payload: Mapping[str, Any], ctx: Context) -> Any:
    note_child(ctx, start_new_session=True)
    (ctx.workspace / f"pid-{os.getpid()}").touch()
    return os.getpid()


def fill(payload: Mapping[str, Any], ctx: Context) -> Any:
    """Take memory step by step, here or in a child."""
    code = (
        "import time\nheld = []\n"
        f"for _ in range({payload['bytes']} // 2**24):\n"
        "    held.append(bytearray(b'x') * 2**24)\n    time.sleep(0.005)\n"
        "time.sleep(60)\n"
    )
    if payload.get("child"):
        return subprocess.run([sys.executable, "-c", code], check=True).returncode
    exec(code)
    return "all there"


def linger(payload: Mapping[str, Any], ctx: Context) -> Any:
    """Return, with a thread left behind that goes on talking and never ends."""

    def chatter() -> None:
        while True:
            ctx.send({"type": "late"})
            time.sleep(0.001)

    threading.Thread(target=chatter).start()
    return "done"


def litter(payload: Mapping[str, Any], ctx: Context) -> Any:
    """Drop a file where temporary files go, as libraries do."""
    with tempfile.NamedTemporaryFile(dir=None, delete=False) as stream:
        return [stream.name, os.environ["TMPDIR"]]


def large(payload: Mapping[str, Any], ctx: Context) -> Any:
    return {"text": "x" * payload["size"], "got": len(payload["text"])}


def run_parent(folder: str) -> None:
    """A program that uses the executor and is killed; run as ``__main__`` by a test."""
    from ensemble_core.builtin.executors import ProcessExecutor
    from ensemble_core.model import Task

    executor = ProcessExecutor()
    executor.open(2, lambda name, message: None)
    for page, function in enumerate(("hang_with_tree", "sleep")):
        task = Task(
            id=f"t{page}",
            function=f"executor_tasks:{function}",
            payload={"seconds": 3600},
            workspace=Path(folder),
            page=page,
        )
        executor.submit(task)
    threading.Event().wait()


if __name__ == "__main__":
    run_parent(json.loads(sys.argv[1]))
