"""FHIR R4 in: one Patient, every problem at its place in the Bundle."""

import copy
import json
import uuid
from typing import Any

import pytest

from serving.examples import FHIR_EXAMPLE, PATIENT
from serving.fhir.bundle import read_bundle

Body = dict[str, Any]


@pytest.fixture
def bundle() -> Body:
    return copy.deepcopy(FHIR_EXAMPLE)


def fields(bundle: object) -> dict[str, str]:
    return {p.field: p.expected for p in read_bundle(bundle).request.problems}


def test_the_example_is_the_person_of_the_api() -> None:
    from serving.examples import EXAMPLE
    from serving.request import read_risk

    asked = read_bundle(FHIR_EXAMPLE).request
    api, _ = read_risk(EXAMPLE)
    assert not asked.problems
    assert asked.visits == api.visits
    assert asked.sex == api.sex


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ([], "resourceType"),
        ({"resourceType": "Patient"}, "resourceType"),
        ({"resourceType": "Bundle", "entry": {}}, "entry"),
        ({"resourceType": "Bundle", "entry": [[]]}, "entry[0]"),
        ({"resourceType": "Bundle", "entry": [{"resource": 1}]}, "entry[0].resource"),
        # Versions of the past: a result of it may be withdrawn by now.
        ({"resourceType": "Bundle", "type": "history", "entry": []}, "type"),
        (
            {
                "resourceType": "Bundle",
                "entry": [{"resource": {"resourceType": "Bundle", "type": "history"}}],
            },
            "entry[0].resource.type",
        ),
    ],
)
def test_another_shape_is_malformed(given: object, field: str) -> None:
    asked = read_bundle(given).request
    assert asked.malformed
    assert [p.field for p in asked.problems] == [field]


def test_nobody_and_two_people_are_refused(bundle: Body) -> None:
    assert (
        "must hold one Patient; it holds 2"
        in fields(
            {**bundle, "entry": [*bundle["entry"], {"resource": {**PATIENT, "id": "other"}}]}
        )["entry"]
    )
    assert "it holds 0" in fields({**bundle, "entry": bundle["entry"][1:]})["entry"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"resourceType": "Patient"}, "resourceType"),
        ({"type": "history"}, "type"),
        ({"entry": {}}, "entry"),
        ({"entry": [{"resource": PATIENT}, {"resource": {**PATIENT, "id": "other"}}]}, "entry"),
    ],
)
def test_a_bundle_that_is_not_understood_is_not_told_that_it_holds_nothing(
    ask: Any, bundle: Body, change: Body, field: str
) -> None:
    told = ask(bundle | change).json()
    assert [error["field"] for error in told["errors"]] == [field]


def answers_of_a_batch(bundle: Body, **search: Any) -> Body:
    """The Bundle as a server answers to a batch: a Patient, and a search that found the rest."""
    found = {"resourceType": "Bundle", "type": "searchset", "entry": bundle["entry"][1:], **search}
    entries = [
        {"resource": bundle["entry"][0]["resource"], "response": {"status": "200"}},
        {"resource": found, "response": {"status": "200 OK"}},
    ]
    return {"resourceType": "Bundle", "type": "batch-response", "entry": entries}


def test_a_bundle_within_a_bundle_is_read_as_if_it_were_flat(bundle: Body) -> None:
    flat, nested = read_bundle(bundle), read_bundle(answers_of_a_batch(bundle))
    assert nested.request == flat.request
    assert nested.observations == flat.observations
    assert not nested.doubts
    assert not nested.notes


def test_a_problem_within_a_bundle_within_a_bundle_has_its_whole_path(bundle: Body) -> None:
    bundle["entry"][1]["resource"]["valueQuantity"]["code"] = "mmol/L"
    bundle["entry"][2] = []
    nested = answers_of_a_batch(bundle)
    assert list(fields(nested)) == ["entry[1].resource.entry[1]"]
    del nested["entry"][1]["resource"]["entry"][1]
    assert list(fields(nested)) == ["entry[1].resource.entry[0].resource.valueQuantity.code"]


