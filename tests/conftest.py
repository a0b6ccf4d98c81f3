"""What the core's tests share: made-up distributions and small pictures."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

Installer = Callable[..., Path]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Installer]:
    """Install a made-up distribution: ``install("dist", {"recognizers": {"x": "mod"}}, mod=code)``."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setenv("PYTHONPATH", str(site))
    before = set(sys.modules)

    def make(
        name: str, points: dict[str, dict[str, str]], version: str = "1.0", **modules: str
    ) -> Path:
        info = site / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        text = ""
        for group, names in points.items():
            text += f"[ensemble.{group}]\n" + "".join(f"{k} = {v}\n" for k, v in names.items())
        (info / "entry_points.txt").write_text(text)
        for module, code in modules.items():
            (site / f"{module}.py").write_text(textwrap.dedent(code))
        return site

    yield make
    for module in set(sys.modules) - before:
        if str(getattr(sys.modules[module], "__file__", "")).startswith(str(site)):
            del sys.modules[module]


@pytest.fixture
def page_png(tmp_path: Path) -> Path:
    """A small picture."""
    from PIL import Image

    path = tmp_path / "page.png"
    Image.new("L", (200, 100), 255).save(path)
    return path
