"""Connections with late, long or senseless heads are closed; proper ones, kept alive, are not."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn

from serving import heads


async def _hello(scope: Any, receive: Any, send: Any) -> None:
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]}
    )
    await send({"type": "http.response.body", "body": b"ok"})


async def _headers(scope: Any, receive: Any, send: Any) -> None:
    while (await receive()).get("more_body"):
        pass
    names = b" ".join(name for name, _ in scope["headers"])
    length = str(len(names)).encode()
    start = {"type": "http.response.start", "status": 200}
    await send({**start, "headers": [(b"content-length", length), (b"connection", b"close")]})
    await send({"type": "http.response.body", "body": names})


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


CHUNKED = b"POST / HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"
LONG = b"a" * heads.MOST_HEAD_BYTES


@pytest.mark.parametrize(
    ("sent", "status", "kind"),
    [
        (b"hello\r\n\r\n", 400, "malformed"),
        (b"GET / HTTP/1.1\r\n\r\n", 400, "malformed"),
        (b"GET / HTTP/1.1\r\nHost: here\r\nHost: there\r\n\r\n", 400, "malformed"),
        (PROPER[:-2] + b"X: " + LONG + b"\r\n\r\n", 431, "head-too-large"),
        (b"GET /" + LONG + PROPER[5:], 431, "head-too-large"),
    ],
    ids=["no HTTP", "no host", "two hosts", "long header", "long address"],
)
def test_what_no_route_could_be_asked_for_is_answered_in_the_shape_of_all_failures(
    sent: bytes, status: int, kind: str
) -> None:
    head, _, body = asyncio.run(_talk(sent)).partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    told = json.loads(body)
    assert first.split(" ")[1] == str(status) == str(told["status"])
    assert told["type"] == f"urn:smoulder:problem:{kind}"
    assert headers["content-type"] == "application/problem+json"
    assert headers["x-request-id"] == told["request_id"]
    assert headers["x-content-type-options"] == "nosniff"
    assert int(headers["content-length"]) == len(body)


@pytest.mark.parametrize(
    "begun",
    [PROPER[:-2] + b"X: ", PROPER[:-2], CHUNKED + b"0\r\nX: ", CHUNKED + b"2;"],
    ids=["a header", "headers", "a trailer", "a chunk's extension"],
)
def test_what_comes_before_or_after_a_body_does_not_gather_for_ever(begun: bytes) -> None:
    more = b"X: 12\r\n" * 8192 if begun.endswith(b"\r\n") else LONG
    assert asyncio.run(_hangs_up(begun, more))


def test_a_trailer_is_no_header() -> None:
    told = asyncio.run(_talk(CHUNKED + b"0\r\nAuthorization: Bearer x\r\n\r\n", headers=True))
    assert b"authorization" not in told
    assert b"transfer-encoding" in told


async def _hangs_up(begun: bytes, more: bytes) -> bool:
    """Whether the server hangs up before 32 MB of the same have come."""
    async with _served() as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(begun)
        try:
            for _ in range(2**25 // len(more)):
                writer.write(more)
                await writer.drain()
        except ConnectionError:
            return True
        finally:
            writer.transport.abort()
    return False


async def _talk(sent: bytes, *, headers: bool = False) -> bytes:
    """Everything a server says until it hangs up; nothing else ends the talk."""
    async with _served(_headers if headers else _hello) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(sent)
        told = await asyncio.wait_for(reader.read(), timeout=30)
        writer.close()
    return told


@asynccontextmanager
async def _served(app: Any = _hello) -> AsyncIterator[int]:
    """Port of a running server."""
    heads.limit_heads()
    config = uvicorn.Config(app, port=0, lifespan="off", log_level="error", timeout_keep_alive=60)
    server = uvicorn.Server(config)
    config.load()
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await serving
