"""All routes of API and page, around one room."""

import re
from collections.abc import Awaitable, Callable
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from serving.access.guard import Guard
from serving.access.loopback import LoopbackOnly
from serving.api import ROUTES
from serving.cds_hooks.routes import CDS_ROUTES
from serving.envelope import Envelope
from serving.fhir.routes import FHIR_ROUTES
from serving.problems import MALFORMED, METHOD, NOT_FOUND, ProblemError
from serving.room import Room
from serving.web.page import PAGES
from serving.web.screening import SCREENING
from serving.web.sign_in import SIGN_IN_PAGES

__all__ = ["ALL_ROUTES", "API", "application"]

API = (*ROUTES, *FHIR_ROUTES, *CDS_ROUTES)
"""Every route but those of the page."""

ALL_ROUTES = (*API, *PAGES, *SCREENING, *SIGN_IN_PAGES)


def application(room: Room, access_dir: Path | None = None) -> Envelope:
    """All routes of API and page around one room.

    Parameters
    ----------
    room
        What they share.
    access_dir
        Who may ask; everybody when omitted, which is for loopback only.
    """
    routed = _Routed(room)
    door = LoopbackOnly(routed) if access_dir is None else Guard(routed, access_dir)
    return Envelope(door, room.metrics)


class _Routed:
    """All routes, and nothing that the envelope does as well: it catches whatever they raise."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self._router = Router([_direct(route) for route in ALL_ROUTES], redirect_slashes=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["app"] = self
        try:
            await self._router(scope, receive, send)
        except HTTPException as found:
            raise _of_router(found) from None


def _direct(route: Route) -> Route:
    found = Route(route.path, _Direct(route.endpoint), methods=route.methods)
    # Starlette ends it by `$`, which fits before a line end as well.
    found.path_regex = re.compile(found.path_regex.pattern.removesuffix("$") + r"\Z")
    return found


class _Direct:
    """The function of a route as an application."""

    def __init__(self, function: Callable[[Request], Awaitable[ASGIApp]]) -> None:
        self.__name__ = function.__name__
        self._function = function

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._function(Request(scope, receive, send))
        await response(scope, receive, send)


def _of_router(found: HTTPException) -> ProblemError:
    if found.status_code == METHOD.status:
        allowed = (found.headers or {}).get("Allow", "")
        return ProblemError(METHOD, f"expected one of {allowed}", headers={"Allow": allowed})
    if found.status_code == NOT_FOUND.status:
        return ProblemError(NOT_FOUND, "no route of this name; /openapi.json lists them")
    return ProblemError(MALFORMED, "the request cannot be read")
