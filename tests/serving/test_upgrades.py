"""A request that offers another protocol is answered as if it did not."""

import json
import socket
from typing import Any
from urllib.parse import urlsplit

import pytest

from serving.examples import EXAMPLE

CONTENT = json.dumps(EXAMPLE).encode()
LENGTH = b"Content-Length: %d\r\n\r\n%s" % (len(CONTENT), CONTENT)
PIECES = b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(CONTENT), CONTENT)
WEB_SOCKET = b"websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MTIzNDU2Nzg5MDEyMzQ1Ng"


def request(line: bytes, offer: bytes, rest: bytes = b"\r\n") -> bytes:
    """As `java.net.http` and browsers write it; the connection ends with the last one."""
    return b"%s HTTP/1.1\r\nHost: localhost\r\nConnection: %s\r\n%s" % (
        line,
        b"Upgrade\r\nUpgrade: " + offer if offer else b"close",
        b"Content-Type: application/json\r\n" + rest,
    )


LAST = request(b"GET /livez", b"")


def answers(server: Any, sent: bytes) -> list[tuple[int, dict[str, str], Any]]:
    """Status, headers and document of every answer until the server hangs up."""
    told, found = b"", []
    with socket.create_connection(("127.0.0.1", urlsplit(server.url).port), timeout=20) as caller:
        caller.sendall(sent)
        while more := caller.recv(65536):
            told += more
    while told:
        head, _, told = told.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines)
        size = int(headers["content-length"])
        found.append((int(first.split(" ")[1]), headers, json.loads(told[:size])))
        told = told[size:]
    return found


@pytest.mark.parametrize("offer", [b"h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__", WEB_SOCKET])
@pytest.mark.parametrize("body", [LENGTH, PIECES], ids=["length", "pieces"])
def test_a_question_with_an_offer_is_answered_and_so_is_what_comes_behind_it(
    server: Any, offer: bytes, body: bytes
) -> None:
    asked = request(b"POST /v1/risk", offer, body)
    first, second, last = answers(server, asked + asked + LAST)
    assert [first[0], second[0], last[0]] == [200, 200, 200]
    assert first[2]["estimates"] == second[2]["estimates"] != []


def test_a_web_socket_is_refused_in_the_shape_of_all_failures(server: Any) -> None:
    (status, headers, told), _ = answers(server, request(b"GET /v1/risk", WEB_SOCKET) + LAST)
    assert status == told["status"] == 405
    assert headers["content-type"] == "application/problem+json"
    assert headers["x-request-id"] == told["request_id"]
    assert headers["x-content-type-options"] == "nosniff"


def test_a_tunnel_is_refused_and_is_no_endless_offer(server: Any) -> None:
    ((status, _, _),) = answers(server, request(b"CONNECT localhost:443", b"h2c"))
    assert status == 400


def test_offers_say_nothing_in_the_log(server: Any) -> None:
    before = server.output.read_text()
    answers(server, request(b"GET /livez", b"h2c") + LAST)
    assert server.output.read_text() == before
