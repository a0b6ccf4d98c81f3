"""What the nets run on, chosen without ONNX Runtime's red lines about absent hardware."""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path
from typing import Any

from ensemble_core.model import MissingError

from .checkpoints import Net

PROVIDERS = {
    "cuda": "CUDAExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "cpu": "CPUExecutionProvider",
}
"""ONNX Runtime's name of each provider, the fastest first."""

_SILENT = 4
"""ONNX Runtime's severity "fatal": what matters is raised anyhow."""

_ADVICE = {
    "cuda": "needs an NVIDIA driver, CUDA and cuDNN, and onnxruntime-gpu without onnxruntime",
    "coreml": "needs macOS",
}


def open_session(path: Path, net: Net, wanted: str, threads: int) -> tuple[Any, str]:
    """Load a net.

    Args:
        path: Its file.
        net: What it should be.
        wanted: ``auto`` or a key of :data:`PROVIDERS`.
        threads: How many threads one call may use.

    Returns:
        The ``onnxruntime.InferenceSession``, and the provider it got.

    Raises:
        MissingError: The file is not this net, or the provider is not there.
    """
    import onnxruntime

    onnxruntime.disable_telemetry_events()
    onnxruntime.set_default_logger_severity(_SILENT)
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = threads
    settings.inter_op_num_threads = 1
    settings.log_severity_level = _SILENT
    there = onnxruntime.get_available_providers()
    for name in PROVIDERS if wanted == "auto" else (wanted,):
        if PROVIDERS[name] not in there or (name == "cuda" and not _has_driver()):
            continue
        chosen = list(dict.fromkeys((PROVIDERS[name], PROVIDERS["cpu"])))
        try:
            session = onnxruntime.InferenceSession(str(path), settings, providers=chosen)
        except Exception as error:
            raise _damaged(path, str(error)) from error
        if session.get_providers()[0] == PROVIDERS[name]:
            _check(session, net, path)
            return session, name
    raise MissingError(
        f"the provider {wanted} is not available here",
        hint=f"{_ADVICE.get(wanted, 'reinstall onnxruntime')}; or take -O oemer.provider=auto",
        code="provider-missing",
    )


def _has_driver() -> bool:
    """Whether NVIDIA's driver is there; onnxruntime-gpu offers CUDA on every machine."""
    try:
        ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return False
    return True


def _check(session: Any, net: Net, path: Path) -> None:
    """Hold a file that loads to what oemer's net takes and gives."""
    taken = [(node.name, node.type, node.shape[1:]) for node in session.get_inputs()]
    given = [(node.name, node.type) for node in session.get_outputs()]
    wanted = ("input", "tensor(uint8)", [net.window, net.window, 3])
    if taken != [wanted] or (net.output, "tensor(float)") not in given:
        raise _damaged(path, f"it is another net than oemer's {net.file}")


def _damaged(path: Path, reason: str) -> MissingError:
    first = (reason.splitlines() or ["no reason given"])[0]
    return MissingError(
        f"the model file {path} cannot be used: {first}", code="model-damaged",
        hint="fetch it again: ensemble models verify oemer, ensemble models fetch oemer",
    )  # fmt: skip
