"""Which test a code of FHIR names, and in which unit its value is."""

import pytest

from features.visits import check


@pytest.mark.parametrize("comparator", ["<", "<=", ">=", ">"])
def test_a_comparator_makes_a_bound_that_is_left_out_and_named(
    read, comparator, observation, quantity, patient, values
):
    bound = observation("33944-0", valueQuantity=quantity(1.3, "mg/L", comparator=comparator))
    rows = read(patient, observation(), bound)
    assert set(values(rows)) == {("m_protein", "g/L")}
    assert [(p.row, p.field, p.severity) for p in rows.problems] == [
        (3, "lambda_flc.comparator", "doubted")
    ]


def test_a_code_of_the_site_is_read_through_its_file(read, written, observation, patient, values):
    codes = written("code,analyte\nLAB-17,m_protein\n", "codes.csv")
    local = observation(code="x")
    local["code"] = {"coding": [{"system": "http://h.example/lab", "code": "LAB-17"}]}
    assert values(read(patient, local, codes=codes)) == {("m_protein", "g/L"): [24.0]}


def test_without_its_file_a_code_of_the_site_is_no_test(read, observation, patient):
    local = observation()
    local["code"] = {"coding": [{"system": "http://h.example/lab", "code": "33358-3"}]}
    rows = read(patient, local)
    assert not rows.columns
    assert rows.notes == ("values of tests outside the catalogue are not used: 1",)


def test_the_unit_is_that_of_the_message_never_that_of_the_code(read, observation, patient):
    # 14682-9 is molar creatinine, 2160-0 mass: both are converted from what is written.
    rows = read(patient, observation("14682-9", 0.9, "mg/dL"))
    assert check(rows).history.labs["creatinine"].tolist() == [0.9]


def test_a_flag_may_be_a_boolean(read, written, observation, patient, values):
    codes = written("code,analyte\nFISH1,fish_del_17p\n", "codes.csv")
    flag = observation("FISH1", valueBoolean=True)
    del flag["valueQuantity"]
    assert values(read(patient, observation(), flag, codes=codes))["fish_del_17p", "1"] == [1.0]


@pytest.mark.parametrize(
    ("given", "unit"),
    [
        ({"system": "http://unitsofmeasure.org", "code": "g/L", "unit": "grams"}, "g/L"),
        ({"code": "g/L"}, "g/L"),
        ({"unit": "g/dL"}, "g/dL"),
        # A code of another system is no unit of UCUM; people read what stands beside it.
        ({"system": "http://snomed.info/sct", "code": "258813002", "unit": "g/L"}, "g/L"),
    ],
)
def test_the_unit_is_ucum_s_code_else_what_people_read(
    read, given, unit, observation, patient, values
):
    rows = read(patient, observation(valueQuantity={"value": 2.5, **given}))
    assert values(rows) == {("m_protein", unit): [2.5]}


def test_a_code_of_two_tests_is_left_out_and_named(read, observation, loinc, patient, values):
    # Kappa and lambda share their unit: the value could be of either.
    both = observation(value=30, unit="mg/L")
    both["code"]["coding"] = [*loinc("36916-5")["coding"], *loinc("33944-0")["coding"]]
    rows = read(patient, observation(), both)
    assert set(values(rows)) == {("m_protein", "g/L")}
    assert [(p.row, p.field, p.severity) for p in rows.problems] == [
        (3, "Observation.code", "doubted")
    ]


def test_two_codes_of_one_test_are_one_test(read, observation, loinc, patient, values):
    both = observation("2160-0", 1.0, "mg/dL")
    both["code"]["coding"] += loinc("14682-9")["coding"]
    assert values(read(patient, both)) == {("creatinine", "mg/dL"): [1.0]}


def test_a_boolean_is_no_number_of_a_laboratory(read, observation, patient, values):
    ratio = observation("48378-4", valueBoolean=True)
    del ratio["valueQuantity"]
    rows = read(patient, observation(), ratio)
    assert set(values(rows)) == {("m_protein", "g/L")}
    assert [(p.row, p.severity) for p in rows.problems] == [(3, "doubted")]
