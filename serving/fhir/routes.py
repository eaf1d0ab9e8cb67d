"""``POST /v1/fhir/risk-assessment``: read a Bundle, ask, write a Bundle."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import anyio.to_thread
import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from features.errors import FieldProblem
from features.sources.printed import printed
from models.risk import RiskModel
from serving.answer import Answered, answer
from serving.api import request_id, room_of
from serving.fhir.assessment import FHIR_JSON, risk_assessments
from serving.fhir.bundle import FHIR_BYTES, Asked, read_bundle
from serving.fhir.sentences import sentences
from serving.limits import read_body, require_media_type
from serving.lineup import Lineup, inputs_of
from serving.problems import of_fields
from serving.strict_json import decode
from serving.values import Json

__all__ = ["FHIR_ROUTES", "Told", "ask"]

DERIVED_FROM = {"flc_ratio_involved": ("kappa_flc", "lambda_flc", "flc_ratio_kappa_lambda")}
"""Analytes that may stand for another one."""


@dataclass(frozen=True, slots=True)
class Told:
    """What is said about the person of a Bundle.

    Parameters
    ----------
    document
        Answer document, warnings named by their place in the Bundle.
    populations
        ``smm`` or ``mgus`` by model.
    basis
        References to the Observations each model read, by model.
    confirm
        What is doubted, as a person reads it who does not see the Bundle.
    """

    document: Json
    populations: Mapping[str, str]
    basis: Mapping[str, Sequence[str]]
    confirm: Sequence[str]


def ask(asked: Asked, lineup: Lineup, *, today: int) -> Told:
    """What the models of the usual answer say about the person of a Bundle.

    Raises
    ------
    ProblemError
        422 (400 for a wrong shape) with everything that is wrong, named as the Bundle names it.
    """
    models = lineup.choose(None)
    told = answer([asked.request], models, today=today, cards=lineup.cards)[0]
    if not isinstance(told, Answered):
        placed = [asked.placed(problem) for problem in told.errors]
        if not asked.request.visits and not asked.request.problems:
            # There is no value: what was left out, and why, is the reason.
            placed = [_with(problem, asked.notes) for problem in placed] + [*asked.doubts]
        raise of_fields(dict.fromkeys(placed), malformed=told.malformed)
    doubted = [FieldProblem(w["field"], w["message"]) for w in told.document["warnings"]]
    warnings = [{"field": asked.placed(d).field, "message": d.expected} for d in doubted]
    return Told(
        {**told.document, "warnings": warnings},
        {model.name: model.population for model in models},
        {model.name: _basis(model, asked) for model in models},
        sentences([*asked.doubts, *doubted]),
    )


def _with(problem: FieldProblem, notes: Sequence[str]) -> FieldProblem:
    return FieldProblem(problem.field, "; ".join((problem.expected, *notes)))


def _basis(model: RiskModel, asked: Asked) -> list[str]:
    """References to the Observations of the tests that a model reads."""
    read = set(inputs_of((*model.required, *model.optional)))
    for name, stand_ins in DERIVED_FROM.items():
        if name in read:
            read.update(stand_ins)
    used = (name for (analyte, _), name in asked.observations.items() if analyte in read)
    return list(dict.fromkeys(used))


async def fhir_risk_assessment(request: Request) -> Response:
    """``POST /v1/fhir/risk-assessment``: one Patient with Observations."""
    room = room_of(request)
    lineup = room.lineup
    require_media_type(request.headers, FHIR_JSON, "application/json")
    body = await read_body(request.receive, request.headers, most_bytes=FHIR_BYTES)

    def work() -> tuple[object, Asked, Told]:
        document = decode(body, fraction=printed)
        asked = read_bundle(document)
        return document, asked, ask(asked, lineup, today=room.today())

    # A thread: the first Bundle imports the model of FHIR, and a large one takes a while to read.
    document, asked, told = await anyio.to_thread.run_sync(work)
    given = [(document, asked.request.id, told.document)]
    await room.record("fhir_risk_assessment", request_id(request), given)
    bundle = risk_assessments(
        told.document,
        request_id=request_id(request),
        populations=told.populations,
        subject={"reference": asked.patient, "type": "Patient"},
        basis=told.basis,
        doubts=asked.doubts,
        notes=asked.notes,
    )
    return Response(msgspec.json.encode(bundle), media_type=FHIR_JSON)


FHIR_ROUTES = [
    Route("/v1/fhir/risk-assessment", fhir_risk_assessment, methods=["POST"]),
]
