"""Whom results of FHIR are of: references, full URLs, and ids that two servers gave."""

import json
from itertools import permutations

from features.history import FEMALE, MALE, UNKNOWN
from features.sources.fhir import read_fhir
from features.visits import check

ONE, TWO = "http://one.example/fhir", "http://two.example/fhir"


def test_full_urls_and_versions_lead_to_the_same_patient(written, observation, patient):
    entries = [
        {"fullUrl": "urn:uuid:0c3151bd", "resource": patient},
        {"resource": observation(subject="urn:uuid:0c3151bd")},
        {"resource": observation("718-7", 12, "g/dL", subject="https://h.example/Patient/p1")},
        {"resource": observation("2160-0", 1, "mg/dL", subject="Patient/p1/_history/3")},
    ]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    assert read_fhir(written(json.dumps(bundle), "b.json")).subject_ids == ("p1",)


def test_two_servers_people_of_one_id_are_two_named_by_their_full_urls(
    read_entries, observation, patient, entry, people
):
    rows = read_entries(
        entry(f"{ONE}/Patient/p1", patient),
        entry(f"{TWO}/Patient/p1", {**patient, "gender": "male"}),
        entry(f"{ONE}/Observation/1", observation(value=11)),
        entry(f"{TWO}/Observation/1", observation(value=22)),
    )
    assert people(rows) == {
        f"{ONE}/Patient/p1": (FEMALE, 11.0),
        f"{TWO}/Patient/p1": (MALE, 22.0),
    }
    assert not rows.problems


def test_results_of_two_servers_people_of_one_id_are_of_two(
    read_entries, observation, entry, people
):
    rows = read_entries(
        entry(f"{ONE}/Observation/1", observation(value=11)),
        entry("", observation(value=22, subject=f"{TWO}/Patient/p1/_history/3")),
    )
    assert set(people(rows)) == {f"{ONE}/Patient/p1", f"{TWO}/Patient/p1"}


def test_another_server_s_results_leave_the_patient_of_that_id_alone(
    read_entries, observation, patient, entry, people
):
    rows = read_entries(
        entry(f"{ONE}/Patient/p1", patient),
        entry("urn:uuid:0c3151bd", observation(value=11)),
        entry(f"{TWO}/Observation/1", observation(value=22)),
    )
    assert people(rows) == {
        f"{ONE}/Patient/p1": (FEMALE, 11.0),
        f"{TWO}/Patient/p1": (UNKNOWN, 22.0),
    }


def test_people_of_ids_of_their_own_keep_them(read_entries, observation, patient, entry, people):
    rows = read_entries(
        entry(f"{ONE}/Patient/p1", patient),
        entry(f"{TWO}/Patient/p2", {**patient, "id": "p2", "gender": "male"}),
        entry(f"{ONE}/Observation/1", observation(value=11)),
        entry(f"{TWO}/Observation/1", observation(value=22, subject="Patient/p2")),
    )
    assert people(rows) == {"p1": (FEMALE, 11.0), "p2": (MALE, 22.0)}


def test_a_result_that_may_be_of_either_of_two_people_is_refused(
    read_entries, observation, patient, entry
):
    rows = read_entries(
        entry(f"{ONE}/Patient/p1", patient),
        entry(f"{TWO}/Patient/p1", patient),
        entry(f"{ONE}/Observation/1", observation(value=11)),
        entry(f"{TWO}/Observation/1", observation(value=22)),
        entry("", observation("718-7", 12, "g/dL")),
    )
    refused = {rows.subject_ids[who]: why for who, why in check(rows).refusals().items()}
    assert list(refused) == ["p1"]
    assert refused["p1"].startswith("row 5, Observation.subject: may be any of several people")


def test_the_order_of_entries_does_not_change_who_is_who(
    read_entries, observation, patient, entry, people
):
    entries = [
        entry(f"{ONE}/Patient/p1", patient),
        entry(f"{TWO}/Patient/p1", {**patient, "gender": "male"}),
        entry(f"{ONE}/Observation/1", observation(value=11)),
        entry("", observation(value=22, subject=f"{TWO}/Patient/p1")),
    ]
    expected = people(read_entries(*entries))
    for order in permutations(entries):
        assert people(read_entries(*order)) == expected


def test_http_and_https_of_one_server_are_one_and_https_is_shown(
    read_entries, observation, patient, entry, people
):
    secure = ONE.replace("http:", "https:")
    entries = [
        entry(f"{ONE}/Patient/p1", patient),
        entry(f"{secure}/Observation/1", observation(value=11)),
        entry(f"{TWO}/Patient/p1", {**patient, "gender": "male"}),
        entry("", observation(value=22, subject=f"{TWO}/Patient/p1")),
    ]
    assert people(read_entries(*entries[:2])) == {"p1": (FEMALE, 11.0)}
    expected = {f"{secure}/Patient/p1": (FEMALE, 11.0), f"{TWO}/Patient/p1": (MALE, 22.0)}
    for order in permutations(entries):
        assert people(read_entries(*order)) == expected


def test_http_and_https_of_one_observation_are_two_versions_of_it(
    read_entries, observation, patient, entry
):
    rows = read_entries(
        entry(f"{ONE}/Patient/p1", patient),
        entry(f"{ONE}/Observation/1", observation(value=11)),
        entry(f"{ONE}/Observation/1".replace("http:", "https:"), observation(value=12)),
    )
    (refused,) = check(rows).refusals().values()
    assert refused.startswith("row 3, Observation: is another version of an earlier entry")
