"""Signing in to the page with an API key, and out: a form, a cookie, no script."""

from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from serving.access.guard import SIGN_IN, Guard
from serving.limits import FORM, read_body, require_media_type
from serving.problems import FORBIDDEN, NOT_FOUND, ProblemError
from serving.web.frame import render

__all__ = ["SIGN_IN_PAGES"]

MOST_BYTES = 4096
ELSEWHERE = ("cross-site", "same-site")


def _guard(request: Request) -> Guard:
    guard = request.scope.get("smoulder.guard")
    if not isinstance(guard, Guard):
        raise ProblemError(NOT_FOUND, "access control is off, so there is nothing to sign in to")
    return guard


async def sign_in_page(request: Request) -> Response:
    """``GET /ui/sign-in``: the form."""
    _guard(request)
    return render(request, "sign_in.html", here="sign_in", refused=False)


async def sign_in(request: Request) -> Response:
    """``POST /ui/sign-in``: a session for whoever shows a key with the scope ``ui``."""
    guard = _guard(request)
    if request.headers.get("sec-fetch-site") in ELSEWHERE:
        # Another site could sign somebody in as somebody else, and the record would say so.
        raise ProblemError(FORBIDDEN, "the request must come from a page of this server")
    require_media_type(request.headers, FORM)
    body = await read_body(request.receive, request.headers, most_bytes=MOST_BYTES)
    typed = dict(parse_qsl(body.decode("latin-1"), max_num_fields=10))
    key = guard.ring.find(typed.get("key", "").strip())
    if key is None or "ui" not in key.scopes:
        status = guard.strange(request.scope).kind.status
        return render(request, "sign_in.html", here="sign_in", refused=True, status=status)
    return RedirectResponse("/ui/", 303, {"Set-Cookie": guard.sessions.begin(key)})


async def sign_out(request: Request) -> Response:
    """``POST /ui/sign-out``: the end of the session in this browser, and of the pages it keeps.

    Whoever signs in next at this computer is not to come back to what the one before typed.
    """
    headers = {"Set-Cookie": _guard(request).sessions.end(), "Clear-Site-Data": '"cache"'}
    return RedirectResponse(SIGN_IN, 303, headers)


SIGN_IN_PAGES = [
    Route(SIGN_IN, sign_in_page, methods=["GET"]),
    Route(SIGN_IN, sign_in, methods=["POST"]),
    Route("/ui/sign-out", sign_out, methods=["POST"]),
]
