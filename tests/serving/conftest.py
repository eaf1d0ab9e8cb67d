"""A made-up subject and the application around one room."""

import asyncio
import copy
import gzip
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from benchmarks.reliability.served import ROOT
from serving.app import application
from serving.examples import EXAMPLE
from serving.lifecycle import Watch
from serving.request import EPOCH
from serving.room import Room

TODAY = date(2026, 1, 15).toordinal() - EPOCH

Body = dict[str, Any]


class Client:
    """The application, called in process; a call is one loop and one request."""

    def __init__(self, app: Any) -> None:
        self.app = app

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        return self.request("POST", path, **options)

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        async def call() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                return await client.request(method, path, **options)

        return asyncio.run(call())


class Collector(ThreadingHTTPServer):
    """A collector of OpenTelemetry's on loopback that keeps what it is sent."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                assert self.path == "/v1/traces"
                content = self.rfile.read(int(self.headers["content-length"]))
                packed = self.headers.get("content-encoding") == "gzip"
                collector.sent.append(gzip.decompress(content) if packed else content)
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}"


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    """A running collector."""
    found = Collector()
    threading.Thread(target=found.serve_forever, args=(0.05,), daemon=True).start()
    yield found
    found.shutdown()
    found.server_close()


@pytest.fixture
def body() -> Body:
    """The made-up person of the OpenAPI document: two visits, the last on 2025-09-09."""
    return copy.deepcopy(EXAMPLE)


@pytest.fixture
def today() -> int:
    """2026-01-15, in days since 1970-01-01."""
    return TODAY


@pytest.fixture
def no_canary(monkeypatch: pytest.MonkeyPatch) -> None:
    """Models are taken in without a canary process, which takes half a second."""
    monkeypatch.setattr("serving.published.try_out", lambda _: None)


@pytest.fixture
def watch(tmp_path: Path, publish: Callable[..., Path], no_canary: None) -> Watch:
    """A lineup of version 1 of the learned model, which looks when it is told to."""
    publish(tmp_path)
    found = Watch(tmp_path)
    found.look()
    return found


@pytest.fixture(scope="session")
def versions() -> Callable[[Watch], dict[str, str]]:
    """Versions of the learned models that answer."""

    def versions(watch: Watch) -> dict[str, str]:
        return {name: model.version for name, model in watch.lineup.learned.items()}

    return versions


@pytest.fixture
def room(tmp_path: Path, publish: Callable[..., Path], no_canary: None) -> Iterator[Room]:
    """A room with one learned model, where it is always 2026-01-15."""
    publish(tmp_path)
    room = Room(tmp_path, tmp_path / "audit", today=lambda: TODAY)
    room.open()
    yield room
    room.close()


START = """
import sys
from pathlib import Path
import smoulder
sys.argv = ["smoulder", "serve", "--port", sys.argv[1], "--workers", sys.argv[2],
            "--runs", *sys.argv[3:]]
smoulder.main()
"""


@contextmanager
def _started(
    runs: Path, port: int, workers: int, before: str = "", *options: str
) -> "Iterator[subprocess.Popen[str]]":
    """The server of the command line, in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-c", before + START, str(port), str(workers), str(runs), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    try:
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=60)


@pytest.fixture(scope="session")
def started() -> Callable[..., Any]:
    """Starts the server of the command line, after a text of Python that changes it."""
    return _started


@pytest.fixture(scope="session")
def client_of() -> type[Client]:
    """A client of an application, called in process."""
    return Client


@pytest.fixture
def client(room: Room) -> Client:
    """The application, called in process."""
    return Client(application(room))
