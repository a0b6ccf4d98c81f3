"""Opens the nets of this package."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def session(model: Path, threads: int) -> tuple[Any, dict[str, str]]:
    """An ``onnxruntime.InferenceSession`` on the processor, and what the file says of itself.

    Args:
        model: The ONNX file.
        threads: Threads that ONNX Runtime may use.
    """
    import onnxruntime

    onnxruntime.disable_telemetry_events()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.enable_mem_pattern = False  # pages differ in size
    # Its threads are not to wait busily for the next page on a processor others could use.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    opened = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    return opened, opened.get_modelmeta().custom_metadata_map
