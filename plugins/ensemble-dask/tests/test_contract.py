"""The executor held to the contract: with a cluster in this process, and with one elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest
from dask_cluster import DaskCluster

from ensemble_core.testing import ExecutorContract


class TestHere(ExecutorContract):
    name = "dask"


class TestElsewhere(ExecutorContract):
    """The workers are processes that cannot see the folders of the tasks."""

    name = "dask"

    @pytest.fixture(autouse=True)
    def connected(self, workers: DaskCluster, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(type(self), "options", {"scheduler": workers.address})

    @pytest.fixture
    def tmp_path(self, hidden: Path) -> Path:
        """A folder the workers cannot see, in the place of pytest's."""
        return hidden
