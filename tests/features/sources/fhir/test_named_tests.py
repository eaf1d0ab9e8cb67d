"""Which test of the catalogue a code of FHIR names."""

import pytest


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


def coded(observation, *codings):
    pairs = [{"system": system, "code": code} for system, code in codings]
    coding = [{k: v for k, v in pair.items() if v} for pair in pairs]
    return {**observation(), "code": {"coding": coding}}


def test_loinc_by_its_oid_is_loinc(read, observation, patient, values):
    given = coded(observation, ("urn:oid:2.16.840.1.113883.6.1", "33358-3"))
    assert values(read(patient, given)) == {("m_protein", "g/L"): [24.0]}


@pytest.mark.parametrize("system", ["", "https://loinc.org", "http://loinc.org/", "LOINC"])
def test_a_code_of_the_catalogue_without_loinc_s_system_is_left_out_and_named(
    read, observation, patient, values, system
):
    hemoglobin = observation("718-7", 12, "g/dL")
    rows = read(patient, hemoglobin, coded(observation, (system, "33358-3")))
    assert set(values(rows)) == {("hemoglobin", "g/dL")}
    ((row, field, expected),) = [(p.row, p.field, p.expected) for p in rows.problems]
    assert (row, field) == (3, "Observation.code")
    assert "without its system, http://loinc.org" in expected


def test_a_code_of_loinc_s_outside_the_catalogue_beside_one_of_it_wants_confirming(
    read, observation, patient, values
):
    # 1995-0 is ionised calcium, 17861-6 the total.
    loinc = "http://loinc.org"
    calcium = observation("17861-6", 9.5, "mg/dL")
    calcium["code"]["coding"].append({"system": loinc, "code": "1995-0"})
    rows = read(patient, calcium)
    assert values(rows) == {("calcium", "mg/dL"): [9.5]}
    ((severity, expected),) = [(p.severity, p.expected) for p in rows.problems]
    assert (severity, expected.split(";")[0]) == (
        "doubted",
        "has LOINC codes outside the catalogue as well",
    )


def test_a_code_of_the_site_beside_loinc_s_is_no_doubt(read, observation, patient):
    given = coded(observation, ("http://loinc.org", "33358-3"), ("urn:oid:1.2.840", "M-SPIKE"))
    assert not read(patient, given).problems
