"""Downloading what is missing: one process at a time, and never a bad file in the folder."""

from __future__ import annotations

import contextlib
import errno
import glob
import logging
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

from ..model import Cancelled, CancelToken, MissingError, ModelFile, OutputError
from .origin import Origin
from .sources import file_entry, take
from .store import Store, readable
from .transfer import Transfer

ARRIVING = ".arriving"
"""Folder, in a component's folder, of files that are not known to be right yet."""

OnBytes = Callable[[int, int], None]


def fetch(
    store: Store,
    component: str,
    files: Iterable[ModelFile],
    origin: Origin,
    *,
    on_bytes: OnBytes = lambda done, total: None,
    cancel: CancelToken | None = None,
) -> list[ModelFile]:
    """Download the files of a component that are not there, or not what they should be.

    Args:
        store: Where they belong.
        component: Name of the component.
        files: Its files.
        origin: Where they come from.
        on_bytes: Told how many bytes are there, and of how many that are downloaded.
        cancel: Stops it when thrown; what has arrived is gone on with the next time.

    Returns:
        What was downloaded.

    Raises:
        MissingError: A file cannot be had, or what comes is not the right one.
        OutputError: The folder cannot be written to, or the disk is full.
        Cancelled: The token was thrown.
    """
    wanted, token = list(files), cancel or CancelToken()
    if all(store.verify(component, file)[0] == "present" for file in wanted):
        return []
    with writing(store, component, wanted), alone(store.folder_of(component), token):
        bad = [file for file in wanted if store.verify(component, file)[0] != "present"]
        before, total = 0, sum(file.size for file in bad)
        for file in bad:
            transfer = Transfer(
                component, file, store.folder_of(component), origin,
                on_bytes=partial(_add, on_bytes, before, total), cancel=token,
            )  # fmt: skip
            _fetch_one(store, component, file, origin, transfer)
            before += file.size
        return bad


def _add(on_bytes: OnBytes, before: int, total: int, done: int) -> None:
    on_bytes(before + done, total)


def _fetch_one(
    store: Store, component: str, file: ModelFile, origin: Origin, transfer: Transfer
) -> None:
    folder, source = store.folder_of(component), origin.source(component, file)
    for stale in folder.glob(f".{glob.escape(file.name)}.*"):
        if stale.stem != transfer.part.stem:
            stale.unlink()
    _check_room(folder, file, transfer.part)
    if origin.folder is not None:
        store.place(component, file, _copy(component, file, folder, Path(source)), source)
        return
    url = origin.url(component, file)
    try:
        store.place(component, file, _download(file, folder, url, transfer), source)
    except MissingError as error:
        if error.code != "model-refused" or not transfer.resumed:
            raise
        # parts of two versions may have been put together: once more, from the start
        transfer.discard()
        store.place(component, file, _download(file, folder, url, transfer), source)


def _download(file: ModelFile, folder: Path, url: str, transfer: Transfer) -> Path:
    import pooch

    with _quiet(pooch.get_logger()):
        arrived = pooch.retrieve(
            url, known_hash=None, fname=file.name, path=folder / ARRIVING, downloader=transfer
        )
    return Path(arrived)


def _copy(component: str, file: ModelFile, folder: Path, source: Path) -> Path:
    if not source.is_file():
        raise MissingError(
            f"{file.name} cannot be fetched: {source} is not there",
            component=component, code="model-fetch-failed",
        )  # fmt: skip
    arrived = folder / ARRIVING / file.name
    take(file_entry(source), file, arrived)
    return arrived


@contextlib.contextmanager
def writing(store: Store, component: str, files: Iterable[ModelFile]) -> Iterator[None]:
    """Make the component's folder, and say in one line why it cannot be written to.

    Raises:
        OutputError: It cannot.
    """
    folder = store.folder_of(component)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        size = readable(sum(file.size for file in files))
        raise OutputError(
            f"{folder}: {(error.strerror or str(error)).lower()}", component=component,
            hint=f"{size} are needed there; models.folder names another folder",
        ) from error  # fmt: skip


@contextlib.contextmanager
def alone(folder: Path, cancel: CancelToken) -> Iterator[None]:
    """Keep other processes from writing to a component's folder meanwhile.

    Raises:
        Cancelled: The token was thrown while another process was at it.
        OSError: The folder cannot be written to.
    """
    import filelock

    lock = filelock.FileLock(folder / ".lock")
    while True:
        try:
            lock.acquire(timeout=0.2, poll_interval=0.05)
            break
        except filelock.Timeout:
            if cancel.cancelled:
                raise Cancelled("cancelled") from None
    arriving = folder / ARRIVING
    try:
        shutil.rmtree(arriving, ignore_errors=True)  # of a process that was killed
        arriving.mkdir()
        yield
    except OSError:
        for part in folder.glob(".*.part"):  # it would only keep a full disk full
            with contextlib.suppress(OSError):
                part.unlink()
        raise
    finally:
        shutil.rmtree(arriving, ignore_errors=True)
        lock.release()


def _check_room(folder: Path, file: ModelFile, part: Path) -> None:
    there = part.stat().st_size if part.exists() else 0
    if shutil.disk_usage(folder).free < file.size - there:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@contextlib.contextmanager
def _quiet(logger: logging.Logger) -> Iterator[None]:
    """Keep pooch from printing what it does; we tell it ourselves."""
    before = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(before)
