"""The OpenAPI 3.1 document at ``/openapi.json``: every route, every status it answers with."""

from functools import cache
from typing import Any

from features.analytes import ANALYTES
from models.catalogue import PUBLISHED
from serving.access.callers import PUBLIC, needed
from serving.answer import NOTICE
from serving.problems import (
    FORBIDDEN,
    INTERNAL,
    MALFORMED,
    MEDIA_TYPE,
    METHOD,
    NOT_FOUND,
    NOT_READY,
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

FHIR_JSON = "application/fhir+json"

EXAMPLE: Schema = {
    "subject": {"sex": "female", "age": 61, "heavy_chain": "IgG", "light_chain": "kappa"},
    "visits": [
        {
            "date": "2025-03-04",
            "labs": {
                "m_protein": {"value": 21, "unit": "g/L"},
                "hemoglobin": {"value": 13.1, "unit": "g/dL"},
                "creatinine": {"value": 76, "unit": "umol/L"},
            },
        },
        {
            "date": "2025-09-09",
            "labs": {
                "m_protein": {"value": 24, "unit": "g/L"},
                "kappa_flc": {"value": 312, "unit": "mg/L"},
                "lambda_flc": {"value": 11.4, "unit": "mg/L"},
                "bmpc": {"value": 22, "unit": "%"},
                "hemoglobin": {"value": 12.4, "unit": "g/dL"},
                "creatinine": {"value": 80, "unit": "umol/L"},
            },
        },
    ],
}
"""A made-up person."""


def _observation(code: str, value: float, unit: str, day: str) -> Schema:
    return {
        "resource": {
            "resourceType": "Observation",
            "id": f"{code}-{day}",
            "status": "final",
            "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
            "subject": {"reference": "Patient/made-up"},
            "effectiveDateTime": day,
            "valueQuantity": {
                "value": value,
                "unit": unit,
                "system": "http://unitsofmeasure.org",
                "code": unit,
            },
        }
    }


PATIENT: Schema = {
    "resourceType": "Patient",
    "id": "made-up",
    "gender": "female",
    "birthDate": "1964-05",
}

FHIR_EXAMPLE: Schema = {
    "resourceType": "Bundle",
    "type": "collection",
    "entry": [
        {"resource": PATIENT},
        *(
            _observation(ANALYTES[name].loinc[0], given["value"], given["unit"], visit["date"])
            for visit in EXAMPLE["visits"]
            for name, given in visit["labs"].items()
        ),
    ],
}
"""The same person as FHIR R4."""


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
            "schemas": components(),
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
            )
        },
        "/v1/models": {"get": _get("models", "What answers now", "Models", WITH_MODELS)},
        "/v1/models/{name}": {
            "get": _get("model", "One model", "ModelAnswer", (NOT_FOUND, *WITH_MODELS)),
            "parameters": [name],
        },
        "/livez": {"get": _get("livez", "The worker runs", "Alive", ALWAYS)},
        "/readyz": {"get": _get("readyz", "The worker answers", "Ready", WITH_MODELS)},
        "/metrics": {"get": _get("metrics", "Prometheus metrics", None, ALWAYS, "text/plain")},
        "/openapi.json": {"get": _get("openapi", "This document", None, ALWAYS)},
    }


def _get(
    operation: str,
    summary: str,
    schema: str | None,
    kinds: tuple[ProblemKind, ...],
    media_type: str = "application/json",
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
    media_type: str = "application/json",
) -> Schema:
    return {
        **_get(operation, summary, told, WITH_BODY, media_type),
        "requestBody": {
            "required": True,
            "content": {
                media_type: {
                    "schema": ref(asked),
                    "examples": {"made-up": {"value": example}},
                }
            },
        },
    }


def _refs(kinds: tuple[ProblemKind, ...]) -> Schema:
    return {str(k.status): {"$ref": f"#/components/responses/{k.slug}"} for k in kinds}


def _problem_responses() -> Schema:
    return {
        kind.slug: {"description": kind.title, "content": {MEDIA_TYPE: {"schema": ref("Problem")}}}
        for kind in PROBLEM_KINDS
    }
