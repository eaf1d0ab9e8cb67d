"""FHIR's Patients: what each says of a subject, and which are refused."""

import json

import pytest

from features.history import UNKNOWN
from features.sources.fhir import read_fhir
from features.visits import check


@pytest.mark.parametrize(
    ("birth", "days"),
    # A year alone stands for its middle (1 July), a month for its fifteenth.
    [("1955", 25_025), ("1955-03", 25_133)],
)
def test_a_partial_day_of_birth_gives_an_age(read, birth, days, observation, patient):
    rows = read({**patient, "birthDate": birth}, observation())
    assert rows.age_years.tolist() == [days / 365.25]


def test_a_patient_without_a_usable_observation_is_named(read, observation, patient):
    visits = check(read({**patient, "id": "p2"}, observation()))
    assert [str(f) for f in visits.findings] == [
        "row 1, Patient: has no Observation that can be used"
    ]


def test_another_gender_is_unknown_sex(read, observation, patient):
    assert read({**patient, "gender": "other"}, observation()).sex.tolist() == [UNKNOWN]


def test_a_patient_that_is_not_r4_is_refused_alone(read, observation, patient):
    wrong = {**patient, "id": "p2", "birthDate": "Zebra"}
    rows = read(wrong, patient, observation(), observation(subject="Patient/p2"))
    visits = check(rows)
    refused = {rows.subject_ids[subject]: reason for subject, reason in visits.refusals().items()}
    assert refused == {"p2": "row 1, Patient: birthDate is not as FHIR R4 defines it"}
    assert visits.history.visits == 1


def test_two_patients_of_one_id_without_full_urls_are_refused_by_their_row(
    written, observation, patient
):
    other = {**patient, "birthDate": "1931-01-01"}
    lines = [patient, observation(), {**patient, "id": "p2"}, observation(subject="Patient/p2")]
    text = "\n".join(json.dumps(each) for each in [*lines, patient, other])
    rows = read_fhir(written(text, "a.ndjson"))
    refused = {rows.subject_ids[who]: why for who, why in check(rows).refusals().items()}
    # The Patient of row 5 is that of row 1 once more.
    assert list(refused) == ["p1"]
    assert refused["p1"].startswith("row 6, Patient: differs from an earlier Patient of its id")


def test_a_contained_patient_is_nobody_outside_its_observation(read, observation, patient):
    inside = observation(subject="#p1", contained=[{"resourceType": "Patient", "id": "p1"}])
    rows = read(patient, observation(), inside)
    assert check(rows).refusals() == {1: "row 3, subject_id: is empty; every row names its subject"}


def test_a_patient_who_is_modified_is_refused(read, patient):
    rows = read({**patient, "modifierExtension": [{"url": "urn:x", "valueCode": "y"}]})
    assert next(iter(check(rows).refusals().values())).startswith("row 1, Patient: has a modifier")
