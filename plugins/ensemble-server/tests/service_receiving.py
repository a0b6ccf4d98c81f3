"""A receiver of webhooks, for tests: keeps what it is sent, answers as it is told."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import attrs


@attrs.frozen
class Message:
    path: str
    headers: dict[str, str]
    body: bytes


class Receiver:
    """Listens on this machine. ``answers`` maps a path to a status (default 204)."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.answers: dict[str, int] = {}
        self.location = ""
        self.hold = threading.Event()  # what is sent to /slow waits for it
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                outer.messages.append(Message(self.path, headers, body))
                if self.path == "/slow":
                    outer.hold.wait(20)
                self.send_response(outer.answers.get(self.path, 204))
                if outer.location:
                    self.send_header("Location", outer.location)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def do_GET(self) -> None:
                outer.messages.append(Message(self.path, {}, b"GET"))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            request_queue_size = 512
            daemon_threads = True

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.hold.set()
        self._server.shutdown()
        self._server.server_close()
