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
    _half = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first head."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Wait for the rest of a head that did not come as a whole."""
        super().data_received(data)
        if self._half and self._late is None:
            self._wait()

    def on_message_begin(self) -> None:
        """A head begins."""
        super().on_message_begin()
        self._half = True

    def on_headers_complete(self) -> None:
        """Wait no more."""
        self._half = False
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
