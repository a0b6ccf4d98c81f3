"""Model files of components: kept in one folder, fetched on demand, verified at every use.

A component's spec names them (:class:`~ensemble_core.model.ModelFile`). Nothing is ever
downloaded unless the user says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import lazily

if TYPE_CHECKING:
    from .fetching import fetch as fetch
    from .importing import import_files as import_files
    from .origin import Origin as Origin
    from .store import State as State
    from .store import Store as Store
    from .store import lacking as lacking
    from .store import own_files as own_files
    from .store import readable as readable

__all__ = [
    "Origin",
    "State",
    "Store",
    "fetch",
    "import_files",
    "lacking",
    "own_files",
    "readable",
]

__getattr__ = lazily(
    __name__,
    {
        **dict.fromkeys(__all__, "ensemble_core.modelfiles.store"),
        "Origin": "ensemble_core.modelfiles.origin",
        "fetch": "ensemble_core.modelfiles.fetching",
        "import_files": "ensemble_core.modelfiles.importing",
    },
)
