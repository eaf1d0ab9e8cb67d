"""What goes around every answer: request id, security headers, counting, and no way to fall out.

Plain ASGI. An exception that left the application would make a client wait for a timeout, so every
one ends here as a problem document; its log line names the type and the place, never a value.
"""

import logging
import random
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.logs import ACCESS, place_of
from serving.metrics import Metrics
from serving.problems import FAILED, MEDIA_TYPE, ProblemError
from serving.tracing import tracer

__all__ = ["API_POLICY", "HEADERS", "Envelope"]

logger = logging.getLogger("smoulder.serving")

API_POLICY = "default-src 'none'; frame-ancestors 'none'"

HEADERS = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", API_POLICY.encode()),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
)
"""Sent with every answer; one that a route sets itself wins."""


class Envelope:
    """An application that always answers.

    Parameters
    ----------
    app
        The routes.
    metrics
        Where answers are counted.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics
        self._trace = tracer()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()
        began_ns = time.time_ns() if self._trace is not None else 0
        exchange = _Exchange(send)
        scope["smoulder.request_id"] = exchange.request_id
        try:
            await self.app(scope, receive, exchange.send)
        except ProblemError as problem:
            # Some are raised again and again, and would hold every frame they came through.
            problem.__traceback__ = None
            await exchange.fail(problem)
        except Exception as error:  # noqa: BLE001  # nothing may leave a client waiting
            logger.error("request %s: %s", exchange.request_id, place_of(error))
            await exchange.fail(FAILED)
        route = getattr(scope.get("endpoint"), "__name__", "none")
        seconds = time.perf_counter() - began
        self.metrics.request(route, exchange.status, seconds)
        if self._trace is not None:
            name, ended = exchange.request_id, time.time_ns()
            self._trace(dict(scope["headers"]), route, exchange.status, name, began_ns, ended)
        if ACCESS.isEnabledFor(logging.INFO):
            about = {"route": route, "status": exchange.status, "seconds": round(seconds, 6)}
            ACCESS.info("request", extra={**about, "request_id": exchange.request_id})


class _Exchange:
    """One answer on its way out."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.request_id = f"{random.getrandbits(128):032x}"
        self.status = 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            given = list(message.get("headers", ()))
            set_already = {name.lower() for name, _ in given}
            given += [header for header in HEADERS if header[0] not in set_already]
            given.append((b"x-request-id", self.request_id.encode()))
            message["headers"] = given
        await self._send(message)

    async def fail(self, problem: ProblemError) -> None:
        """Answer with a problem document, unless an answer has begun."""
        if self.status:
            return
        body = problem.body(self.request_id)
        headers = {"content-type": MEDIA_TYPE, "content-length": str(len(body)), **problem.headers}
        await self.send(
            {
                "type": "http.response.start",
                "status": problem.kind.status,
                "headers": [(k.lower().encode(), v.encode()) for k, v in headers.items()],
            }
        )
        await self.send({"type": "http.response.body", "body": body})
