"""The door while access control is off: only this machine gets in.

`serving.run` binds no other address then; this holds however the server was started.
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
        """Let a request through if it came in on a loopback address."""
        if scope["type"] == "http" and not _loopback((scope.get("server") or ("",))[0]):
            raise ProblemError(FORBIDDEN, "access control is off, so only loopback is answered")
        await self.app(scope, receive, send)


@lru_cache(maxsize=64)
def _loopback(host: str) -> bool:
    """Whether the address a connection came in on is this machine's own; a name is no socket's."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return True
