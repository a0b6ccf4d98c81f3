"""Options of the executor ``dask``."""

from __future__ import annotations

import attrs

from ensemble_core.model import Duration, option


@attrs.frozen
class DaskOptions:
    """Where the cluster is, and how much is handed to it at a time."""

    scheduler: str = option(
        "",
        "Address of the scheduler (`tcp://HOST:8786`, `tls://…`); empty: run in here",
    )
    shared: bool = option(
        False, "The workers see this machine's files under the same paths; nothing is sent along"
    )
    in_flight: int = option(
        0, "Tasks handed to the scheduler at a time; 0: two for each thread of its workers",
        minimum=0,
    )  # fmt: skip
    connect_timeout: Duration = option(
        Duration(10.0), "How long the scheduler may take to answer", minimum=0.1
    )
    worker_timeout: Duration = option(
        Duration(60.0), "How long to wait for the first worker", minimum=0.1
    )
