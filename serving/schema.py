"""JSON Schemas of request and answer, from the analyte catalogue.

They state what `serving.request` and `serving.answer` do; tests hold both to each other.
"""

from typing import Any

from features.analytes import ANALYTES, Analyte
from features.criteria import STAGES
from features.history import HEAVY_CHAINS
from models.risk import STATUSES
from serving.estimates import RANGE
from serving.limits import MOST_SUBJECTS, MOST_VISITS
from serving.request import EARLIEST_BIRTH_YEAR, LIGHT_CHAINS, MOST_ID_CHARACTERS, SEXES

__all__ = ["STRING", "Schema", "array", "closed", "components", "ref"]

Schema = dict[str, Any]

STRING: Schema = {"type": "string"}
NUMBER_OR_NULL: Schema = {"type": ["number", "null"]}
RISK_OR_NULL: Schema = {"type": ["number", "null"], "minimum": 0, "maximum": 1}
DAY: Schema = {"type": "string", "format": "date"}


def ref(name: str) -> Schema:
    """Reference to a component."""
    return {"$ref": f"#/components/schemas/{name}"}


def array(items: Schema, **limits: int) -> Schema:
    """Array of one kind of item."""
    return {"type": "array", "items": items, **limits}


def closed(properties: Schema, required: list[str], **more: Any) -> Schema:
    """Object that holds nothing but its properties."""
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
        **more,
    }


def components() -> Schema:
    """Every schema by name."""
    return {
        **_request(),
        **_answer(),
        **_models(),
        "Problem": _problem(),
    }


def _lab(analyte: Analyte) -> Schema:
    low, high = analyte.error
    shown = f" {analyte.unit}" if analyte.unit != "1" else ""
    return closed(
        {
            "value": {"type": "number"},
            "unit": {"type": "string", "enum": list(analyte.units)},
        },
        ["value", "unit"],
        title=analyte.label,
        description=f"Possible within {low:g}-{high:g}{shown}. {analyte.citation}",
    )


def _request() -> Schema:
    options = {
        "models": array(STRING, minItems=1, maxItems=50),
        "intervals": {"type": "boolean", "default": True},
        "contributions": {"type": "boolean", "default": True},
    }
    subject = {
        "subject": ref("Subject"),
        "visits": array(ref("Visit"), minItems=1, maxItems=MOST_VISITS),
        "as_of": {
            **DAY,
            "description": "Day at which the risk is asked; the last visit's if left out",
        },
    }
    return {
        "Labs": closed({name: _lab(analyte) for name, analyte in ANALYTES.items()}, []),
        "Subject": closed(
            {
                "id": {"type": "string", "maxLength": MOST_ID_CHARACTERS},
                "sex": {"type": "string", "enum": list(SEXES)},
                "age": {
                    "type": "number",
                    "minimum": 18,
                    "maximum": 110,
                    "description": "Years, at as_of",
                },
                "birth_year": {"type": "integer", "minimum": EARLIEST_BIRTH_YEAR},
                "heavy_chain": {"type": "string", "enum": list(HEAVY_CHAINS)},
                "light_chain": {"type": "string", "enum": list(LIGHT_CHAINS)},
                "diagnosis_date": DAY,
            },
            ["sex"],
            oneOf=[{"required": ["age"]}, {"required": ["birth_year"]}],
        ),
        "Visit": closed({"date": DAY, "labs": ref("Labs")}, ["date", "labs"]),
        "RiskRequest": closed({**subject, **options}, ["subject", "visits"]),
        "BatchSubject": closed(subject, ["subject", "visits"]),
        "BatchRequest": closed(
            {
                "subjects": array(ref("BatchSubject"), minItems=1, maxItems=MOST_SUBJECTS),
                **options,
            },
            ["subjects"],
        ),
    }


