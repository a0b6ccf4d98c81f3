"""What tests of the service share."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

LOOPBACK = "http://127.0.0.1"


def picture(width: int = 60, height: int = 80, shade: int = 255) -> bytes:
    """A small page of nothing, as PNG."""
    from PIL import Image

    stream = BytesIO()
    Image.new("L", (width, height), shade).save(stream, "PNG")
    return stream.getvalue()


MOCK = {"recognizer": "mock", "export": ["musicxml"]}


def send(client: Any, data: bytes | None = None, name: str = "page.png", **more: Any) -> Any:
    """Upload one page; ``options``, ``fields`` (further ones) and ``headers`` may be given."""
    options = more.pop("options", MOCK)
    return client.post(
        "/v1/jobs",
        files=[("files", (name, picture() if data is None else data, "image/png"))],
        data={"options": json.dumps(options), **more.pop("fields", {})},
        **more,
    )


def wait_for(look: Callable[[], Any], seconds: float = 60.0) -> Any:
    """Look again and again until there is something; fails after ``seconds``."""
    end = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)


def ended(client: Any, job_id: str, seconds: float = 60.0) -> dict[str, Any]:
    """The job once it has ended."""

    def look() -> dict[str, Any] | None:
        job: dict[str, Any] = client.get(f"/v1/jobs/{job_id}").json()
        return job if job["state"] not in {"queued", "running"} else None

    found: dict[str, Any] = wait_for(look, seconds)
    return found


@contextmanager
def serving(settings: Any) -> Iterator[str]:
    """The service behind a real uvicorn; gives its URL."""
    import uvicorn
    from ensemble_server.app import create_app

    app = create_app(settings)
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, lifespan="on")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        wait_for(lambda: server.started or not thread.is_alive(), 60)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        app.state.stopping.set()
        server.should_exit = True
        thread.join(20)
