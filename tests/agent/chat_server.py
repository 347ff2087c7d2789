"""An OpenAI-compatible server on 127.0.0.1 that says what a test has scripted, well or ill."""

from __future__ import annotations

import json
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Request = dict[str, Any]


@dataclass(frozen=True)
class Reply:
    """What the server does with a request.

    Attributes:
        body: Sent as it is.
        status: Of HTTP.
        headers: Further ones.
        seconds: Waits before it answers.
        cut: Closes the connection after half of the body.
        until: Waits for this too.
    """

    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    cut: bool = False
    until: threading.Event | None = None


def said(text: str | None, finish: str = "stop", **message: object) -> Reply:
    """A chat completion of 100 + 50 tokens."""
    document = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "scripted",
        "choices": [
            {
                "index": 0,
                "finish_reason": finish,
                "message": {"role": "assistant", "content": text, **message},
            }
        ],
        "usage": {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150},
    }
    return Reply(json.dumps(document).encode())


def failed(status: int, message: str = "no", **headers: str) -> Reply:
    """An error as OpenAI words it."""
    return Reply(json.dumps({"error": {"message": message}}).encode(), status, headers)


class _Server(ThreadingHTTPServer):
    """Clients that are killed cut their connections; nobody needs to read of it."""

    def handle_error(self, request: object, client_address: object) -> None:
        """Other errors are shown as ever."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


@dataclass
class ChatServer:
    """Answers requests by `script`, a function of how many came before and of the request."""

    script: Callable[[int, Request], Reply]
    models: tuple[str, ...] = ("scripted",)
    requests: list[Request] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    url: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def reply(self, request: Request, key: str) -> Reply:
        """The next reply; requests are kept."""
        with self._lock:
            number = len(self.requests)
            self.requests.append(request)
            self.keys.append(key)
        return self.script(number, request)


@contextmanager
def serving(
    script: Callable[[int, Request], Reply] | list[Reply], models: tuple[str, ...] = ("scripted",)
) -> Iterator[ChatServer]:
    """A running server; a list is said in its order, the last for ever."""
    if isinstance(script, list):
        replies = script
        chat = ChatServer(lambda number, _: replies[min(number, len(replies) - 1)], models)
    else:
        chat = ChatServer(script, models)
    server = _Server(("127.0.0.1", 0), _handler(chat))
    server.daemon_threads = True
    chat.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield chat
    finally:
        server.shutdown()
        server.server_close()


def unused_url() -> str:
    """An address where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}/v1"


def _handler(chat: ChatServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            listed = {"object": "list", "data": [{"id": m, "object": "model"} for m in chat.models]}
            self._send(Reply(json.dumps(listed).encode()))

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            request = json.loads(self.rfile.read(length))
            reply = chat.reply(request, self.headers.get("Authorization", ""))
            time.sleep(reply.seconds)
            if reply.until is not None:
                reply.until.wait(600)
            self._send(reply)

        def log_message(self, format: str, *args: object) -> None:
            pass

        def _send(self, reply: Reply) -> None:
            try:
                self.send_response(reply.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(reply.body)))
                for name, value in reply.headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.end_headers()
                if reply.cut:
                    self.wfile.write(reply.body[: len(reply.body) // 2])
                    self.wfile.flush()
                    self.connection.shutdown(socket.SHUT_RDWR)
                    self.close_connection = True
                else:
                    self.wfile.write(reply.body)
            except OSError:
                pass  # the client has gone

    return Handler
