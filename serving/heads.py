"""A connection whose request head does not arrive in time is closed.

uvicorn waits for the end of a head without limit, so connections that send a byte now and then
could hold every file descriptor of a worker. Bodies have their own limit (`serving.limits`).
"""

import asyncio

import uvicorn.protocols.http.auto
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

__all__ = ["HEAD_SECONDS", "limit_heads"]

HEAD_SECONDS = 10.0


class TimedHeads(HttpToolsProtocol):
    """The protocol of a connection, with a time for each head."""

    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first head."""
        super().connection_made(transport)
        self._wait()

    def on_message_begin(self) -> None:
        """Begin to wait for a later one, on a connection that is kept alive."""
        super().on_message_begin()
        if self._late is None:
            self._wait()

    def on_headers_complete(self) -> None:
        """Wait no more."""
        self._cancel()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._cancel()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._late = self.loop.call_later(HEAD_SECONDS, self._give_up)

    def _cancel(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _give_up(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()


def limit_heads() -> None:
    """Have servers started from now on close connections with late heads."""
    uvicorn.protocols.http.auto.AutoHTTPProtocol = TimedHeads
