"""The environment of an ``ensemble`` command that finds this plugin, installed or not."""

from __future__ import annotations

import os
import sys
from importlib import metadata
from pathlib import Path

ENTRY = "[ensemble.plugins]\nserver = ensemble_server.plugin\n"


def announced(site: Path) -> dict[str, str]:
    """The environment; ``site`` is an empty folder that tells of the plugin if nothing else does."""
    path = [str(Path(entry).absolute()) for entry in sys.path]
    if "ensemble-server" not in {found.name for found in metadata.distributions()}:
        info = site / "ensemble_server-0.1.0.dist-info"
        info.mkdir()
        text = "Metadata-Version: 2.1\nName: ensemble-server\nVersion: 0.1.0\n"
        (info / "METADATA").write_text(text)
        (info / "entry_points.txt").write_text(ENTRY)
        path.insert(0, str(site))
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path), "XDG_CACHE_HOME": str(site)}
