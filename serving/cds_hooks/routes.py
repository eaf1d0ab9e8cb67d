"""The routes of CDS Hooks: what is offered, a chart opened, what became of a card."""

import os

import anyio.to_thread
import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from features.sources.printed import printed
from serving.api import JSON, request_id, room_of
from serving.cds_hooks.call import read_call, read_feedback
from serving.cds_hooks.cards import cards
from serving.cds_hooks.services import SERVICE, discovery
from serving.fhir.bundle import FHIR_BYTES
from serving.fhir.routes import Told, ask
from serving.limits import RISK_BYTES, read_body, require_media_type
from serving.strict_json import decode
from serving.values import Json

__all__ = ["CDS_ROUTES", "PUBLIC_URL", "base_url"]

PUBLIC_URL = "SMOULDER_PUBLIC_URL"
"""Environment variable with the address that callers see, where a proxy hides it."""


def base_url(request: Request) -> str:
    """Address of this server as its callers see it, without a slash at its end."""
    return (os.environ.get(PUBLIC_URL) or str(request.base_url)).rstrip("/")


def _json(content: Json) -> Response:
    return Response(msgspec.json.encode(content), media_type=JSON)


async def cds_services(_: Request) -> Response:
    """``GET /cds-services``: discovery."""
    return _json(discovery())


async def cds_patient_view(request: Request) -> Response:
    """``POST /cds-services/smoulder-progression``: a chart is opened."""
    room = room_of(request)
    lineup = room.lineup
    require_media_type(request.headers, JSON)
    body = await read_body(request.receive, request.headers, most_bytes=FHIR_BYTES)

    def work() -> tuple[object, str | None, Told | None]:
        call = decode(body, fraction=printed)
        asked = read_call(call)
        nothing = not asked.request.visits and not asked.request.problems
        told = None if nothing else ask(asked, lineup, today=room.today())
        assert isinstance(call, dict)
        return call["prefetch"], asked.request.id, told

    prefetch, who, told = await anyio.to_thread.run_sync(work)
    if told is None:
        return _json({"cards": []})
    name, base = request_id(request), base_url(request)
    shown = cards(told.document, request_id=name, base=base, confirm=told.confirm)
    if shown:
        # What no card tells is no answer, and leaves no record.
        await room.record("cds_patient_view", name, [(prefetch, who, told.document)])
    return _json({"cards": shown})


async def cds_feedback(request: Request) -> Response:
    """``POST /cds-services/smoulder-progression/feedback``: what became of cards; only counted."""
    require_media_type(request.headers, JSON)
    body = await read_body(request.receive, request.headers, most_bytes=RISK_BYTES)
    for outcome, reason in read_feedback(decode(body)):
        room_of(request).metrics.feedback(outcome, reason)
    return _json({})


CDS_ROUTES = [
    Route("/cds-services", cds_services),
    Route(f"/cds-services/{SERVICE}", cds_patient_view, methods=["POST"]),
    Route(f"/cds-services/{SERVICE}/feedback", cds_feedback, methods=["POST"]),
]
