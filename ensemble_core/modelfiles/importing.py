"""Taking model files from a folder or an archive, for machines without a network."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from ..model import CancelToken, EnsembleError, MissingError, ModelFile
from .fetching import ARRIVING, alone, writing
from .sources import Entry, entries, take
from .store import Store, wrong_size


def import_files(
    store: Store, source: Path, wanted: Mapping[str, Iterable[ModelFile]]
) -> list[tuple[str, ModelFile]]:
    """Copy what is found of components' files to the store, held to the same checks as a download.

    Args:
        store: Where they belong.
        source: A folder, a zip or tar archive, or one file; looked through at any depth.
        wanted: Component → its files; each is known by its name and its aliases.

    Returns:
        What was found and is in the store now: component and file.

    Raises:
        InputError: The source cannot be read.
        MissingError: Nothing fitting is in it, or what has the name is not the file.
        OutputError: The folder cannot be written to.
    """
    open_ = [(component, file) for component, files in wanted.items() for file in files]
    done: list[tuple[str, ModelFile]] = []
    refused: dict[tuple[str, str], EnsembleError] = {}
    known = [file for _, file in open_]
    for entry in entries(source, lambda name: any(_is(file, name) for file in known)):
        for component, file in [pair for pair in open_ if _is(pair[1], entry.name)]:
            try:
                _import_one(store, component, file, entry)
            except MissingError as error:
                refused[component, file.name] = error
                continue
            open_.remove((component, file))
            done.append((component, file))
    left = [refused[c, f.name] for c, f in open_ if (c, f.name) in refused]
    if left:
        raise left[0]
    if not done:
        names = ", ".join(dict.fromkeys(file.name for file in known))
        raise MissingError(f"{source} holds none of the model files {names}", code="model-missing")
    return done


def _import_one(store: Store, component: str, file: ModelFile, entry: Entry) -> None:
    if entry.size != file.size:
        raise wrong_size(component, file, entry.name, entry.size)
    folder = store.folder_of(component)
    with writing(store, component, [file]), alone(folder, CancelToken()):
        arrived = folder / ARRIVING / file.name
        take(entry, file, arrived)
        store.place(component, file, arrived, entry.name)


def _is(file: ModelFile, name: str) -> bool:
    """Whether a path is the file's name or one of its aliases, at any depth."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    known = [PurePosixPath(alias).parts for alias in (file.name, *file.aliases)]
    return any(parts[-len(own) :] == own for own in known)
