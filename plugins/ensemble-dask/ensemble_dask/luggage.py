"""On the client: the files a task reads, on their way to the workers and back."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import attrs

from ensemble_core.model import ContractError

INLINE = 2**20
"""Bytes up to which a file travels inside the order; larger ones go once to each worker."""

ROOM = 2**29
"""Bytes of larger files the cluster is asked to keep for tasks to come."""

_Identity = tuple[str, int, int, int]


@attrs.frozen
class Packed:
    """Files ready to go.

    Attributes:
        digests: SHA-256 of every file, by path.
        inline: Bytes of the small ones.
        sent: Dask futures of the bytes of the others.
    """

    digests: dict[str, str] = attrs.field(factory=dict)
    inline: dict[str, bytes] = attrs.field(factory=dict)
    sent: dict[str, Any] = attrs.field(factory=dict)


class Luggage:
    """Sends files to the cluster, each once while it is among the last ones used.

    Args:
        client: The Dask client.
        run: Prefix of the keys, so that runs do not meet.
    """

    def __init__(self, client: Any, run: str) -> None:
        self._client, self._run = client, run
        self._guard = threading.Lock()
        self._sent: OrderedDict[_Identity, tuple[str, Any]] = OrderedDict()

    def pack(self, files: Iterable[Path]) -> Packed:
        """Make files ready.

        Raises:
            OSError: One cannot be read.
        """
        packed = Packed()
        for file in dict.fromkeys(files):
            found = file.stat()
            name = str(file)
            if found.st_size <= INLINE:
                data = file.read_bytes()
                packed.inline[name] = data
                packed.digests[name] = hashlib.sha256(data).hexdigest()
                continue
            identity = (str(file.absolute()), found.st_ino, found.st_mtime_ns, found.st_size)
            with self._guard:
                packed.digests[name], packed.sent[name] = self._known(file, identity)
        return packed

    def _known(self, file: Path, identity: _Identity) -> tuple[str, Any]:
        known = self._sent.get(identity)
        if known is None or known[1].status != "finished":
            data = file.read_bytes()
            digest = hashlib.sha256(data).hexdigest()
            key = f"ensemble-file-{self._run}-{digest}"
            known = digest, self._client.scatter({key: data}, hash=False)[key]
            self._sent[identity] = known
        self._sent.move_to_end(identity)
        while len(self._sent) > 1 and sum(each[3] for each in self._sent) > ROOM:
            self._sent.popitem(last=False)
        return known


def unpack(files: Mapping[str, bytes], workspace: Path) -> None:
    """Put what came back into the task's workspace.

    Raises:
        ContractError: A name leads out of it.
        OSError: It cannot be written.
    """
    root = workspace.resolve()
    for name, data in files.items():
        place = (root / name).resolve()
        if root not in place.parents:
            raise ContractError(f"a worker sent a file called {name!r}", component="dask")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
