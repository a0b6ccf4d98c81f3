"""Reading TOML on every supported Python."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from ..model import ConfigError


def _module() -> Any:
    if sys.version_info >= (3, 11):
        import tomllib

        return tomllib
    import tomli

    return tomli


def loads(text: str) -> dict[str, Any]:
    """Parse a TOML text.

    Raises:
        ValueError: It is not valid TOML.
    """
    data: dict[str, Any] = _module().loads(text)
    return data


def read(path: Path) -> dict[str, Any]:
    """Parse a TOML file.

    Raises:
        ConfigError: It cannot be read or is not valid TOML.
    """
    try:
        return loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such configuration file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from None
    except ValueError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from None
