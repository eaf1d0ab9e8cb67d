"""The guard at the door: who asks, may they, and not too often. Plain ASGI, before any route.

Proof is a bearer token – an API key or a JWT – or, for the page, the cookie of a session. Nothing
of a request is read but its path and these headers, so a refusal costs a stranger's body nothing.
"""

import ipaddress
import math
from pathlib import Path

from starlette.types import ASGIApp, Receive, Scope, Send

from serving.access.callers import CALLER, PUBLIC, Caller, needed
from serving.access.ehr import EhrTokens
from serving.access.keys import PREFIX, KeyRing
from serving.access.sessions import Sessions
from serving.access.settings import make_secret, settings_of
from serving.access.throttle import Throttle
from serving.access.tokens import Tokens
from serving.problems import FORBIDDEN, NOT_FOUND, TOO_MANY, UNAUTHENTICATED, ProblemError

__all__ = ["SIGN_IN", "Guard"]

SIGN_IN = "/ui/sign-in"
STRANGERS_PER_MINUTE = 60.0
"""Failed proofs from one address: keys cannot be guessed, but guessing costs us."""


class Guard:
    """Routes behind a door.

    Parameters
    ----------
    app
        The routes.
    directory
        Access directory; see `serving.access.settings`.

    Raises
    ------
    InputError
        If its files cannot be read.
    """

    def __init__(self, app: ASGIApp, directory: Path) -> None:
        settings = settings_of(directory.resolve())
        self.app = app
        self.ring = KeyRing(directory)
        self.sessions = Sessions(
            self.ring,
            make_secret(directory),
            hours=settings.session_hours,
            secure=settings.secure_cookie,
        )
        self._tokens = Tokens(settings.issuers)
        self._ehrs = EhrTokens(settings.ehrs, directory)
        self._callers = Throttle(settings.per_minute, burst=settings.burst)
        self._strangers = Throttle(STRANGERS_PER_MINUTE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or say why not."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        scope["smoulder.guard"] = self
        need = needed(scope["path"])
        if need == PUBLIC:
            await self.app(scope, receive, send)
            return
        try:
            caller = await self._admit(scope, need)
        except ProblemError as problem:
            if need == "ui" and problem.kind is UNAUTHENTICATED and not _by_script(scope):
                await _to_sign_in(send)
                return
            raise
        asking = CALLER.set(caller.name)
        try:
            await self.app(scope, receive, send)
        finally:
            CALLER.reset(asking)

    def strange(self, scope: Scope) -> ProblemError:
        """Refusal of a proof that proves nothing, and soon of its address."""
        if wait := self._strangers.take(_neighbourhood(scope)):
            return _too_many(wait)
        return ProblemError(
            UNAUTHENTICATED,
            "expected 'Authorization: Bearer' with a valid API key or token",
            headers={"WWW-Authenticate": 'Bearer realm="smoulder"'},
        )

    async def _admit(self, scope: Scope, need: str | None) -> Caller:
        caller = await self._caller(scope)
        if caller is None:
            raise self.strange(scope)
        if wait := self._callers.take(caller.name):
            raise _too_many(wait)
        if need is None:
            raise ProblemError(NOT_FOUND, "no route of this name; /openapi.json lists them")
        if need not in caller.scopes:
            raise ProblemError(FORBIDDEN, f"the caller lacks the scope '{need}'")
        if caller.session and _from_elsewhere(scope):
            raise ProblemError(FORBIDDEN, "the request must come from a page of this server")
        return caller

    async def _caller(self, scope: Scope) -> Caller | None:
        headers = dict(scope["headers"])
        scheme, _, proof = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
        if scheme.lower() == "bearer":
            if proof.startswith(PREFIX):
                key = self.ring.find(proof)
                return None if key is None else key.caller()
            if needed(scope["path"]) == "cds":
                ehr = await self._ehrs.caller(proof, scope["path"])
                if ehr is not None:
                    return ehr
            return await self._tokens.caller(proof)
        cookies = headers.get(b"cookie")
        return None if cookies is None else self.sessions.caller(cookies.decode("latin-1"))


def _neighbourhood(scope: Scope) -> str:
    """Address of whoever asks; of IPv6 its network, all of which is one subscriber's (RFC 6177)."""
    host = str((scope.get("client") or ("unknown",))[0])
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv4Address):
        return host
    return str(address.ipv4_mapped or ipaddress.IPv6Network((int(address), 64), strict=False))


def _from_elsewhere(scope: Scope) -> bool:
    """Whether another site may have made a browser send this.

    ``SameSite=Strict`` keeps the cookie from other sites; this keeps it from other ports and
    sub-domains of the same one too. Every browser in support sends ``Sec-Fetch-Site`` over TLS and
    to loopback.
    """
    if scope["method"] in ("GET", "HEAD"):
        return False
    return bool(dict(scope["headers"]).get(b"sec-fetch-site") != b"same-origin")


def _by_script(scope: Scope) -> bool:
    """Whether a page asks for a part of itself; a form to sign in would replace what is typed."""
    return any(name == b"hx-request" for name, _ in scope["headers"])


def _too_many(wait: float) -> ProblemError:
    seconds = max(1, math.ceil(wait))
    return ProblemError(
        TOO_MANY, f"try again in {seconds} s", headers={"Retry-After": str(seconds)}
    )


async def _to_sign_in(send: Send) -> None:
    headers = [(b"location", SIGN_IN.encode()), (b"content-length", b"0")]
    await send({"type": "http.response.start", "status": 303, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
