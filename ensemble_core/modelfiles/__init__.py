"""Model files of components: kept in one folder, fetched on demand, verified at every use.

A component's spec names them (:class:`~ensemble_core.model.ModelFile`). Nothing is ever
downloaded unless the user says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import lazily

if TYPE_CHECKING:
    from .store import State as State
    from .store import Store as Store
    from .store import lacking as lacking
    from .store import own_files as own_files
    from .store import readable as readable

__all__ = ["State", "Store", "lacking", "own_files", "readable"]

__getattr__ = lazily(__name__, dict.fromkeys(__all__, "ensemble_core.modelfiles.store"))