FAILURE = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "timeout"}]}


@pytest.mark.parametrize(
    ("entry", "place"),
    [
        ({"response": {"status": "404 Not Found"}}, ".response"),
        ({"response": {"status": "500", "outcome": FAILURE}}, ".response"),
        ({"resource": FAILURE, "search": {"mode": "outcome"}}, ".resource"),
        ({"resource": FAILURE, "response": {"status": "400"}}, ".response"),
        ({"fullUrl": "http://one.example/Observation/9"}, ""),
    ],
)
def test_what_could_not_be_fetched_is_a_warning(bundle: Body, entry: Body, place: str) -> None:
    asked = read_bundle({**bundle, "entry": [*bundle["entry"], entry]})
    assert not asked.request.problems
    assert f"entry[{len(bundle['entry'])}]{place}" in [doubt.field for doubt in asked.doubts]
    assert not asked.notes


@pytest.mark.parametrize(
    "entry",
    [
        {"response": {"status": "204 No Content"}},
        {"request": {"method": "DELETE", "url": "Observation/9"}},
        {
            "resource": {
                "resourceType": "OperationOutcome",
                "issue": [{"severity": "information", "code": "informational"}],
            }
        },
    ],
)
def test_an_entry_that_hides_no_result_is_no_warning(bundle: Body, entry: Body) -> None:
    assert not read_bundle({**bundle, "entry": [*bundle["entry"], entry]}).doubts


def test_a_total_above_what_the_bundle_holds_is_a_warning(bundle: Body) -> None:
    size = len(bundle["entry"])
    assert not read_bundle({**bundle, "total": size}).doubts
    (doubt,) = read_bundle({**bundle, "total": size + 1}).doubts
    assert doubt.field == "total"


def test_a_next_page_within_a_bundle_is_a_warning_at_its_place(bundle: Body) -> None:
    nested = answers_of_a_batch(bundle, link=[{"relation": "next", "url": "http://one.example"}])
    (doubt,) = read_bundle(nested).doubts
    assert doubt.field == "entry[1].resource.link"


def test_results_of_somebody_else_are_refused(bundle: Body) -> None:
    bundle["entry"][2]["resource"]["subject"]["reference"] = "Patient/other"
    assert list(fields(bundle)) == ["entry[2].resource.subject"]


def test_two_people_with_one_id_on_two_servers_are_two(bundle: Body) -> None:
    urls = ["http://one.example/Patient/7", "http://two.example/Patient/7"]
    people = [{"fullUrl": url, "resource": {**PATIENT, "id": "7"}} for url in urls]
    told = fields({**bundle, "entry": [*people, *bundle["entry"][1:]]})
    assert "it holds 2" in told["entry"]


@pytest.mark.parametrize("urls", [(None, None), (None, "http://a.example/Patient/7")])
def test_two_people_with_one_id_are_two_whatever_their_urls(
    bundle: Body, urls: tuple[str | None, str | None]
) -> None:
    place = next(
        i for i, e in enumerate(bundle["entry"]) if e["resource"]["resourceType"] == "Patient"
    )
    first = bundle["entry"][place]
    other = copy.deepcopy(first)
    other["resource"]["birthDate"] = "1931-01-01"
    for entry, url in zip((first, other), urls, strict=True):
        entry.pop("fullUrl", None)
        if url is not None:
            entry["fullUrl"] = url
    bundle["entry"].append(other)
    at = f"entry[{len(bundle['entry']) - 1}].resource"
    assert fields(bundle)[at].startswith("Patient differs from an earlier Patient of its id")


ONE, TWO = "http://one.example/fhir", "http://two.example"
URN = "urn:uuid:04121321-4af5-424c-a0e1-ed3aab1c349d"


