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
