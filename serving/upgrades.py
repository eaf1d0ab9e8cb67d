"""Offers to go on in another protocol – WebSocket, HTTP/2 – are not taken up, nor in the way.

A server may go on as before (RFC 9110, section 7.8), and what was asked is answered like any other
request. The parser cannot be told so: behind a head with an offer it stops, without the body. So
it is given the head once more, without the offer. Clients of Java offer HTTP/2 with whatever they
send in clear.
"""

from collections.abc import Callable, Iterable

import httptools

__all__ = ["NoUpgrade", "without_offer"]


class NoUpgrade:
    """A parser that reads a request with an offer as it reads any other.

    Parameters
    ----------
    parser
        That stops behind a head with an offer.
    again
        The head that was read last, without its offer.
    """

    def __init__(self, parser: httptools.HttpRequestParser, again: Callable[[], bytes]) -> None:
        self._parser = parser
        self._again = again
        self.get_http_version = parser.get_http_version
        self.get_method = parser.get_method
        self.should_keep_alive = parser.should_keep_alive

    def feed_data(self, data: bytes) -> None:
        """Parse what came, to the end."""
        left = memoryview(data)
        while left:
            try:
                self._parser.feed_data(left)
            except httptools.HttpParserUpgrade as offer:
                left = left[offer.args[0] :]
                if self.get_method() != b"CONNECT":
                    self._parser.feed_data(self._again())
            else:
                return

    def should_upgrade(self) -> bool:
        """Whether what was read is a head that is still to be read without its offer."""
        return bool(self._parser.should_upgrade()) and self.get_method() != b"CONNECT"


def without_offer(
    method: bytes, target: bytes, version: str, headers: Iterable[tuple[bytes, bytes]]
) -> bytes:
    r"""A head without its offer of another protocol.

    Examples
    --------
    >>> without_offer(b"GET", b"/", "1.1", [(b"host", b"here"), (b"upgrade", b"h2c")])
    b'GET / HTTP/1.1\r\nhost: here\r\n\r\n'
    """
    lines = [b"%s %s HTTP/%s" % (method, target, version.encode())]
    lines += [name + b": " + value for name, value in headers if name != b"upgrade"]
    return b"\r\n".join([*lines, b"", b""])