@pytest.mark.parametrize(
    ("url", "reference", "ours"),
    [
        ("", f"{ONE}/Patient/7", True),
        ("", f"{ONE}/Patient/7/_history/2", True),
        ("", f"{TWO}/Patient/7", False),
        # Relative to the server of the result's own entry.
        (f"{ONE}/Observation/5", "Patient/7", True),
        (f"{ONE}/Observation/5", "Patient/7/_history/2", True),
        (f"{TWO}/Observation/5", "Patient/7", False),
        (f"{TWO}/Observation/5", "Patient/7/_history/2", False),
        (f"{ONE}-2/Observation/5", "Patient/7", False),
        # One server, whatever the scheme and the case of its name; a port or a path is another's.
        ("https://one.example/fhir/Observation/5", "Patient/7", True),
        ("", "HTTPS://One.Example/fhir/Patient/7", True),
        ("", "https://one.example/fhir/Patient/7?_format=json", True),
        ("", "https://one.example:8443/fhir/Patient/7", False),
        ("", "https://one.example/FHIR/Patient/7", False),
        (f"{TWO}/Observation/5", f"{ONE}/Patient/7", True),
        # Without a server it is the one Patient who has the id.
        ("", "Patient/7", True),
        (URN, "Patient/7", True),
        (URN, "Patient/8", False),
        (f"{ONE}/Observation/5", URN, False),
        # A contained Patient has an id of its own.
        ("", "#7", False),
    ],
)
def test_a_result_is_of_whom_its_reference_names_on_its_own_server(
    bundle: Body, url: str, reference: str, *, ours: bool
) -> None:
    bundle["entry"][0] = {
        "fullUrl": f"{ONE}/Patient/7",
        "resource": {**PATIENT, "id": "7"},
    }
    for entry in bundle["entry"][1:]:
        entry["resource"]["subject"] = {"reference": "Patient/7"}
    bundle["entry"][2] |= {"fullUrl": url}
    bundle["entry"][2]["resource"]["subject"]["reference"] = reference
    assert list(fields(bundle)) == ([] if ours else ["entry[2].resource.subject"])


def test_a_bundle_whose_entries_all_have_urns_is_answered(bundle: Body) -> None:
    for entry in bundle["entry"]:
        entry["fullUrl"] = f"urn:uuid:{uuid.uuid4()}"
        if "subject" in entry["resource"]:
            entry["resource"]["subject"] = {"reference": bundle["entry"][0]["fullUrl"]}
    asked = read_bundle(bundle)
    assert not asked.request.problems
    assert asked.patient == bundle["entry"][0]["fullUrl"]


def test_a_full_url_that_is_null_is_none(bundle: Body) -> None:
    for entry in bundle["entry"]:
        entry["fullUrl"] = None
    asked = read_bundle(bundle)
    assert not asked.request.problems
    assert asked.patient == f"Patient/{PATIENT['id']}"


def test_a_patient_whose_id_is_of_two_servers_is_not_guessed(bundle: Body) -> None:
    # Both servers' results name a Patient 7, and the Patient does not say whose it is.
    bundle["entry"][0]["resource"]["id"] = "7"
    for place, entry in enumerate(bundle["entry"][1:]):
        entry["fullUrl"] = f"{(ONE, TWO)[place % 2]}/Observation/{place}"
        entry["resource"]["subject"] = {"reference": "Patient/7"}
    assert "several people" in fields(bundle)["entry[0].resource"]


@pytest.mark.parametrize("kind", ["Group", "Device", "Location"])
def test_a_result_of_no_person_is_passed_over_and_counted(bundle: Body, kind: str) -> None:
    who = bundle["entry"][0]["resource"]["id"]
    bundle["entry"][1]["resource"]["subject"] = {"reference": f"{kind}/{who}"}
    asked = read_bundle(bundle)
    assert not asked.request.problems
    assert asked.notes == (
        "Observations of no Patient (a Group, Device or Location) are not used: 1",
    )


