"""The folder of model files: what is there, and whether it is what it should be."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from ..model import MissingError, ModelFile, PlannedModel

State = Literal["present", "missing", "wrong size", "changed"]
"""``changed``: of the right size, but not the bytes that were pinned or first seen."""

RECORD = "hashes.json"
"""Name, in a component's folder, of the hashes seen at first use: file name → SHA-256."""


class Store:
    """Model files, one folder a component.

    Args:
        folder: Where; made when the first file arrives.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()

    def folder_of(self, component: str) -> Path:
        """Where the files of a component are kept."""
        return self.folder / component

    def path(self, component: str, file: ModelFile) -> Path:
        """Where a file belongs, whether or not it is there."""
        return self.folder_of(component) / file.name

    def glance(self, component: str, file: ModelFile) -> State:
        """The state by size alone: cheap, and blind to changed bytes."""
        try:
            size = self.path(component, file).stat().st_size
        except OSError:
            return "missing"
        return "present" if size == file.size else "wrong size"

    def verify(self, component: str, file: ModelFile) -> tuple[State, str]:
        """The state after reading every byte, and the SHA-256 of what was read.

        The hash of a file whose publisher names none is written down the first time.
        """
        state = self.glance(component, file)
        if state != "present":
            return state, ""
        try:
            found = sha256_of(self.path(component, file))
        except OSError:
            return "missing", ""
        wanted = self.expected(component, file)
        if not wanted:
            with contextlib.suppress(OSError):  # a shared, read-only folder serves as well
                self.remember(component, file, found)
        return ("present" if wanted in ("", found) else "changed"), found

    def expected(self, component: str, file: ModelFile) -> str:
        """The SHA-256 a file must have: as published, else as first seen, else empty."""
        return file.sha256.lower() or self._record(component).get(file.name, "")

    def remember(self, component: str, file: ModelFile, sha256: str) -> None:
        """Write down the hash of a file's first copy; one that is known already stays.

        Raises:
            OSError: It cannot be written.
        """
        known = self._record(component)
        if file.sha256 or file.name in known:
            return
        record = self.folder_of(component) / RECORD
        temporary = record.with_suffix(f".{os.getpid()}.tmp")
        try:
            temporary.write_text(json.dumps({**known, file.name: sha256}, indent=2) + "\n")
            temporary.replace(record)
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)

    def _record(self, component: str) -> dict[str, str]:
        try:
            data = json.loads((self.folder_of(component) / RECORD).read_text(encoding="utf-8"))
            return {str(name): str(sha256) for name, sha256 in dict(data).items()}
        except (OSError, ValueError, TypeError):
            return {}

    def missing(self, component: str, files: Iterable[ModelFile]) -> list[ModelFile]:
        """The files that are not there in their size."""
        return [file for file in files if self.glance(component, file) != "present"]

    def place(self, component: str, file: ModelFile, candidate: Path, source: str) -> Path:
        """Give a file that has arrived its final name, if it is the right one.

        Args:
            component: Name of the component.
            file: What it must be.
            candidate: The file, in the component's folder; moved, or removed when wrong.
            source: What messages call the place it came from.

        Raises:
            MissingError: It has another size or hash.
            OSError: It cannot be put there.
        """
        try:
            size = candidate.stat().st_size
            if size != file.size:
                raise wrong_size(component, file, source, size)
            found, wanted = sha256_of(candidate), self.expected(component, file)
            if wanted not in ("", found):
                raise self._wrong_hash(component, file, source, found)
            with candidate.open("rb+") as stream:
                os.fsync(stream.fileno())
            self.remember(component, file, found)
            candidate.replace(self.path(component, file))
        finally:
            with contextlib.suppress(OSError):
                candidate.unlink(missing_ok=True)
        return self.path(component, file)

    def _wrong_hash(self, component: str, file: ModelFile, source: str, found: str) -> MissingError:
        record = self.folder_of(component) / RECORD
        hint = "it was damaged on the way, or it is another file"
        if not file.sha256:
            hint = f"it is not what was there first; remove {record} to trust the new one"
        return MissingError(
            f"{file.name} from {source} is not the right file (SHA-256 {found[:12]}…)",
            component=component, hint=hint, code="model-refused",
        )  # fmt: skip

    def use(self, component: str, files: Iterable[ModelFile]) -> dict[str, PlannedModel]:
        """The files of a component, every byte verified, by name.

        Raises:
            MissingError: One is missing, or is not what it should be.
        """
        wanted = list(files)
        seen = {file.name: self.verify(component, file) for file in wanted}
        for state in ("missing", "wrong size", "changed"):
            bad = [file for file in wanted if seen[file.name][0] == state]
            if bad:
                raise lacking(component, bad, self.folder_of(component), state)
        return {
            file.name: PlannedModel(str(self.path(component, file)), seen[file.name][1])
            for file in wanted
        }


def own_files(
    component: str, files: Iterable[ModelFile], folder: Path, option: str
) -> dict[str, PlannedModel]:
    """The user's own files in the place of a component's, by the names of the latter.

    Args:
        component: Name of the component.
        files: What its spec names; each is looked for by name, then by alias.
        folder: Where the user has them.
        option: The option that says so.

    Raises:
        MissingError: One is not there or cannot be read.
    """
    found: dict[str, PlannedModel] = {}
    for file in files:
        places = [folder.expanduser().absolute() / name for name in (file.name, *file.aliases)]
        path = next((place for place in places if place.is_file()), None)
        if path is None:
            raise MissingError(
                f"{places[0]} is not there", component=component, code="model-missing",
                hint=f"-O {component}.{option} names the folder; without it "
                f"`ensemble models fetch {component}` serves",
            )  # fmt: skip
        try:
            found[file.name] = PlannedModel(str(path), sha256_of(path))
        except OSError as error:
            raise MissingError(
                f"{path} cannot be read: {error.strerror}", component=component,
                code="model-damaged",
            ) from error  # fmt: skip
    return found


def lacking(component: str, files: Iterable[ModelFile], folder: Path, state: State) -> MissingError:
    """The one line for files that are missing, or not what they should be."""
    wanted = list(files)
    names = " and ".join(f"{file.name} ({readable(file.size)})" for file in wanted)
    what = "the model file" if len(wanted) == 1 else "the model files"
    is_, has = ("is", "has") if len(wanted) == 1 else ("are", "have")
    told = {
        "missing": f"{what} {names} {is_} missing from {folder}",
        "wrong size": f"{what} {names} in {folder} {has} another size",
        "changed": f"{what} {names} in {folder} {is_} damaged or changed (wrong SHA-256)",
    }
    again = "" if state == "missing" else ", which replaces it"
    return MissingError(
        told[state], component=component,
        hint=f"`ensemble models fetch {component}`{again}, or convert with --fetch-models",
        code="model-missing" if state == "missing" else "model-damaged",
    )  # fmt: skip


def wrong_size(component: str, file: ModelFile, source: str, size: int | str) -> MissingError:
    """The one line for a file that arrives with another size than it must have."""
    return MissingError(
        f"{file.name} from {source} has {size} bytes instead of {file.size}", component=component,
        hint="it is another file, or not whole", code="model-refused",
    )  # fmt: skip


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, hexadecimal, read piece by piece.

    Raises:
        OSError: It cannot be read.
    """
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while piece := stream.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def readable(size: int) -> str:
    """A size for people: ``70.8 MB``."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= factor:
            return f"{size / factor:.1f} {unit}"
    return f"{size} bytes"
