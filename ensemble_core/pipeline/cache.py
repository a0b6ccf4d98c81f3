"""Results of pages, kept by what decided them: input, versions, options, models."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any

import attrs


@attrs.frozen
class CacheInfo:
    """How much the cache holds: ``pages`` results in ``size`` bytes at ``folder``."""

    folder: Path
    pages: int
    size: int
    limit: int


class Cache:
    """A folder of JSON files named by a hash; safe to share between processes.

    A file appears whole or not at all, and one that cannot be read counts as absent.

    Args:
        folder: Where; made when first written to.
        limit: Most bytes; the least recently used results go first.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self.folder = folder / "pages"
        self.limit = limit
        self._written = 0

    def get(self, key: str) -> Any:
        """The result kept under a key, or None."""
        path = self._path(key)
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        with contextlib.suppress(OSError):
            os.utime(path)
        return data

    def put(self, key: str, value: Any) -> None:
        """Keep a result; a full or read-only disk is no reason to fail."""
        path = self._path(key)
        text = json.dumps(value, ensure_ascii=False)
        temporary = path.with_suffix(f".{os.getpid()}.tmp")
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            temporary.write_text(text, encoding="utf-8")
            temporary.replace(path)
        except OSError:
            with contextlib.suppress(OSError):
                temporary.unlink()
            return
        self._written += len(text)
        if self._written > self.limit // 20:
            self._written = 0
            self.shrink()

    def info(self) -> CacheInfo:
        """What is there now."""
        sizes = [size for _, size, _ in self._files()]
        return CacheInfo(self.folder, len(sizes), sum(sizes), self.limit)

    def clear(self) -> CacheInfo:
        """Remove everything; gives what was there."""
        info = self.info()
        for _, _, path in self._files():
            with contextlib.suppress(OSError):
                path.unlink()
        return info

    def shrink(self) -> None:
        """Remove the least recently used results until the limit holds."""
        files = sorted(self._files())
        total = sum(size for _, size, _ in files)
        for _, size, path in files:
            if total <= self.limit:
                break
            with contextlib.suppress(OSError):
                path.unlink()
                total -= size

    def _files(self) -> list[tuple[float, int, Path]]:
        found = []
        for path in self.folder.glob("*/*.json"):
            with contextlib.suppress(OSError):
                status = path.stat()
                found.append((status.st_mtime, status.st_size, path))
        return found

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key[2:]}.json"
