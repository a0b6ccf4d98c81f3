"""Whether the service can do its work: each part looked at, each with a word on what is wrong."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import psutil
from sqlalchemy import text

from .records import migrate

if TYPE_CHECKING:
    from .service import Service

LEAST_DISK = 512 * 2**20
"""Bytes below which the disk counts as full."""
LEAST_MEMORY = 128 * 2**20


def readiness(service: Service) -> dict[str, Any]:
    """All checks: ``status`` is ``ok`` if all are."""
    checks: dict[str, Callable[[Service], dict[str, Any]]] = {
        "database": _database,
        "storage": _storage,
        "updates": _updates,
        "recognizers": _recognizers,
        "memory": _memory,
        "disk": _disk,
    }
    found = {name: _checked(check, service) for name, check in checks.items()}
    fine = all(each["status"] == "ok" for each in found.values())
    return {"status": "ok" if fine else "unavailable", "checks": found}


def _checked(check: Callable[[Service], dict[str, Any]], service: Service) -> dict[str, Any]:
    began = time.monotonic()
    try:
        found = {"status": "ok", **check(service)}
    except Exception as error:
        # The kind alone: messages of drivers may hold addresses and names of users.
        found = {"status": "unavailable", "reason": type(error).__name__}
    return {**found, "seconds": round(time.monotonic() - began, 3)}


def _database(service: Service) -> dict[str, Any]:
    with service.database.read() as session:
        session.execute(text("SELECT 1"))
    version = migrate.current(service.database)
    if version != migrate.head():
        return {"status": "unavailable", "reason": "not migrated", "version": version}
    return {"version": version}


def _storage(service: Service) -> dict[str, Any]:
    service.store.check()
    return {}


def _updates(service: Service) -> dict[str, Any]:
    ping = getattr(service.bus, "ping", None)
    if ping is not None:
        ping()
    return {"shared": service.bus.shared}


def _recognizers(service: Service) -> dict[str, Any]:
    """Each recognizer with whether its libraries and models are there; one is enough."""
    states = {name: ("ready" if ready else "lacking") for name, ready in service.recognizers()}
    fine = "ready" in states.values()
    return {"status": "ok" if fine else "unavailable", "recognizers": states}


def _memory(service: Service) -> dict[str, Any]:
    free = psutil.virtual_memory().available
    return {"status": "ok" if free > LEAST_MEMORY else "unavailable", "available": free}


def _disk(service: Service) -> dict[str, Any]:
    folder = service.settings.folder
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    free = psutil.disk_usage(str(folder)).free
    return {"status": "ok" if free > LEAST_DISK else "unavailable", "free": free}
