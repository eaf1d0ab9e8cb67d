"""FHIR's Observations: what one says becomes a value, what it withholds or withdraws does not."""

import copy
import json

import numpy as np
import pytest

from features.history import FEMALE
from features.sources.fhir import read_fhir
from features.visits import check

ONE, TWO = "http://one.example/fhir", "http://two.example/fhir"


def test_an_observation_is_a_value_on_its_local_day(read, observation, patient, values):
    rows = read(patient, observation())
    assert rows.subject_ids == ("p1",)
    assert values(rows) == {("m_protein", "g/L"): [24.0]}
    # The day of the laboratory, 2024-01-05 (day 19727), not the sixth of universal time.
    assert rows.time_years.tolist() == [19_727 / 365.25]
    assert rows.row.tolist() == [2]
    assert rows.sex.tolist() == [FEMALE]
    # From 1955-03-10 to 2024-01-05 are 25138 days.
    assert rows.age_years.tolist() == [25_138 / 365.25]
    assert not rows.problems


@pytest.mark.parametrize("status", ["registered", "cancelled", "entered-in-error", "unknown"])
def test_results_withdrawn_or_not_there_are_counted_and_not_used(
    read, status, observation, patient, values
):
    rows = read(patient, observation(), observation("718-7", 12, "g/dL", status=status))
    assert set(values(rows)) == {("m_protein", "g/L")}
    assert rows.notes == (f"Observations with status {status} are not used: 1",)


@pytest.mark.parametrize("status", ["final", "amended", "corrected"])
def test_final_results_are_used_without_a_word(read, status, observation, patient):
    assert not read(patient, observation(status=status)).problems


def test_a_preliminary_result_is_used_and_wants_confirming(read, observation, patient, values):
    rows = read(patient, observation(status="preliminary"))
    assert values(rows) == {("m_protein", "g/L"): [24.0]}
    assert [(p.severity, p.expected) for p in rows.problems] == [
        ("doubted", "is preliminary; confirm it")
    ]


def test_an_absent_value_is_counted_and_not_used(read, observation, patient):
    absent = observation("718-7", dataAbsentReason={"text": "specimen lost"})
    del absent["valueQuantity"]
    rows = read(patient, observation(), absent)
    assert rows.notes == ("values reported as absent are not used: 1",)
    assert not rows.problems


def test_components_are_values_of_their_own(read, observation, loinc, quantity, patient, values):
    panel = observation("24321-2", component=[])
    del panel["valueQuantity"]
    panel["component"] = [
        {"code": loinc("2160-0"), "valueQuantity": quantity(88, "umol/L")},
        {"code": loinc("17861-6"), "valueQuantity": quantity(9.5, "mg/dL")},
        {"code": loinc("2951-2"), "valueQuantity": quantity(140, "mmol/L")},
    ]
    rows = read(patient, panel)
    assert values(rows) == {("creatinine", "umol/L"): [88.0], ("calcium", "mg/dL"): [9.5]}
    assert rows.row.tolist() == [2, 2]


def test_an_observation_that_is_not_r4_refuses_its_subject_alone(read, observation, patient):
    wrong = copy.deepcopy(observation(subject="Patient/p9"))
    wrong["valueQuantity"]["value"] = "Zebra"
    visits = check(read(patient, observation(), wrong))
    assert visits.refusals() == {
        1: "row 3, Observation: valueQuantity.value is not as FHIR R4 defines it"
    }
    assert np.unique(visits.history.subject).tolist() == [0]


def test_a_fault_in_another_test_refuses_nobody(read, observation, patient):
    other = observation("2951-2", 140, "mmol/L", triggeredBy=[])
    rows = read(patient, observation(), other)
    assert rows.notes == (
        "values of tests outside the catalogue are not used: 1 (LOINC 2951-2: 1)",
    )
    assert not rows.problems


def test_an_observation_whose_code_is_null_refuses_its_subject(read, observation, patient):
    rows = read(patient, observation(), observation() | {"code": None})
    (reason,) = check(rows).refusals().values()
    assert reason == "row 3, Observation.code: is missing; FHIR R4 asks for one"


def test_an_observation_without_a_subject_is_nobodys(read, observation, patient):
    nameless = observation("718-7", 12, "g/dL")
    del nameless["subject"]
    rows = read(patient, observation(), nameless)
    assert rows.subject_ids == ("p1", "")
    assert check(rows).refusals() == {1: "row 3, subject_id: is empty; every row names its subject"}