@pytest.mark.parametrize(
    ("spoil", "field", "expected"),
    [
        ({"valueQuantity": {"value": 2, "code": "mmol/L"}}, ".valueQuantity.code", "one of g/dL"),
        ({"effectiveDateTime": "2025-03"}, ".effectiveDateTime", "whole day"),
        ({"effectiveDateTime": "1825-03-04"}, ".effectiveDateTime", "1900"),
        ({"status": "oops"}, "", "no status that FHIR R4 defines"),
        ({"valueQuantity": {"value": "much"}}, "", "as FHIR R4 defines it"),
        ({"instantiatesCanonical": "https://r5"}, "", "is this R5?"),
    ],
)
def test_a_result_that_cannot_be_used_is_named(
    bundle: Body, spoil: Body, field: str, expected: str
) -> None:
    bundle["entry"][1]["resource"].update(spoil)
    found = fields(bundle)
    assert list(found) == [f"entry[1].resource{field}"]
    assert expected in found[f"entry[1].resource{field}"]


def test_a_number_beyond_all_numbers_is_refused(bundle: Body) -> None:
    text = json.dumps(bundle).replace('"value": 21', '"value": ' + "9" * 400)
    assert next(iter(fields(json.loads(text)))).startswith("entry[1].resource")


def test_problems_of_the_use_case_are_named_by_their_entry(client: Any, bundle: Body) -> None:
    # 21 g/dL is no M-protein; the API says visits[0].labs.m_protein.value.
    bundle["entry"][1]["resource"]["valueQuantity"].update(unit="g/dL", code="g/dL")
    response = client.post(
        "/v1/fhir/risk-assessment",
        content=json.dumps(bundle),
        headers={"content-type": "application/fhir+json; fhirVersion=4.0"},
    )
    assert response.status_code == 422
    (error,) = response.json()["errors"]
    assert error["field"] == "entry[1].resource.valueQuantity"


def test_another_version_of_fhir_is_another_media_type(client: Any, bundle: Body) -> None:
    headers = {"content-type": "application/fhir+json; fhirVersion=5.0"}
    response = client.post("/v1/fhir/risk-assessment", content=json.dumps(bundle), headers=headers)
    assert response.status_code == 415


def test_a_patient_without_birth_date_is_answered_without_age(bundle: Body) -> None:
    del bundle["entry"][0]["resource"]["birthDate"]
    asked = read_bundle(bundle).request
    assert not asked.problems
    assert asked.age != asked.age


@pytest.mark.parametrize(
    ("says", "field"),
    [
        ({"deceasedBoolean": True}, "deceased"),
        ({"deceasedDateTime": "2025-10-01"}, "deceased"),
        ({"active": False}, "active"),
        ({"link": [{"other": {"reference": "Patient/2"}, "type": "replaced-by"}]}, "link"),
    ],
)
def test_what_changes_the_meaning_of_a_patient_is_a_warning(
    ask: Any, bundle: Body, says: Body, field: str
) -> None:
    bundle["entry"][0]["resource"].update(says)
    response = ask(bundle)
    assert response.status_code == 200
    (issue,) = response.json()["entry"][-1]["resource"]["issue"]
    assert issue["severity"] == "warning"
    assert issue["expression"] == [f"entry[0].resource.{field}"]


@pytest.mark.parametrize(
    "says",
    [
        {"deceasedBoolean": False},
        {"active": True},
        {"link": [{"other": {"reference": "Patient/2"}, "type": "seealso"}]},
    ],
)
def test_a_patient_who_lives_and_is_in_use_is_no_warning(bundle: Body, says: Body) -> None:
    bundle["entry"][0]["resource"].update(says)
    assert not read_bundle(bundle).doubts


