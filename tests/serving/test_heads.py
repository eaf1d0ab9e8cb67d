"""Connections with late heads are closed; proper ones, kept alive, are not."""

import asyncio
from typing import Any

import pytest
import uvicorn

from serving import heads


async def _hello(scope: Any, receive: Any, send: Any) -> None:
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]}
    )
    await send({"type": "http.response.body", "body": b"ok"})


PROPER = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"


@pytest.mark.parametrize(
    ("sent", "answers"),
    [(b"GET / HTTP/1.1\r\nHost: he", 0), (b"", 0), (PROPER + b"GET / HT", 1)],
    ids=["half a head", "nothing", "half a second head"],
)
def test_a_late_head_ends_its_connection(
    monkeypatch: pytest.MonkeyPatch, sent: bytes, answers: int
) -> None:
    monkeypatch.setattr(heads, "HEAD_SECONDS", 0.2)
    assert asyncio.run(_talk(sent)).count(b"200 OK") == answers


async def _talk(sent: bytes) -> bytes:
    """Everything a server says until it hangs up; nothing else ends the talk."""
    heads.limit_heads()
    config = uvicorn.Config(
        _hello, port=0, lifespan="off", log_level="error", timeout_keep_alive=60
    )
    server = uvicorn.Server(config)
    config.load()
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    told = await asyncio.wait_for(reader.read(), timeout=10)
    writer.close()
    server.should_exit = True
    await serving
    return told
