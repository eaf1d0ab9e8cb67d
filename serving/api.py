"""The routes of the API: read, ask, encode."""

from collections.abc import Mapping
from typing import Any

import anyio.to_thread
import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from features.errors import FieldProblem
from models.risk import RiskModel
from serving import metrics
from serving.answer import NOTICE, Answered, Refused
from serving.gathering import Question
from serving.limits import BATCH_BYTES, RISK_BYTES, read_body, require_media_type
from serving.lineup import Lineup
from serving.openapi import document
from serving.problems import NOT_FOUND, ProblemError, of_fields
from serving.request import Options, read_batch, read_risk
from serving.room import Room
from serving.strict_json import decode
from serving.values import Json

__all__ = ["ROUTES", "chosen", "request_id", "room_of"]

JSON = "application/json"


def room_of(request: Request) -> Room:
    """State that the application was built with."""
    room = request.app.room
    assert isinstance(room, Room)
    return room


def request_id(request: Request) -> str:
    """Identifier that the envelope gave this request."""
    return str(request.scope["smoulder.request_id"])


def _json(content: Json, status: int = 200) -> Response:
    return Response(msgspec.json.encode(content), status, media_type=JSON)


def chosen(lineup: Lineup, options: Options) -> tuple[list[RiskModel], list[FieldProblem]]:
    """Models asked for, and every identifier that no model has."""
    known = lineup.known
    problems = [
        FieldProblem(f"models[{i}]", f"is not one of {', '.join(known)}")
        for i, name in enumerate(options.models or ())
        if name not in known
    ]
    if problems or options.problems:
        return [], [*options.problems, *problems]
    return lineup.choose(options.models), []


async def risk(request: Request) -> Response:
    """``POST /v1/risk``: one subject."""
    room = room_of(request)
    lineup = room.lineup
    require_media_type(request.headers, JSON)
    body = await read_body(request.receive, request.headers, most_bytes=RISK_BYTES)
    asked = decode(body)
    subject, options = read_risk(asked)
    models, problems = chosen(lineup, options)
    told = await room.gathering.ask(Question(lineup, models, options, room.today()), subject)
    malformed = options.malformed
    if isinstance(told, Refused):
        problems = [*told.errors, *problems]
        malformed = malformed or told.malformed
    if problems:
        raise of_fields(problems, malformed=malformed)
    assert isinstance(told, Answered)
    await room.record("risk", request_id(request), [(asked, subject.id, told.document)])
    return _json({"request_id": request_id(request), **told.to_send()})


async def risk_batch(request: Request) -> Response:
    """``POST /v1/risk/batch``: many subjects, each failing alone."""
    room = room_of(request)
    lineup = room.lineup
    require_media_type(request.headers, JSON)
    body = await read_body(request.receive, request.headers, most_bytes=BATCH_BYTES)

    def work() -> tuple[list[Json], list[tuple[object, str | None, Json]]]:
        asked: Any = decode(body)
        batch = read_batch(asked)
        models, problems = chosen(lineup, batch.options)
        if problems:
            raise of_fields(problems, malformed=batch.options.malformed)
        told = Question(lineup, models, batch.options, room.today()).of(batch.subjects)
        entries = [
            {"index": i, **({"id": subject.id} if subject.id is not None else {}), **_outcome(one)}
            for i, (subject, one) in enumerate(zip(batch.subjects, told, strict=True))
        ]
        given = [
            (document, subject.id, one.document)
            for document, subject, one in zip(asked["subjects"], batch.subjects, told, strict=True)
            if isinstance(one, Answered)
        ]
        return entries, given

    # A thread keeps the loop free for single requests while a large batch is computed.
    answers, given = await anyio.to_thread.run_sync(work)
    await room.record("risk_batch", request_id(request), given)
    return _json({"request_id": request_id(request), "answers": answers, "notice": NOTICE})


def _outcome(told: Answered | Refused) -> Json:
    if isinstance(told, Answered):
        return {"status": 200, "answer": told.to_send()}
    problem = of_fields(told.errors, malformed=told.malformed)
    return {"status": problem.kind.status, "problem": problem.document()}


async def models(request: Request) -> Response:
    """``GET /v1/models``: what answers now."""
    lineup = room_of(request).lineup
    listed = [lineup.describe(name) for name in lineup.known]
    return _json({"models": listed, "faults": _listed(lineup.faults), "notice": NOTICE})


async def model(request: Request) -> Response:
    """``GET /v1/models/{name}``: one of them."""
    lineup = room_of(request).lineup
    name = request.path_params["name"]
    if name not in lineup.known:
        raise ProblemError(NOT_FOUND, f"no such model; expected one of {', '.join(lineup.known)}")
    return _json({**lineup.describe(name), "notice": NOTICE})


async def livez(_: Request) -> Response:
    """``GET /livez``: the worker runs."""
    return _json({"status": "alive"})


async def readyz(request: Request) -> Response:
    """``GET /readyz``: the worker answers; what is wrong all the same is named."""
    room = room_of(request)
    faults = _listed(room.faults)
    known = list(room.lineup.known)
    return _json({"status": "degraded" if faults else "ready", "models": known, "faults": faults})


def _listed(faults: Mapping[str, str]) -> list[Json]:
    return [{"model": name, "fault": fault} for name, fault in faults.items()]


async def exposition(request: Request) -> Response:
    """``GET /metrics``: Prometheus text."""
    return Response(
        room_of(request).metrics.exposition(), headers={"content-type": metrics.MEDIA_TYPE}
    )


async def openapi(_: Request) -> Response:
    """``GET /openapi.json``: the document that these routes are held to."""
    return _json(document())


ROUTES = [
    Route("/v1/risk", risk, methods=["POST"]),
    Route("/v1/risk/batch", risk_batch, methods=["POST"]),
    Route("/v1/models", models),
    Route("/v1/models/{name}", model),
    Route("/livez", livez),
    Route("/readyz", readyz),
    Route("/metrics", exposition),
    Route("/openapi.json", openapi),
]
