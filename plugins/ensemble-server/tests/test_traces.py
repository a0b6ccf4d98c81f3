"""Traces reach an OTLP endpoint, if they are asked for."""

from __future__ import annotations

import importlib.util
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from ensemble_server import traces
from serving import ended, send
from test_serve import process

from ensemble_core.model import MissingError

HAS_SDK = (
    importlib.util.find_spec("opentelemetry.sdk") is not None
    if importlib.util.find_spec("opentelemetry")
    else False
)


@pytest.mark.skipif(HAS_SDK, reason="the SDK is installed")
def test_without_the_library_there_is_one_clear_error() -> None:
    with pytest.raises(MissingError, match="traces need"):
        traces.set_up("http://127.0.0.1:1")


@pytest.mark.skipif(not HAS_SDK, reason="the OpenTelemetry SDK is not installed")
def test_a_job_makes_a_span(tmp_path: Path) -> None:
    bodies: list[bytes] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    collector = HTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=collector.serve_forever, args=(0.02,), daemon=True).start()
    url = f"http://127.0.0.1:{collector.server_address[1]}"
    with process(tmp_path, traces=url) as service:
        service.up()
        job = send(service.client).json()["id"]
        ended(service.client, job)
        service.process.terminate()
        service.process.wait(20)
    collector.shutdown()
    assert any(job.encode() in body and b"ensemble.id" in body for body in bodies)
