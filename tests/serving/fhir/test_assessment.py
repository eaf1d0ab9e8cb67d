"""FHIR R4 out: valid by the library's model of R4, and by what that model does not check."""

import copy
import json
import uuid
from typing import Any

import pytest
from fhir.resources.R4B.bundle import Bundle
from fhir.resources.R4B.riskassessment import RiskAssessment

from serving.examples import EXAMPLE, FHIR_EXAMPLE

Body = dict[str, Any]
Client = Any

UCUM = "http://unitsofmeasure.org"
INTERVAL = "urn:smoulder:fhir:interval"
# http://hl7.org/fhir/R4/valueset-observation-status.html
STATUSES = {
    "registered", "preliminary", "final", "amended", "corrected", "cancelled", "entered-in-error",
    "unknown",
}  # fmt: skip


@pytest.fixture
def bundle() -> Body:
    return copy.deepcopy(FHIR_EXAMPLE)


def assert_r4(bundle: Body) -> list[Body]:
    """Assessments of a Bundle, after holding it to R4 and to the invariants of its definition."""
    Bundle.model_validate(bundle)
    urls = [entry["fullUrl"] for entry in bundle["entry"]]
    assert len(set(urls)) == len(urls)  # bdl-7
    assert all(uuid.UUID(url) for url in urls)
    found = []
    for entry in bundle["entry"]:
        resource = entry["resource"]
        if resource["resourceType"] == "RiskAssessment":
            RiskAssessment.model_validate(resource)
            assert_invariants(resource)
            found.append(resource)
    return found


def assert_invariants(resource: Body) -> None:
    """What `fhir.resources` accepts and R4 does not, and what this service promises on top."""
    assert resource["status"] in STATUSES
    contained = {f"#{inner['id']}" for inner in resource["contained"]}
    assert contained == {resource["performer"]["reference"]}  # dom-3
    predictions = resource.get("prediction", [])
    assert bool(predictions) == (resource["status"] != "cancelled")
    horizons = []
    for prediction in predictions:
        given = [name for name in prediction if name.startswith("probability")]
        assert len(given) <= 1  # probability[x] is one of its kinds
        if "probabilityDecimal" in prediction:
            assert 0 <= prediction["probabilityDecimal"] <= 100  # ras-2
        ranges = [prediction.get("probabilityRange", {})]
        ranges += [e["valueRange"] for e in prediction.get("extension", []) if e["url"] == INTERVAL]
        for end in (end for each in ranges for end in each.values()):
            assert (end["code"], end["system"]) == ("%", UCUM)  # ras-1
            assert 0 <= end["value"] <= 100
        when = prediction["whenRange"]
        assert {(end["code"], end["system"]) for end in when.values()} == {("a", UCUM)}
        assert when["low"]["value"] == 0 < when["high"]["value"]  # rng-2
        horizons.append(when["high"]["value"])
    assert horizons == sorted(set(horizons))


def test_probabilities_are_the_risks_of_the_api_in_percent(client: Client, ask: Any) -> None:
    response = ask(FHIR_EXAMPLE)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/fhir+json"
    assessments = assert_r4(response.json())
    # Born 1964-05 (its fifteenth): 61 years and 117 days old on 2025-09-09.
    body = {**EXAMPLE, "subject": {"sex": "female", "age": 22397 / 365.25}}
    estimates = client.post("/v1/risk", json=body).json()["estimates"]
    by_model = {each["method"]["coding"][0]["code"]: each for each in assessments}
    assert list(by_model) == [estimate["model"] for estimate in estimates]
    compared = 0
    for estimate in estimates:
        assessment = by_model[estimate["model"]]
        predictions = assessment.get("prediction", [])
        for prediction, row in zip(predictions, estimate["risks"], strict=True):
            assert prediction["whenRange"]["high"]["value"] == row["horizon_years"]
            if row["risk"] is None:
                assert "probabilityDecimal" not in prediction
            else:
                assert prediction["probabilityDecimal"] == pytest.approx(
                    100 * row["risk"], abs=5e-5
                )
                compared += 1
    assert compared >= 5


def test_the_rule_of_twenties_is_the_published_44_percent(ask: Any) -> None:
    # 20/2/20, high group: 44.2 % at two years (Mateos 2020, doi:10.1038/s41408-020-00366-3).
    (rule,) = (
        each
        for each in assert_r4(ask(FHIR_EXAMPLE).json())
        if each["method"]["coding"][0]["code"] == "20-2-20"
    )
    first = rule["prediction"][0]
    assert first["probabilityDecimal"] == 44.2
    assert first["qualitativeRisk"]["coding"][0]["code"] == "high"
    assert first["outcome"]["coding"][0]["code"] == "109989006"
    assert rule["status"] == "final"