def test_a_next_page_that_was_not_read_is_a_warning(bundle: Body) -> None:
    pages = [{"relation": name, "url": "http://one.example"} for name in ("self", "next")]
    asked = read_bundle({**bundle, "type": "searchset", "link": pages})
    assert [doubt.field for doubt in asked.doubts] == ["link"]
    assert not read_bundle({**bundle, "type": "searchset", "link": pages[:1]}).doubts


@pytest.mark.parametrize(
    ("says", "what"),
    [
        ({"focus": [{"reference": "RelatedPerson/2"}]}, "a focus that is not the Patient"),
        ({"modifierExtension": [{"url": "urn:x", "valueBoolean": True}]}, "a modifierExtension"),
    ],
)
def test_a_result_that_means_something_else_is_passed_over_and_counted(
    bundle: Body, says: Body, what: str
) -> None:
    bundle["entry"][1]["resource"].update(says)
    asked = read_bundle(bundle)
    assert not asked.request.problems
    assert asked.notes == (f"Observations with {what} are not used: 1",)


def test_a_rule_of_r4_that_has_no_place_is_one_of_the_resource(bundle: Body) -> None:
    # One of value[x] only.
    bundle["entry"][1]["resource"]["valueInteger"] = 21
    (expected,) = fields(bundle).values()
    assert expected == "Observation resource is not as FHIR R4 defines it"


def test_a_bundle_of_which_all_is_left_out_is_refused_with_the_reasons(
    ask: Any, bundle: Body
) -> None:
    bound, withdrawn, other = (bundle["entry"][i]["resource"] for i in (1, 2, 3))
    bound["valueQuantity"]["comparator"] = "<"
    withdrawn["status"] = "entered-in-error"
    other["code"]["coding"][0]["code"] = "2951-2"
    response = ask({**bundle, "entry": bundle["entry"][:4]})
    assert response.status_code == 422
    first, second = response.json()["errors"]
    assert first == {
        "field": "entry",
        "expected": "hold no usable laboratory value; "
        "Observations with status entered-in-error are not used: 1; "
        "values of tests outside the catalogue are not used: 1 (LOINC 2951-2: 1)",
    }
    assert second["field"] == "entry[1].resource"
    assert "is a bound, not a value" in second["expected"]


def places_in(node: object, at: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Every place of a document but the whole of it."""
    inside: list[tuple[str | int, object]] = []
    if isinstance(node, dict):
        inside = list(node.items())
    elif isinstance(node, list):
        inside = list(enumerate(node))
    return [place for key, inner in inside for place in ((*at, key), *places_in(inner, (*at, key)))]


def with_value(node: Any, place: tuple[str | int, ...], value: object) -> Any:
    """A copy of a document with another value at a place."""
    copied = copy.deepcopy(node)
    inner = copied
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    return copied


def test_nothing_at_any_place_of_a_bundle_makes_reading_it_fail(bundle: Body) -> None:
    result = {**bundle["entry"][1]["resource"], "interpretation": [{"text": "high"}]}
    report = {
        "resourceType": "DiagnosticReport",
        "status": "final",
        "effectivePeriod": {"start": "2025-03-04"},
        "result": [{"reference": "Observation/m"}],
        "contained": [result],
    }
    rich = {
        "resourceType": "Bundle",
        "type": "batch-response",
        "total": 4,
        "link": [{"relation": "self", "url": "http://one.example"}],
        "entry": [
            {"fullUrl": "http://one.example/Patient/made-up", "resource": PATIENT},
            {"resource": {"resourceType": "Bundle", "entry": [{"resource": result}]}},
            {"resource": report, "response": {"status": "200"}},
            {"resource": FAILURE},
        ],
    }
    assert not read_bundle(rich).request.problems
    places = places_in(rich)
    assert len(places) > 60
    for place in places:
        for value in (None, True, 7, "x", "", [], {}, [[7]], [{}], {"x": [7]}):
            asked = read_bundle(with_value(rich, place, value))
            assert all(problem.expected for problem in asked.request.problems)