def test_of_two_results_on_one_day_the_later_sample_counts(read, observation, patient, values):
    rows = read(
        patient,
        observation(value=24, effectiveDateTime="2024-01-05T18:00:00Z"),
        # Written earlier by the clock on the wall, and later in time.
        observation(value=26, effectiveDateTime="2024-01-05T14:00:00-08:00"),
    )
    assert values(rows) == {("m_protein", "g/L"): [26.0]}
    (problem,) = rows.problems
    assert (problem.severity, problem.row) == ("doubted", 2)
    assert "measured again later that day" in problem.expected


def test_two_results_of_a_day_without_a_time_stay_a_contradiction(
    read, observation, patient, values
):
    rows = read(
        patient,
        observation(value=24, effectiveDateTime="2024-01-05"),
        observation(value=26, effectiveDateTime="2024-01-05"),
    )
    assert values(rows) == {("m_protein", "g/L"): [24.0, 26.0]}


def test_a_component_that_is_modified_takes_its_observation_with_it(
    read, observation, loinc, quantity, patient, values
):
    panel = observation(component=[])
    panel["component"] = [
        {
            "code": loinc("2160-0"),
            "valueQuantity": quantity(1, "mg/dL"),
            "modifierExtension": [{"url": "urn:x", "valueBoolean": True}],
        }
    ]
    rows = read(patient, observation("718-7", 12, "g/dL"), panel)
    assert set(values(rows)) == {("hemoglobin", "g/dL")}
    assert rows.notes == ("Observations with a modifierExtension are not used: 1",)


def test_a_result_withdrawn_in_a_later_version_is_never_used_in_an_earlier_one(
    read_entries, observation, entry
):
    withdrawn = observation(value=11, status="entered-in-error", meta={"versionId": "2"})
    rows = read_entries(
        entry(f"{ONE}/Observation/1", observation(value=11, meta={"versionId": "1"})),
        entry(f"{ONE}/Observation/1", withdrawn),
    )
    (refused,) = check(rows).refusals().values()
    assert refused.startswith("row 2, Observation: is another version of an earlier entry")


def test_an_entry_given_twice_is_one_version(read_entries, observation, entry):
    twice = entry(f"{ONE}/Observation/1", observation())
    assert not check(read_entries(twice, twice)).refusals()


@pytest.mark.parametrize(
    "effective",
    [
        {"effectiveInstant": "2024-01-05T23:59:59.999-05:00"},
        {"effectivePeriod": {"start": "2024-01-05T22:00:00Z", "end": "2024-01-06T22:00:00Z"}},
        {"effectivePeriod": {"end": "2024-01-05T22:00:00Z"}},
    ],
)
def test_every_form_of_its_time_gives_an_observation_its_day(read, observation, patient, effective):
    given = {k: v for k, v in observation(**effective).items() if k != "effectiveDateTime"}
    # 2024-01-05 is day 19727.
    assert read(patient, given).time_years.tolist() == [19_727 / 365.25]


def test_a_version_without_full_url_is_known_by_its_id(written, observation, patient):
    withdrawn = observation(id="o1", status="entered-in-error")
    other = observation(id="o1", subject="Patient/p2")
    given = [patient, observation(id="o1"), withdrawn, {**patient, "id": "p2"}, other]
    rows = read_fhir(written("\n".join(map(json.dumps, given)), "a.ndjson"))
    refused = {rows.subject_ids[who]: why for who, why in check(rows).refusals().items()}
    # The Observation of the other person is another server's: ids are a server's own.
    assert list(refused) == ["p1"]
    assert refused["p1"].startswith("row 3, Observation: is another version of an earlier entry")


def test_a_contained_result_is_not_used_and_named(read, observation, patient):
    report = {"resourceType": "DiagnosticReport", "contained": [observation(id="c1")]}
    other = {"resourceType": "DiagnosticReport", "contained": [observation("2951-2", id="c2")]}
    rows = read(patient, observation("718-7", 12, "g/dL"), report, other)
    (note,) = (note for note in rows.notes if "contained" in note)
    assert note.startswith("row 3, contained[0]: a result inside another resource was left out")
