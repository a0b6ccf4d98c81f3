"""Builds every distribution, installs the wheels into a clean environment, uses them once."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = [ROOT, *sorted((ROOT / "plugins").iterdir())]


def run(*command: str | Path, cwd: Path | None = None) -> str:
    """Run a command; its output, or the end of this script with what it printed."""
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{command[0]} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def main() -> None:
    """Build, install, list the plugins, convert the example."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for package in PACKAGES:
            run(sys.executable, "-m", "build", "--no-isolation", "-o", folder / "dist", package)
        venv.create(folder / "env", with_pip=True)
        binaries = folder / "env" / ("Scripts" if sys.platform == "win32" else "bin")
        wheels = sorted((folder / "dist").glob("*.whl"))
        run(binaries / "python", "-m", "pip", "install", "--quiet", "--no-compile", *wheels)
        listed = run(binaries / "ensemble", "plugins", "list", cwd=folder)
        print(listed)
        page = ROOT / "examples" / "brahms-volkslied.png"
        run(
            binaries / "ensemble", "convert", page, "--to", "musicxml,midi,html",
            "--output", folder / "out/", "--no-cache", cwd=folder,
        )  # fmt: skip
        made = sorted(path.suffix for path in (folder / "out").iterdir())
        if made != [".html", ".mid", ".musicxml"]:
            sys.exit(f"converting the example from wheels made {made}")
        print(f"{len(wheels)} wheels built, installed and used; {', '.join(made)} written")


if __name__ == "__main__":
    main()
