"""Files of FHIR: a Bundle, a list, one resource a line; what is none of them is refused."""

import json

import pytest

from features.errors import InputError
from features.sources import read_visits
from features.sources.fhir import read_fhir


def test_bundle_list_and_lines_say_the_same(read, written, observation, patient, values):
    resources = [patient, observation(), observation("718-7", 12.5, "g/dL")]
    lines = "\n".join(json.dumps(resource) for resource in resources)
    bundle = read(*resources)
    for path in (
        written(lines, "a.ndjson"),
        written(json.dumps(resources), "a.json"),
        written("\ufeff" + lines, "export"),
    ):
        rows = read_visits(path)
        assert values(rows) == values(bundle)
        assert rows.row.tolist() == bundle.row.tolist()


def test_a_file_nested_without_end_is_one_line(written):
    with pytest.raises(InputError, match=r"^deep\.json, "):
        read_visits(written("[" * 100_000, "deep.json"))


def test_a_history_is_no_source_of_results(written, patient):
    history = {"resourceType": "Bundle", "type": "history", "entry": [{"resource": patient}]}
    with pytest.raises(InputError, match=r"^b\.json, type: is history"):
        read_fhir(written(json.dumps(history), "b.json"))


def test_bundles_within_bundles_and_one_a_line_are_read(written, observation, patient, values):
    search = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": observation()}]}
    page = {**search, "entry": [{"resource": observation("718-7", 12.5, "g/dL")}]}
    held = [{"resource": each} for each in (patient, search, page)]
    batch = {"resourceType": "Bundle", "type": "batch-response", "entry": held}
    lines = "\n".join(json.dumps(each) for each in (patient, search, page))
    for path in (written(json.dumps(batch), "a.json"), written(lines, "a.ndjson")):
        rows = read_visits(path)
        assert values(rows) == {("m_protein", "g/L"): [24.0], ("hemoglobin", "g/dL"): [12.5]}
        # Of the entry or line that holds the search, which is where a person looks.
        assert rows.row.tolist() == [2, 3]
        assert not rows.notes


def test_bundles_nested_deeply_are_read(written, observation, patient):
    deep = {"resourceType": "Bundle", "entry": [{"resource": patient}, {"resource": observation()}]}
    for _ in range(150):
        deep = {"resourceType": "Bundle", "entry": [{"resource": deep}]}
    assert read_visits(written(json.dumps(deep), "deep.json")).subject_ids == ("p1",)


def test_what_a_source_says_is_missing_is_a_note(written, observation, patient):
    outcome = {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": "warning", "code": "incomplete"}],
    }
    held = [{"resource": each} for each in (patient, observation(), outcome, outcome)]
    bundle = {"resourceType": "Bundle", "link": [{"relation": "next"}], "entry": held}
    notes = read_visits(written(json.dumps(bundle), "page.json")).notes
    assert notes == (
        "link: a next page was not read; results may be missing",
        "row 3: the server tells of a problem; results may be missing (2 times)",
    )
