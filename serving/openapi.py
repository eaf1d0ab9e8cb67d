"""The OpenAPI 3.1 document at ``/openapi.json``: every route, every status it answers with."""

from functools import cache
from typing import Any

from models.catalogue import PUBLISHED
from serving.access.callers import PUBLIC, needed
from serving.answer import NOTICE
from serving.cds_hooks.services import SERVICE
from serving.examples import CDS_EXAMPLE, EXAMPLE, FEEDBACK_EXAMPLE, FHIR_EXAMPLE
from serving.formats import format_components
from serving.problems import (
    FORBIDDEN,
    INTERNAL,
    MALFORMED,
    MEDIA_TYPE,
    METHOD,
    NOT_FOUND,
    NOT_READY,
    PRECONDITION,
    PROBLEM_KINDS,
    TIMEOUT,
    TOO_LARGE,
    TOO_MANY,
    UNAUTHENTICATED,
    UNPROCESSABLE,
    UNSUPPORTED,
    ProblemKind,
)
from serving.schema import Schema, components, ref

__all__ = ["document"]

ALWAYS = (METHOD, INTERNAL)
GUARDED = (UNAUTHENTICATED, FORBIDDEN, TOO_MANY)
WITH_MODELS = (NOT_READY, *ALWAYS)
WITH_BODY = (MALFORMED, TIMEOUT, TOO_LARGE, UNSUPPORTED, UNPROCESSABLE, *WITH_MODELS)

WITH_PREFETCH = (PRECONDITION, *WITH_BODY)
WITH_REPORT = (MALFORMED, TIMEOUT, TOO_LARGE, UNSUPPORTED, *ALWAYS)

JSON = "application/json"
FHIR_JSON = "application/fhir+json"


@cache
def document() -> dict[str, Any]:
    """The whole document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Smoulder",
            "version": "1",
            "summary": "Risk of progression from smouldering myeloma and MGUS",
            "description": NOTICE,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": {path: _guarded(path, item) for path, item in _paths().items()},
        "components": {
            "schemas": {**components(), **format_components()},
            "responses": _problem_responses(),
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def _guarded(path: str, item: Schema) -> Schema:
    """Operations of a path with the scope they need while access control is on."""
    need = needed(path)
    if need == PUBLIC or need is None:
        return item
    for method in ("get", "post"):
        if method in item:
            item[method]["security"] = [{"bearer": [need]}]
            item[method]["responses"] |= _refs(GUARDED)
            item[method]["description"] = f"With access control on: scope '{need}'."
    return item


def _paths() -> Schema:
    name = {
        "name": "name",
        "in": "path",
        "required": True,
        "schema": {"type": "string"},
        "examples": {"rule": {"value": next(iter(PUBLISHED))}},
    }
    return {
        "/v1/risk": {"post": _post("risk", "One subject", "RiskRequest", "RiskAnswer", EXAMPLE)},
        "/v1/risk/batch": {
            "post": _post(
                "risk_batch",
                "Many subjects; a bad one fails alone",
                "BatchRequest",
                "BatchAnswer",
                {"subjects": [EXAMPLE]},
            )
        },
        "/v1/fhir/risk-assessment": {
            "post": _post(
                "fhir_risk_assessment",
                "One Patient with Observations, FHIR R4",
                "FhirRequest",
                "FhirAnswer",
                FHIR_EXAMPLE,
                FHIR_JSON,
                taken=(FHIR_JSON, JSON),
            )
        },
        "/cds-services": {
            "get": _get("cds_services", "CDS Hooks: what is offered", "CdsServices", ALWAYS)
        },
        f"/cds-services/{SERVICE}": {
            "post": _post(
                "cds_patient_view",
                "CDS Hooks: a chart is opened",
                "CdsCall",
                "CdsCards",
                CDS_EXAMPLE,
                kinds=WITH_PREFETCH,
            )
        },
        f"/cds-services/{SERVICE}/feedback": {
            "post": _post(
                "cds_feedback",
                "CDS Hooks: what became of cards",
                "CdsFeedback",
                "Nothing",
                FEEDBACK_EXAMPLE,
                kinds=WITH_REPORT,
            )
        },
        "/v1/models": {"get": _models()},
        "/v1/models/{name}": {
            "get": _get("model", "One model", "ModelAnswer", (NOT_FOUND, *WITH_MODELS)),
            "parameters": [name],
        },
        "/livez": {"get": _get("livez", "The worker runs", "Alive", ALWAYS)},
        "/readyz": {"get": _get("readyz", "The worker answers", "Ready", WITH_MODELS)},
        "/metrics": {"get": _get("metrics", "Prometheus metrics", None, ALWAYS, "text/plain")},
        "/openapi.json": {"get": _get("openapi", "This document", None, ALWAYS)},
    }


def _models() -> Schema:
    """The list of models, each of which leads to its own page."""
    found = _get("models", "What answers now", "Models", WITH_MODELS)
    first = {"name": "$response.body#/models/0/model"}
    found["responses"]["200"]["links"] = {"model": {"operationId": "model", "parameters": first}}
    return found


def _get(
    operation: str,
    summary: str,
    schema: str | None,
    kinds: tuple[ProblemKind, ...],
    media_type: str = JSON,
) -> Schema:
    content: Schema = {"schema": ref(schema)} if schema else {}
    return {
        "operationId": operation,
        "summary": summary,
        "responses": {
            "200": {"description": "Answered", "content": {media_type: content}},
            **_refs(kinds),
        },
    }


def _post(
    operation: str,
    summary: str,
    asked: str,
    told: str,
    example: Schema,
    media_type: str = JSON,
    kinds: tuple[ProblemKind, ...] = WITH_BODY,
    taken: tuple[str, ...] = (),
) -> Schema:
    body = {"schema": ref(asked), "examples": {"made-up": {"value": example}}}
    return {
        **_get(operation, summary, told, kinds, media_type),
        "requestBody": {
            "required": True,
            "content": dict.fromkeys(taken or (media_type,), body),
        },
    }


def _refs(kinds: tuple[ProblemKind, ...]) -> Schema:
    return {str(k.status): {"$ref": f"#/components/responses/{k.slug}"} for k in kinds}


def _problem_responses() -> Schema:
    return {
        kind.slug: {"description": kind.title, "content": {MEDIA_TYPE: {"schema": ref("Problem")}}}
        for kind in PROBLEM_KINDS
    }