def test_a_model_names_itself_by_version_and_hashes(ask: Any) -> None:
    learned = assert_r4(ask(FHIR_EXAMPLE).json())[0]
    assert learned["method"]["coding"][0]["version"] == "1"
    (device,) = learned["contained"]
    identifiers = {each["system"]: each["value"] for each in device["identifier"]}
    assert identifiers["urn:smoulder:study:hash"] == "a" * 12
    assert len(identifiers["urn:smoulder:artefact:sha256"]) == 64
    assert any("Demonstration" in note["text"] for note in learned["note"])
    (interval, kind) = learned["prediction"][0]["extension"]
    low, high = (interval["valueRange"][end]["value"] for end in ("low", "high"))
    assert low <= learned["prediction"][0]["probabilityDecimal"] <= high
    assert kind["valueString"] == "confidence interval"


def test_a_basis_is_what_the_model_reads_and_nothing_else(ask: Any, bundle: Body) -> None:
    assessments = assert_r4(ask(bundle).json())
    basis = {
        each["method"]["coding"][0]["code"]: {ref["reference"] for ref in each.get("basis", ())}
        for each in assessments
    }
    # 20/2/20 reads M-protein, both light chains and the marrow, never haemoglobin (718-7).
    assert basis["20-2-20"] == {
        "Observation/33358-3-2025-03-04",
        "Observation/33358-3-2025-09-09",
        "Observation/36916-5-2025-09-09",
        "Observation/33944-0-2025-09-09",
        "Observation/11118-7-2025-09-09",
    }
    assert "Observation/718-7-2025-09-09" in basis["smm-progression"]


def test_a_missing_marker_gives_a_range_and_no_number(ask: Any, bundle: Body) -> None:
    bundle["entry"] = [
        entry
        for entry in bundle["entry"]
        # Without the marrow, and without lambda and with it the ratio.
        if not any(code in json.dumps(entry) for code in ("11118-7", "33944-0"))
    ]
    (rule,) = (
        each
        for each in assert_r4(ask(bundle).json())
        if each["method"]["coding"][0]["code"] == "20-2-20"
    )
    assert rule["status"] == "preliminary"
    first = rule["prediction"][0]
    assert "probabilityDecimal" not in first
    # M-protein is above 2 g/dL, one of three factors: intermediate (17.9 %) or high (44.2 %).
    assert [first["probabilityRange"][end]["value"] for end in ("low", "high")] == [17.9, 44.2]
    assert first["qualitativeRisk"] == {"text": "intermediate or high"}


def test_what_was_left_out_is_told_at_its_place(ask: Any, bundle: Body) -> None:
    bundle["entry"][3]["resource"]["valueQuantity"]["comparator"] = "<"
    outcome = ask(bundle).json()["entry"][-1]["resource"]
    assert outcome["resourceType"] == "OperationOutcome"
    (bound,) = (i for i in outcome["issue"] if i["expression"] == ["entry[3].resource"])
    assert "is a bound" in bound["diagnostics"]


@pytest.mark.parametrize(("printed", "agrees"), [("0.9", True), ("0.90", False)])
def test_a_result_in_two_units_is_judged_by_the_digits_that_were_sent(
    client: Client, bundle: Body, printed: str, agrees: bool
) -> None:
    # 83 / 88.42 = 0.939 mg/dL, which is printed as 0.9 and not as 0.90.
    molar = bundle["entry"][-1]["resource"]
    molar["valueQuantity"]["value"] = 83
    mass = copy.deepcopy(molar) | {"id": "mass"}
    mass["valueQuantity"] = {"value": "<>", "system": UCUM, "code": "mg/dL"}
    bundle["entry"].append({"resource": mass})
    body = json.dumps(bundle).replace('"<>"', printed)
    headers = {"content-type": "application/fhir+json"}
    told = client.post("/v1/fhir/risk-assessment", content=body, headers=headers)
    assert told.status_code == (200 if agrees else 422)
    place = f"entry[{len(bundle['entry']) - 1}].resource"
    if agrees:
        issues = told.json()["entry"][-1]["resource"]["issue"]
        (said,) = (i["diagnostics"] for i in issues if i.get("expression") == [place])
        assert "creatinine agrees, within its rounding, with a more exact value" in said
    else:
        assert "with different values" in told.json()["errors"][0]["expected"]


def test_every_answer_is_on_record(ask: Any, room: Any) -> None:
    from serving.audit import verify

    before = verify(room.audit.path.parent).records if room.audit.path.exists() else 0
    assert ask(FHIR_EXAMPLE).status_code == 200
    assert verify(room.audit.path.parent).records == before + 1
