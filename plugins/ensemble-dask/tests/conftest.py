"""Clusters for the tests of ensemble-dask."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from dask_cluster import DaskCluster, cluster


@pytest.fixture(scope="session")
def out_of_sight(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that workers started later see nothing of."""
    return tmp_path_factory.mktemp("hidden")


@pytest.fixture(scope="session")
def shared_cluster(
    tmp_path_factory: pytest.TempPathFactory, out_of_sight: Path
) -> Iterator[DaskCluster]:
    with cluster(tmp_path_factory.mktemp("cluster"), out_of_sight, 0) as made:
        yield made


@pytest.fixture
def hidden(
    out_of_sight: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Where this process keeps inputs and workspaces, out of the workers' sight."""
    folder = out_of_sight / f"{request.node.parent.name.rpartition('/')[2]}-{request.node.name}"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def workers(shared_cluster: DaskCluster, hidden: Path) -> DaskCluster:
    """A scheduler with three living workers; a test may kill workers, not the scheduler."""
    shared_cluster.fill_up(3)
    return shared_cluster
