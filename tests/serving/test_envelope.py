import asyncio
import logging
from typing import Any

import httpx
import pytest

from serving.envelope import Envelope
from serving.metrics import Metrics


def call(app: Any) -> httpx.Response:
    async def request() -> httpx.Response:
        transport = httpx.ASGITransport(Envelope(app, Metrics()))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.get("/")

    return asyncio.run(request())


def test_an_exception_becomes_a_problem_and_its_text_reaches_no_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def failing(scope: Any, receive: Any, send: Any) -> None:
        raise ValueError("m_protein 987654321")

    with caplog.at_level(logging.DEBUG):
        response = call(failing)
    assert response.status_code == 500
    assert response.json()["request_id"] == response.headers["x-request-id"]
    assert "ValueError at " in caplog.text
    assert response.headers["x-request-id"] in caplog.text
    assert "987654321" not in caplog.text + response.text


def test_a_header_that_a_route_sets_itself_wins() -> None:
    async def cached(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"Cache-Control", b"max-age=60")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    assert call(cached).headers.get_list("cache-control") == ["max-age=60"]


def test_a_failure_after_the_head_sends_no_second_head() -> None:
    async def torn(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})
        raise RuntimeError

    response = call(torn)
    assert (response.status_code, response.text) == (200, "ok")


def test_web_sockets_are_closed() -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def unused(*_: Any) -> None:
        raise AssertionError

    asyncio.run(Envelope(unused, Metrics())({"type": "websocket"}, unused, send))
    assert sent == [{"type": "websocket.close", "code": 1008}]
