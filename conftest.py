"""What holds for every test of the repository, the plugins' too."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("ensemble", deadline=None)  # the machines are shared and noisy
settings.load_profile("ensemble")


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test reads or fills the user's own configuration and cache."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "cache"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "config"))
    for name in ("ENSEMBLE_CONFIG", "ENSEMBLE_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    return home
