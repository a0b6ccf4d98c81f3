"""Installing a source folder without pip: what an editable install amounts to."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def develop(folder: Path, site: Path) -> None:
    """Make the package in ``folder`` importable and its entry points known from ``site``."""
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    name, version = project["name"], project["version"]
    info = site / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True, exist_ok=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    groups = project.get("entry-points", {})
    text = "".join(
        f"[{group}]\n" + "".join(f"{point} = {target}\n" for point, target in points.items())
        for group, points in groups.items()
    )
    (info / "entry_points.txt").write_text(text)


def run(
    words: list[str], folder: Path, site: Path, packages: list[Path]
) -> subprocess.CompletedProcess[str]:
    """Run Python in ``folder`` with ``site`` and the packages' folders on its path."""
    own = os.pathsep.join(str(path) for path in (site, *packages))
    env = {**os.environ, "PYTHONPATH": own, "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, *words], cwd=folder, env=env, capture_output=True, text=True,
        stdin=subprocess.DEVNULL, timeout=300, check=False,
    )  # fmt: skip
