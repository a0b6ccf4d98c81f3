"""A Python client of the service; needs nothing of the server's parts.

```python
from ensemble_server.client import Client

with Client("https://scores.example", key="ens_…") as client:
    job = client.submit("sonata.pdf", export=["musicxml", "midi"])
    job.wait(on_event=print)
    for file in job.outputs:
        job.download(file.name, "scores/")
```
"""

from __future__ import annotations

from .client import Client
from .errors import (
    ApiError,
    Busy,
    Conflict,
    Denied,
    JobFailed,
    NotFound,
    Rejected,
    ServerFault,
    TooLarge,
    Unreachable,
    UnsupportedFile,
)
from .jobs import Event, File, Job

__all__ = [
    "ApiError",
    "Busy",
    "Client",
    "Conflict",
    "Denied",
    "Event",
    "File",
    "Job",
    "JobFailed",
    "NotFound",
    "Rejected",
    "ServerFault",
    "TooLarge",
    "Unreachable",
    "UnsupportedFile",
]