def _answer() -> Schema:
    said: Schema = {
        "as_of": DAY,
        "staging": ref("Staging"),
        "estimates": array(ref("Estimate")),
        "agreement": array(ref("Agreement")),
        "inputs": array(ref("Input")),
        "warnings": array(closed({"field": STRING, "message": STRING}, ["field", "message"])),
        "notice": STRING,
    }
    named = {"request_id": STRING}
    return {
        "Answer": closed(said, list(said)),
        "RiskAnswer": closed({**named, **said}, [*named, *said]),
        "BatchEntry": closed(
            {
                "index": {"type": "integer"},
                "id": STRING,
                "status": {"type": "integer", "enum": [200, 400, 422]},
                "answer": ref("Answer"),
                "problem": ref("Problem"),
            },
            ["index", "status"],
            oneOf=[{"required": ["answer"]}, {"required": ["problem"]}],
        ),
        "BatchAnswer": closed(
            {**named, "answers": array(ref("BatchEntry")), "notice": STRING},
            ["request_id", "answers", "notice"],
        ),
        "Staging": closed(
            {
                "stage": {"type": "string", "enum": list(STAGES)},
                "met": array(STRING),
                "to_confirm": array(STRING),
                "unknown": array(STRING),
                "reason": STRING,
            },
            ["stage", "met", "to_confirm", "unknown", "reason"],
        ),
        "Estimate": _estimate(),
        "Contribution": closed(
            {
                "horizon_years": {"type": "number"},
                "feature": STRING,
                "input": STRING,
                "value": {"type": "number"},
                "effect": {
                    "type": "number",
                    "description": "Log odds against the average of the training cohort",
                },
            },
            ["horizon_years", "feature", "input", "effect"],
        ),
        "Risk": closed(
            {
                "horizon_years": {"type": "number"},
                "risk": RISK_OR_NULL,
                "lower": RISK_OR_NULL,
                "upper": RISK_OR_NULL,
            },
            ["horizon_years", "risk", "lower", "upper"],
        ),
        "Agreement": closed(
            {
                "horizon_years": {"type": "number"},
                "agree": {"type": "boolean"},
                "voices": array(
                    closed(
                        {"model": STRING, "lower": {"type": "number"}, "upper": {"type": "number"}},
                        ["model", "lower", "upper"],
                    )
                ),
                "apart": array(array(STRING, minItems=2, maxItems=2)),
            },
            ["horizon_years", "agree", "voices", "apart"],
        ),
        "Input": closed(
            {
                "analyte": STRING,
                "date": DAY,
                "given": {
                    "type": ["object", "null"],
                    "properties": {"value": {"type": "number"}, "unit": STRING},
                },
                "used": NUMBER_OR_NULL,
                "unit": STRING,
                "flag": STRING,
                "computed": STRING,
            },
            ["analyte", "given", "used", "unit"],
        ),
    }


def _estimate() -> Schema:
    return closed(
        {
            "model": STRING,
            "label": STRING,
            "version": STRING,
            "kind": {"type": "string", "enum": ["published", "learned"]},
            "role": {"type": "string", "enum": ["champion", "challenger"]},
            "status": {"type": "string", "enum": list(STATUSES)},
            "reason": {"type": ["string", "null"]},
            "group": STRING,
            "groups": array(STRING),
            "score": NUMBER_OR_NULL,
            "interval": {
                "type": ["string", "null"],
                "enum": ["confidence interval", RANGE, None],
                "description": "What lower and upper are",
            },
            "risks": array(ref("Risk")),
            "missing": array(STRING),
            "contributions": array(ref("Contribution")),
            "provenance": {"type": "object"},
        },
        [
            "model",
            "label",
            "version",
            "kind",
            "status",
            "interval",
            "risks",
            "missing",
            "provenance",
        ],
    )


def _models() -> Schema:
    fault = closed({"model": STRING, "fault": STRING}, ["model", "fault"])
    about: Schema = {
        "model": STRING,
        "label": STRING,
        "version": STRING,
        "kind": {"type": "string", "enum": ["published", "learned"]},
        "role": {"type": "string", "enum": ["champion", "challenger"]},
        "population": {"type": "string", "enum": ["smm", "mgus"]},
        "horizons_years": array({"type": "number"}),
        "answers": {"type": "string", "enum": ["always", "on request"]},
        "required": array(STRING),
        "optional": array(STRING),
        "provenance": {"type": "object"},
    }
    required = [name for name in about if name != "role"]
    return {
        "Model": closed(about, required),
        "ModelAnswer": closed({**about, "notice": STRING}, [*required, "notice"]),
        "Models": closed(
            {"models": array(ref("Model")), "faults": array(fault), "notice": STRING},
            ["models", "faults", "notice"],
        ),
        "Alive": closed({"status": {"type": "string", "enum": ["alive"]}}, ["status"]),
        "Ready": closed(
            {
                "status": {"type": "string", "enum": ["ready", "degraded"]},
                "models": array(STRING),
                "faults": array(fault),
            },
            ["status", "models", "faults"],
        ),
    }


def _problem() -> Schema:
    return closed(
        {
            "type": {"type": "string", "format": "uri"},
            "title": STRING,
            "status": {"type": "integer"},
            "detail": STRING,
            "errors": array(closed({"field": STRING, "expected": STRING}, ["field", "expected"])),
            "request_id": STRING,
        },
        ["type", "title", "status", "detail", "errors"],
    )
