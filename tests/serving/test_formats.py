"""The schemas of FHIR and CDS Hooks are those of the routes: of what is taken and what is told."""

import copy
import json
from typing import Any

import jsonschema
import pytest

from serving.examples import CDS_EXAMPLE, FEEDBACK_EXAMPLE, FHIR_EXAMPLE
from serving.openapi import document

Body = dict[str, Any]

CDS = "/cds-services/smoulder-progression"
FHIR = "/v1/fhir/risk-assessment"
FEEDBACK = f"{CDS}/feedback"
EXAMPLES = {FHIR: FHIR_EXAMPLE, CDS: CDS_EXAMPLE, FEEDBACK: FEEDBACK_EXAMPLE}
REPORT = FEEDBACK_EXAMPLE["feedback"][0]


def schema_of(content: Body) -> Any:
    (named,) = {body["schema"]["$ref"] for body in content.values()}
    schema = {"$ref": named, "components": document()["components"]}
    return jsonschema.Draft202012Validator(schema)


def asked_and_told(path: str) -> tuple[Any, Any]:
    operation = document()["paths"][path]["post"]
    return (
        schema_of(operation["requestBody"]["content"]),
        schema_of(operation["responses"]["200"]["content"]),
    )


def post(client: Any, path: str, body: Any, media_type: str = "application/json") -> Any:
    return client.post(path, content=json.dumps(body), headers={"content-type": media_type})


@pytest.mark.parametrize(
    ("path", "place", "value"),
    [
        (FHIR, ["resourceType"], "Patient"),
        (FHIR, ["resourceType"], None),
        (FHIR, ["type"], "history"),
        (FHIR, ["type"], "searchset"),
        (FHIR, ["entry"], {}),
        (FHIR, ["entry", 1], []),
        (FHIR, ["entry", 1, "resource"], 1),
        (CDS, ["hook"], "order-select"),
        (CDS, ["hookInstance"], None),
        (CDS, ["hookInstance"], 7),
        (CDS, ["context", "patientId"], ""),
        (CDS, ["context"], None),
        (CDS, ["prefetch"], []),
        (CDS, ["prefetch", "patient"], []),
        (CDS, ["prefetch", "patient", "resourceType"], "Practitioner"),
        (CDS, ["prefetch", "results", "resourceType"], "Observation"),
        (CDS, ["prefetch", "results"], {"resourceType": None}),
        (CDS, ["prefetch", "patient"], {"id": "made-up"}),
        (CDS, ["fhirAuthorization"], {"access_token": "x"}),
        (FEEDBACK, ["feedback"], []),
        (FEEDBACK, ["feedback"], [REPORT] * 101),
        (FEEDBACK, ["feedback", 0, "outcome"], "ignored"),
        (FEEDBACK, ["feedback", 0, "card"], None),
        (FEEDBACK, ["feedback", 0, "overrideReason"], {"userComment": "x"}),
    ],
)
def test_a_body_is_malformed_where_its_schema_says_so(
    client: Any, path: str, place: list[Any], value: Any
) -> None:
    body = copy.deepcopy(EXAMPLES[path])
    inner: Any = body
    for key in place[:-1]:
        inner = inner[key]
    if value is None:
        del inner[place[-1]]
    else:
        inner[place[-1]] = value
    asked, _ = asked_and_told(path)
    assert (post(client, path, body).status_code == 400) != asked.is_valid(body)


def doubtful(bundle: Body) -> None:
    """Spoil a Bundle so that its answer has warnings and notes."""
    bundle["link"] = [{"relation": "next", "url": "http://one.example"}]
    results = [entry["resource"] for entry in bundle["entry"]]
    results[-1]["status"] = "preliminary"
    results[-2]["status"] = "entered-in-error"


def test_what_is_told_of_doubtful_results_is_as_declared(client: Any) -> None:
    bundle, call = copy.deepcopy(FHIR_EXAMPLE), copy.deepcopy(CDS_EXAMPLE)
    doubtful(bundle)
    doubtful(call["prefetch"]["results"])
    for path, body in ((FHIR, bundle), (CDS, call)):
        response = post(client, path, body)
        assert response.status_code == 200
        _, told = asked_and_told(path)
        told.validate(response.json())


def test_every_media_type_of_fhir_that_is_declared_is_taken(client: Any) -> None:
    content = document()["paths"][FHIR]["post"]["requestBody"]["content"]
    assert set(content) == {"application/fhir+json", "application/json"}
    for media_type in content:
        assert post(client, FHIR, FHIR_EXAMPLE, media_type).status_code == 200
    assert post(client, FHIR, FHIR_EXAMPLE, "application/fhir+xml").status_code == 415
