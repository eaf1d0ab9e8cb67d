"""The door while access control is off: only this machine gets in, and only by its own name.

`serving.run` binds no other address then; this holds however the server was started. A page of
another site that has its own name point here (DNS rebinding) is of the same origin to a browser,
and could ask and read what it liked; but it cannot change the name in `Host`.
"""

import ipaddress
from functools import lru_cache

from starlette.types import ASGIApp, Receive, Scope, Send

from serving.problems import FORBIDDEN, ProblemError

__all__ = ["LoopbackOnly"]


class LoopbackOnly:
    """Routes that answer on loopback addresses only.

    Parameters
    ----------
    app
        The routes.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through if it came in on a loopback address, and was sent to one."""
        if scope["type"] == "http":
            address = _address((scope.get("server") or ("",))[0])
            if address is not None and not address.is_loopback:
                raise ProblemError(FORBIDDEN, "access control is off, so only loopback is answered")
            if address is not None and not _own(dict(scope["headers"]).get(b"host", b"localhost")):
                raise ProblemError(
                    FORBIDDEN, "access control is off, so only localhost and 127.0.0.1 are answered"
                )
        await self.app(scope, receive, send)


@lru_cache(maxsize=64)
def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address a connection came in on; a name is no socket's."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


@lru_cache(maxsize=64)
def _own(host: bytes) -> bool:
    """Whether `Host` is a name or address of this machine alone (RFC 6761, section 6.3)."""
    text = host.decode("latin-1").lower()
    name = text[1:].partition("]")[0] if text.startswith("[") else text.partition(":")[0]
    address = _address(name)
    if address is not None:
        return address.is_loopback
    return name == "localhost" or name.endswith(".localhost")
