"""Folders of the user's own that Ensemble keeps things in. Cheap to import."""

from __future__ import annotations

from pathlib import Path


def cache_folder() -> Path:
    """Results of pages and what is known of plugins; may be removed at any time."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("ensemble", appauthor=False))


def model_folder() -> Path:
    """Model files of components, one folder each."""
    return cache_folder() / "models"


def config_file() -> Path:
    """The user's own configuration file (it need not exist)."""
    import platformdirs

    return Path(platformdirs.user_config_dir("ensemble", appauthor=False)) / "config.toml"
