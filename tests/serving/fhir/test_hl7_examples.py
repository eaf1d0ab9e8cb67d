"""HL7's own examples of R4: each is answered or refused by name, and comes back as it went in."""

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class

from serving.examples import FHIR_EXAMPLE
from serving.fhir.bundle import read_bundle

Json = dict[str, Any]

EXAMPLES = Path(__file__).parents[2] / "data" / "fhir" / "r4-examples"


def lines_of(kind: str) -> list[str]:
    return (EXAMPLES / f"{kind}.ndjson").read_text(encoding="utf-8").splitlines()


def cases(kind: str) -> list[Any]:
    return [pytest.param(line, id=json.loads(line)["id"]) for line in lines_of(kind)]


def subject_of(resource: Json) -> str:
    """Whom a resource is about, as a reference; Patient/unnamed where it says nothing."""
    given = str(resource.get("subject", {}).get("reference", ""))
    return given if given.startswith("Patient/") else "Patient/unnamed"


def with_patient(bundle: Json, reference: str) -> Json:
    """A Bundle and one Patient of that reference: the example of that id, or one of no more."""
    name = reference.removeprefix("Patient/")
    known = {each["id"]: each for each in map(json.loads, lines_of("Patient"))}
    patient = known.get(name, {"resourceType": "Patient", "id": name})
    return {**bundle, "entry": [*bundle.get("entry", []), {"resource": patient}]}


def collection(*resources: Json) -> Json:
    entries = [{"resource": each} for each in resources]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def assert_understood(bundle: Json) -> None:
    """All that is said of a Bundle of HL7 is whom it is about, never that it is not R4."""
    for problem in read_bundle(bundle).request.problems:
        assert problem.field
        assert "one Patient" in problem.expected or "an earlier Patient" in problem.expected


def differences(given: Any, told: Any, at: str = "") -> Iterator[str]:
    """Where two documents differ; one instant or number may be written in two ways."""
    if isinstance(given, dict) and isinstance(told, dict) and given.keys() == told.keys():
        for name in given:
            yield from differences(given[name], told[name], f"{at}.{name}")
    elif isinstance(given, list) and isinstance(told, list) and len(given) == len(told):
        for place, pair in enumerate(zip(given, told, strict=True)):
            yield from differences(*pair, f"{at}[{place}]")
    elif given != told and not is_one_instant(given, told):
        yield f"{at}: {given} became {told}"


def is_one_instant(given: Any, told: Any) -> bool:
    try:
        return datetime.fromisoformat(given) == datetime.fromisoformat(told)
    except (TypeError, ValueError):
        return False


def after_a_round_trip(text: str) -> str:
    """A resource as the library writes what it has read, held to its definition on the way."""
    model = get_fhir_model_class(json.loads(text)["resourceType"])
    return str(model.model_validate_json(text).model_dump_json())


def sorted_text(text: str) -> str:
    return json.dumps(json.loads(text), sort_keys=True)


@pytest.mark.parametrize("text", cases("Observation"))
def test_an_observation_of_hl7_is_answered_or_no_test_of_ours(ask: Any, text: str) -> None:
    observation = json.loads(text)
    bundle = with_patient(collection(observation), subject_of(observation))
    assert_understood(bundle)
    response = ask(bundle)
    # One of these is of the catalogue; 422 says that there is nothing to ask about.
    assert response.status_code == (200 if observation["id"] == "f005" else 422), response.text
    if response.status_code == 422:
        assert [error["field"] for error in response.json()["errors"]] == ["entry"]


