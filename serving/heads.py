"""A connection whose request head is late, too long or not HTTP is closed, in our shape.

uvicorn waits for the end of a head without limit and keeps whatever comes until then, so strangers
could hold every file descriptor of a worker, or all memory of its machine, before anybody asks who
they are. Bodies have their own limit (`serving.limits`).
"""

import asyncio
import random

import uvicorn.protocols.http.auto
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from serving.envelope import HEADERS
from serving.problems import HEAD_TOO_LARGE, MALFORMED, MEDIA_TYPE, ProblemError
from serving.upgrades import NoUpgrade, without_offer

__all__ = ["HEAD_SECONDS", "MOST_HEAD_BYTES", "limit_heads"]

HEAD_SECONDS = 10.0
MOST_HEAD_BYTES = 64 * 1024
"""Several times what proxies let through; a token has at most 8 kB here."""

NOT_HTTP = ProblemError(MALFORMED, "it is not HTTP/1.1")
TOO_LONG = ProblemError(
    HEAD_TOO_LARGE,
    f"address and headers may have at most {MOST_HEAD_BYTES} bytes",
)
HOSTS = ProblemError(MALFORMED, "HTTP/1.1 needs one Host header (RFC 9112, section 3.2)")


class LimitedHeads(HttpToolsProtocol):
    """The protocol of a connection, with a time and a size for each head."""

    _late: asyncio.TimerHandle | None = None
    _half = False
    _moved = False
    _idle = 0
    _refusal = NOT_HTTP

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first head."""
        super().connection_made(transport)
        self.parser = NoUpgrade(self.parser, self._again)  # type: ignore[assignment]
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Wait for the rest of a head that did not come as a whole, but not for ever more of it."""
        self._moved = False
        super().data_received(data)
        # Of what is neither a body nor ends a head: a head, trailers, line ends.
        self._idle = 0 if self._moved else self._idle + len(data)
        if self._idle > MOST_HEAD_BYTES:
            self._refuse(TOO_LONG)
        elif self._half and self._late is None:
            self._wait()

    def on_message_begin(self) -> None:
        """A head begins."""
        super().on_message_begin()
        self._half = True

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; those after a body (trailers) are none."""
        if self._half:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Wait no more."""
        self._check()
        self._half, self._moved = False, True
        self._cancel()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a part of a body."""
        self._moved = True
        super().on_body(body)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._cancel()
        super().connection_lost(exc)

    def _should_upgrade(self) -> bool:
        """Leave a head with an offer until it is read without; see `serving.upgrades`."""
        return True

    def _again(self) -> bytes:
        parser = self.parser
        version = parser.get_http_version()
        return without_offer(parser.get_method(), self.url, version, self.headers)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  # uvicorn's own words
        """Refuse what the parser could not read."""
        self._refuse(self._refusal)

    def _check(self) -> None:
        """Let the parser fail, and with it the request, where a head is not as it must be."""
        size, hosts = len(self.url), 0
        for name, value in self.headers:
            size += len(name) + len(value)
            hosts += name == b"host"
        if size > MOST_HEAD_BYTES:
            self._refusal = TOO_LONG
        elif hosts > 1 or (hosts == 0 and self.parser.get_http_version() == "1.1"):
            self._refusal = HOSTS
        else:
            return
        raise ValueError

    def _refuse(self, problem: ProblemError) -> None:
        """Say why, unless an answer to an earlier request is on its way, and close."""
        busy = self.cycle is not None and not self.cycle.response_complete
        if not self.transport.is_closing() and not (
            busy and (self._half or self.cycle.response_started)
        ):
            self.transport.write(_answer(problem))
        self._give_up()

    def _wait(self) -> None:
        self._late = self.loop.call_later(HEAD_SECONDS, self._give_up)

    def _cancel(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _give_up(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()


def _answer(problem: ProblemError) -> bytes:
    """All of an answer, as the envelope would have made it."""
    request_id = f"{random.getrandbits(128):032x}"
    body = problem.body(request_id)
    headers = [
        (b"content-type", MEDIA_TYPE.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
        *HEADERS,
        (b"x-request-id", request_id.encode()),
    ]
    lines = b"".join(name + b": " + value + b"\r\n" for name, value in headers)
    return STATUS_LINE[problem.kind.status] + lines + b"\r\n" + body


def limit_heads() -> None:
    """Have servers started from now on hold connections to these limits."""
    uvicorn.protocols.http.auto.AutoHTTPProtocol = LimitedHeads
