"""``python -m ensemble_core`` is the ``ensemble`` command."""

from __future__ import annotations

from .cli.main import run

run()