@pytest.mark.parametrize("text", cases("Patient"))
def test_a_patient_of_hl7_is_answered_or_refused_as_a_child(ask: Any, text: str) -> None:
    patient = json.loads(text)
    bundle = json.loads(json.dumps(FHIR_EXAMPLE))
    bundle["entry"][0] = {"resource": patient}
    for entry in bundle["entry"][1:]:
        entry["resource"]["subject"] = {"reference": f"Patient/{patient['id']}"}
    assert_understood(bundle)
    response = ask(bundle)
    # The results are of 2025: those born after 2007 are children.
    child = str(patient.get("birthDate", "")) > "2007"
    assert response.status_code == (422 if child else 200)
    if child:
        assert [error["field"] for error in response.json()["errors"]] == ["Patient.birthDate"]


@pytest.mark.parametrize("text", cases("RiskAssessment"))
def test_a_risk_assessment_of_hl7_is_passed_over_and_counted(text: str) -> None:
    assessment = json.loads(text)
    asked = read_bundle(with_patient(collection(assessment), subject_of(assessment)))
    assert not asked.request.problems
    assert asked.notes == ("resources that are neither Patient nor Observation are not used: 1",)


@pytest.mark.parametrize("text", cases("Bundle"))
def test_a_bundle_of_hl7_is_answered_or_refused_by_name(ask: Any, text: str) -> None:
    bundle = json.loads(text)
    assert_understood(bundle)
    response = ask(bundle)
    assert response.status_code in (200, 422)
    if response.status_code == 422:
        assert response.json()["errors"]


@pytest.mark.parametrize(
    ("name", "day", "values"),
    [
        # As its text has them; hemoglobin is 176 g/L, creatinine 0.09 mmol/L.
        (
            "ghp",
            "2015-08-16",
            {
                "hemoglobin": 176.0,
                "creatinine": 0.09,
                "ldh": 131.0,
                "calcium": 2.38,
                "albumin": 42.0,
            },
        ),
        ("101", "2011-03-04", {"hemoglobin": 176.0}),
    ],
)
def test_results_of_the_catalogue_are_read_out_of_a_report_of_hl7(
    ask: Any, name: str, day: str, values: dict[str, float]
) -> None:
    (bundle,) = (each for each in map(json.loads, lines_of("Bundle")) if each["id"] == name)
    bundle = with_patient(bundle, "Patient/pat2")
    (visit,) = read_bundle(bundle).request.visits
    assert {analyte: given.value for analyte, given in visit.values} == values
    told = [entry["resource"] for entry in ask(bundle).json()["entry"]]
    assessments = [each for each in told if each["resourceType"] == "RiskAssessment"]
    # Without an M-protein nothing is final.
    assert {each["status"] for each in assessments} <= {"preliminary", "cancelled"}
    assert {each["occurrenceDateTime"] for each in assessments} == {day}


@pytest.mark.parametrize("kind", ["Observation", "Patient", "RiskAssessment", "Bundle"])
def test_examples_of_hl7_come_back_as_they_went_in(kind: str) -> None:
    numbers = {"Observation": 64, "Patient": 22, "RiskAssessment": 6, "Bundle": 17}
    texts = lines_of(kind)
    assert len(texts) == numbers[kind]
    for text in texts:
        # 1e245 may come back as an integer of 246 digits, the same number.
        given, told = (json.loads(t, parse_int=float) for t in (text, after_a_round_trip(text)))
        assert list(differences(given, told, given["id"])) == []


def test_our_own_answer_comes_back_to_the_byte(ask: Any) -> None:
    text = ask(FHIR_EXAMPLE).text
    assert sorted_text(after_a_round_trip(text)) == sorted_text(text)
    for entry in json.loads(text)["entry"]:
        resource = json.dumps(entry["resource"])
        assert sorted_text(after_a_round_trip(resource)) == sorted_text(resource)


def test_the_checker_sees_a_lost_element_and_a_changed_number() -> None:
    text = lines_of("RiskAssessment")[0]
    given, spoilt = json.loads(text), json.loads(text)
    spoilt["prediction"][0]["probabilityDecimal"] = 0.5
    assert len(list(differences(given, spoilt))) == 1
    del spoilt["prediction"]
    assert len(list(differences(given, spoilt))) == 1
