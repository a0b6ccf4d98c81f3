"""Seeing what a component prints, and what an import brings along."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

HEAVY = frozenset({
    "PIL", "cv2", "librosa", "lxml", "matplotlib", "music21", "numpy", "oemer", "onnx",
    "onnxruntime", "pandas", "pypdfium2", "scipy", "skimage", "sklearn", "tensorflow", "torch",
    "verovio",
})  # fmt: skip
"""Modules that may not be loaded by importing a plugin."""

_PROBE = """
import importlib, json, sys, time
began = time.perf_counter()
import ensemble_core.registry
core = time.perf_counter() - began
before = set(sys.modules)
began = time.perf_counter()
plugin = importlib.import_module(sys.argv[1])
own = time.perf_counter() - began
imported = sorted(set(sys.modules) - before)
for name in dir(plugin):
    if name.startswith("ensemble_") and name.endswith("s") and name != "ensemble_check":
        for spec in getattr(plugin, name)():
            options = getattr(spec, "options", None)
            if isinstance(options, str):
                importlib.import_module(options.partition(":")[0])
planned = sorted(set(sys.modules) - before)
print(json.dumps({"core": core, "own": own, "imported": imported, "planned": planned}))
"""


@contextlib.contextmanager
def standard_output() -> Iterator[list[bytes]]:
    """Collect what is written to standard output, by ``print`` or straight to descriptor 1.

    Yields:
        A list that holds the bytes, once the block is left; empty when nothing was written.
    """
    caught: list[bytes] = []
    words = io.StringIO()
    with contextlib.suppress(Exception):
        sys.stdout.flush()
    saved = os.dup(1)
    try:
        with tempfile.TemporaryFile() as sink:
            os.dup2(sink.fileno(), 1)
            try:
                with contextlib.redirect_stdout(words):
                    yield caught
            finally:
                os.dup2(saved, 1)
            sink.seek(0)
            written = sink.read() + words.getvalue().encode()
            if written:
                caught.append(written)
    finally:
        os.close(saved)


def import_alone(module: str) -> dict[str, Any]:
    """Import a plugin's module in a fresh interpreter, and what planning with it needs.

    Returns:
        ``core`` and ``own``: seconds the core and then the module took; ``imported``:
        modules the import added; ``planned``: those after its specs and options classes
        were looked at too.

    Raises:
        AssertionError: It does not import.
    """
    path = os.pathsep.join(entry for entry in sys.path if entry)
    done = subprocess.run(
        [sys.executable, "-c", _PROBE, module],
        capture_output=True, text=True, errors="replace", timeout=60, check=False,
        stdin=subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": path},
    )  # fmt: skip
    assert done.returncode == 0, f"{module} does not import:\n{done.stderr}"
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@lru_cache(maxsize=32)
def imported_once(module: str) -> dict[str, Any]:
    """What :func:`import_alone` found the first time; one plugin may have many components."""
    return import_alone(module)


def heavy(modules: list[str]) -> list[str]:
    """Those of the modules that belong to a heavy library."""
    return sorted({name.partition(".")[0] for name in modules} & HEAVY)
