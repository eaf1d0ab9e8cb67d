"""From an answer to FHIR R4: one RiskAssessment per model, in a Bundle of type collection.

R4 gives a probability in percent. It is either a number or a range, never both: where there is a
number, its interval travels in an extension; where a missing marker leaves a range, the range is
the probability. `whenRange` may be read as an age, so the rationale says the time in words.
"""

import html
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from features.errors import FieldProblem
from serving.values import Json

__all__ = ["FHIR_JSON", "risk_assessments"]

FHIR_JSON = "application/fhir+json"

INTERVAL = "urn:smoulder:fhir:interval"
INTERVAL_KIND = "urn:smoulder:fhir:interval-kind"
MODELS = "urn:smoulder:model"
SHA256 = "urn:smoulder:artefact:sha256"
STUDY = "urn:smoulder:study:hash"
RUN = "urn:smoulder:training-run"
REQUEST = "urn:ietf:rfc:3986"
UCUM = "http://unitsofmeasure.org"
SNOMED = "http://snomed.info/sct"
LIKELIHOOD = "http://terminology.hl7.org/CodeSystem/risk-probability"

STATUS = {"ok": "final", "partial": "preliminary", "refused": "cancelled"}
"""Codes of R4's ObservationStatus; preliminary: "data may be incomplete"."""

OUTCOMES: Mapping[str, Json] = {
    "smm": {
        # SNOMED CT 109989006 |Multiple myeloma (disorder)|
        "coding": [{"system": SNOMED, "code": "109989006", "display": "Multiple myeloma"}],
        "text": "Progression to multiple myeloma",
    },
    "mgus": {"text": "Progression to multiple myeloma or a related disorder"},
}
QUALITATIVE = {"low": "low", "intermediate": "moderate", "high": "high"}
"""Published group to the code of R4's example value set, where it has the same meaning."""

DECIMALS = 4
"""Of a percentage; R4's decimals are exact, and the answer has no more to say than this."""

NOBODY: Json = {"display": "Person described in the request"}


def risk_assessments(
    answer: Json,
    *,
    request_id: str,
    populations: Mapping[str, str],
    subject: Json = NOBODY,
    basis: Mapping[str, Sequence[str]] | None = None,
    doubts: Sequence[FieldProblem] = (),
    notes: Sequence[str] = (),
) -> Json:
    """Bundle of what every model says in an answer.

    Parameters
    ----------
    answer
        Document of `serving.answer`.
    request_id
        32 hexadecimal digits; the resources' own identifiers follow from it.
    populations
        ``smm`` or ``mgus`` by model: what progression means for it.
    subject
        Reference to the Patient; without one only what it is called.
    basis
        References to the Observations that each model read.
    doubts, notes
        What was left out in reading, and what is no test of the catalogue.

    Returns
    -------
    dict
        Bundle with a RiskAssessment per model and, where there is something to be confirmed or
        known, one OperationOutcome.
    """
    whole = uuid.UUID(request_id)
    authored = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    resources = []
    for entry in answer["estimates"]:
        name = entry["model"]
        read = (basis or {}).get(name, ())
        told = _assessment(entry, answer, subject, OUTCOMES[populations[name]], read)
        resources.append((name, told))
    warned = [*answer["warnings"], *({"field": d.field, "message": d.expected} for d in doubts)]
    if warned or notes:
        resources.append(("outcome", _outcome(warned, notes)))
    return {
        "resourceType": "Bundle",
        "identifier": {"system": REQUEST, "value": whole.urn},
        "type": "collection",
        "timestamp": authored,
        "entry": [
            {"fullUrl": uuid.uuid5(whole, name).urn, "resource": resource}
            for name, resource in resources
        ],
    }


def _assessment(
    entry: Json, answer: Json, subject: Json, outcome: Json, basis: Sequence[str]
) -> Json:
    predictions = [_prediction(entry, row, outcome, answer["as_of"]) for row in entry["risks"]]
    resource: Json = {
        "resourceType": "RiskAssessment",
        "text": _narrative(entry, predictions),
        "contained": [_device(entry)],
        "status": STATUS[entry["status"]],
        "method": {
            "coding": [
                {
                    "system": MODELS,
                    "version": entry["version"],
                    "code": entry["model"],
                    "display": entry["label"],
                }
            ],
            "text": entry["provenance"]["citation"],
        },
        "code": {"text": "Risk of progression"},
        "subject": subject,
        "occurrenceDateTime": answer["as_of"],
        "performer": {"reference": "#model"},
        "basis": [{"reference": name} for name in basis],
        "prediction": predictions,
        "note": [{"text": text} for text in _notes(entry, answer)],
    }
    return {name: value for name, value in resource.items() if value != []}


