"""A hub on this machine: the part of its HTTP interface that a download takes, over the files of a folder."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import constants

COMMIT = "a" * 40


@dataclass
class Hub:
    """What the hub answers, and what it was asked for."""

    folder: Path | None = None  # whose files are those of every repository
    status: int = 200  # of every answer; other ones have no body
    error_code: str = ""  # X-Error-Code
    endpoint: str = ""
    fetched: list[str] = field(default_factory=list)  # names of files, in the order in which they were asked for

    def patch(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Make huggingface_hub take this for the hub: what HF_ENDPOINT does when it is imported."""
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(constants, "ENDPOINT", self.endpoint)
        template = constants.HUGGINGFACE_CO_URL_TEMPLATE.replace("https://huggingface.co", self.endpoint)
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)


@contextmanager
def running(hub: Hub) -> Iterator[None]:
    """Answer requests to `hub.endpoint` until the end of the block."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            headers, body = _answer(hub, self.path.split("?")[0])
            if self.command == "GET" and "/resolve/" in self.path:
                hub.fetched.append(self.path.rsplit("/", 1)[-1])
            self.send_response(hub.status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        do_HEAD = do_GET

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        hub.endpoint = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield
        server.shutdown()
        thread.join()


def _answer(hub: Hub, path: str) -> tuple[dict[str, str], bytes]:
    if hub.status != 200 or hub.folder is None:
        return {"X-Error-Code": hub.error_code}, b""
    if "/resolve/" in path:
        body = (hub.folder / path.rsplit("/", 1)[-1]).read_bytes()
        return {"ETag": f'"{hashlib.sha1(body).hexdigest()}"', "X-Repo-Commit": COMMIT}, body
    files = [_listed(file) for file in sorted(hub.folder.iterdir())]
    content = files if "/tree/" in path else {"id": "owner/name", "sha": COMMIT, "siblings": []}
    return {"Content-Type": "application/json"}, json.dumps(content).encode()


def _listed(file: Path) -> dict[str, Any]:
    oid = hashlib.sha1(file.read_bytes()).hexdigest()
    return {"type": "file", "path": file.name, "size": file.stat().st_size, "oid": oid}
