"""JSON Schemas of the other ways of asking: what is promised of FHIR R4 and of CDS Hooks 2.0."""

from serving.cds_hooks.call import FAILED, MOST_FEEDBACK, OUTCOMES
from serving.cds_hooks.cards import MOST_CHARACTERS
from serving.cds_hooks.services import HOOK, PATIENT, RESULTS
from serving.schema import STRING, Schema, array, closed

__all__ = ["format_components"]


def format_components() -> Schema:
    """Every schema by name."""
    return {**_fhir(), **_cds_hooks()}


def _fhir() -> Schema:
    """What is promised of FHIR here; the standard says the rest."""
    assessment = {
        "type": "object",
        "properties": {
            "resourceType": {"type": "string", "enum": ["RiskAssessment", "OperationOutcome"]},
            "status": {"type": "string", "enum": ["final", "preliminary", "cancelled"]},
        },
        "required": ["resourceType"],
    }
    entry = closed({"fullUrl": STRING, "resource": assessment}, ["fullUrl", "resource"])
    bundle: Schema = {"type": "string", "const": "Bundle"}
    return {
        "FhirRequest": {
            "type": "object",
            "description": "Bundle of one Patient and Observations, HL7 FHIR R4 (4.0.1)",
            "properties": {
                "resourceType": bundle,
                "entry": array({"type": "object", "properties": {"resource": {"type": "object"}}}),
                "type": {"not": {"const": "history"}},
            },
            "required": ["resourceType"],
        },
        "FhirAnswer": {
            "type": "object",
            "description": "Bundle of one RiskAssessment per model, HL7 FHIR R4 (4.0.1)",
            "properties": {
                "resourceType": bundle,
                "type": {"type": "string", "const": "collection"},
                "entry": array(entry, minItems=1),
            },
            "required": ["resourceType", "type", "identifier", "timestamp", "entry"],
        },
    }


def _prefetched(kind: str) -> Schema:
    """A resource, null, or what an EHR sends where it could not fetch one."""
    return {
        "type": ["object", "null"],
        "properties": {"resourceType": {"type": "string", "enum": [kind, FAILED]}},
        "required": ["resourceType"],
    }


def _cds_hooks() -> Schema:
    """CDS Hooks 2.0, as far as it is used here."""
    service = {
        "id": STRING,
        "hook": {"type": "string", "enum": [HOOK]},
        "title": STRING,
        "description": STRING,
        "usageRequirements": STRING,
        "prefetch": {"type": "object", "additionalProperties": STRING},
    }
    card = {
        "uuid": {"type": "string", "format": "uuid"},
        "summary": {"type": "string", "maxLength": MOST_CHARACTERS - 1},
        "detail": STRING,
        "indicator": {"type": "string", "enum": ["info", "warning", "critical"]},
        "source": closed({"label": STRING, "url": STRING}, ["label"]),
        "links": array(closed({"label": STRING, "url": STRING, "type": STRING}, ["label", "url"])),
        "overrideReasons": array({"type": "object"}),
    }
    report = {
        "type": "object",
        "properties": {
            "card": {"type": "string", "minLength": 1},
            "outcome": {"type": "string", "enum": list(OUTCOMES)},
        },
        "required": ["card", "outcome"],
    }
    return {
        "CdsServices": closed({"services": array(closed(service, list(service)))}, ["services"]),
        "CdsCall": {
            "type": "object",
            "properties": {
                "hook": {"type": "string", "enum": [HOOK]},
                "hookInstance": {"type": "string", "minLength": 1},
                "context": {
                    "type": "object",
                    "properties": {"patientId": {"type": "string", "minLength": 1}},
                    "required": ["patientId"],
                },
                "prefetch": {
                    "type": ["object", "null"],
                    "description": (
                        "Patient, and a Bundle of Observations or null where there are none; "
                        "without a key, or with an OperationOutcome, the answer is 412"
                    ),
                    "properties": {
                        PATIENT: _prefetched("Patient"),
                        RESULTS: _prefetched("Bundle"),
                    },
                },
            },
            "required": ["hook", "hookInstance", "context"],
        },
        "CdsCards": closed({"cards": array(closed(card, list(card)))}, ["cards"]),
        "CdsFeedback": {
            "type": "object",
            "properties": {"feedback": array(report, minItems=1, maxItems=MOST_FEEDBACK)},
            "required": ["feedback"],
        },
        "Nothing": closed({}, []),
    }