def _device(entry: Json) -> Json:
    """The model as the Device that made the assessment: name, version, hashes."""
    provenance = entry["provenance"]
    hashes = {
        SHA256: provenance.get("artefact", {}).get("sha256"),
        STUDY: provenance.get("study_hash"),
        RUN: provenance.get("run_id"),
    }
    identifiers = [{"system": system, "value": value} for system, value in hashes.items() if value]
    return {
        "resourceType": "Device",
        "id": "model",
        "identifier": [{"system": MODELS, "value": entry["model"]}, *identifiers],
        "deviceName": [{"name": entry["label"], "type": "model-name"}],
        "version": [{"value": entry["version"]}],
    }


def _prediction(entry: Json, row: Json, outcome: Json, as_of: str) -> Json:
    """One horizon: a number with its interval, or the range that a missing marker leaves."""
    years = row["horizon_years"]
    told: Json = {
        "outcome": outcome,
        "whenRange": {"low": _quantity(0, "years", "a"), "high": _quantity(years, "years", "a")},
        "rationale": f"Within {_years(years)} of {as_of}",
    }
    if entry.get("groups"):
        told["qualitativeRisk"] = _qualitative(entry["groups"])
    interval = _interval(row)
    if row["risk"] is not None:
        told["probabilityDecimal"] = _percent(row["risk"])
        if interval:
            told["extension"] = [{"url": INTERVAL, "valueRange": interval}]
            if entry["interval"]:
                told["extension"].append({"url": INTERVAL_KIND, "valueString": entry["interval"]})
    elif interval:
        told["probabilityRange"] = interval
    return told


def _interval(row: Json) -> Json:
    ends = {"low": row["lower"], "high": row["upper"]}
    return {
        name: _quantity(_percent(end), "%", "%") for name, end in ends.items() if end is not None
    }


def _percent(risk: float) -> float:
    return round(100 * risk, DECIMALS)


def _quantity(value: float, unit: str, code: str) -> Json:
    return {"value": value, "unit": unit, "system": UCUM, "code": code}


def _years(years: float) -> str:
    return "1 year" if years == 1 else f"{years:g} years"


def _qualitative(groups: Sequence[str]) -> Json:
    told: Json = {"text": " or ".join(groups)}
    code = QUALITATIVE.get(groups[0]) if len(groups) == 1 else None
    if code is not None:
        told["coding"] = [{"system": LIKELIHOOD, "code": code}]
    return told


def _notes(entry: Json, answer: Json) -> list[str]:
    staging = answer["staging"]
    said = [entry.get("reason"), f"Staging: {staging['stage']} – {staging['reason']}"]
    return [text for text in (*said, entry["provenance"].get("notice"), answer["notice"]) if text]


def _narrative(entry: Json, predictions: Sequence[Json]) -> Json:
    lines = [f"{entry['label']}, version {entry['version']}: {entry['status']}"]
    lines += [f"{each['rationale']}: {_shown(each)}" for each in predictions]
    inner = "<br/>".join(html.escape(line) for line in lines)
    return {
        "status": "generated",
        "div": f'<div xmlns="http://www.w3.org/1999/xhtml"><p>{inner}</p></div>',
    }


def _shown(prediction: Json) -> str:
    if "probabilityDecimal" in prediction:
        return f"{prediction['probabilityDecimal']:.1f} %"
    ends = prediction.get("probabilityRange", {})
    shown = [f"{ends[name]['value']:.1f}" for name in ("low", "high") if name in ends]
    return f"{'–'.join(shown)} %" if shown else "not published"


def _outcome(told: Sequence[Json], notes: Sequence[str]) -> Json:
    issues = [
        {
            "severity": "warning",
            "code": "value",
            "diagnostics": each["message"],
            "expression": [each["field"]],
        }
        for each in told
    ]
    issues += [
        {"severity": "information", "code": "informational", "diagnostics": note} for note in notes
    ]
    return {"resourceType": "OperationOutcome", "issue": issues}
