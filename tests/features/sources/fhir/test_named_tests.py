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
    assert rows.notes == (
        "values of tests outside the catalogue are not used: 1 (code 33358-3: 1)",
    )


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


def test_other_tests_are_told_by_their_most_frequent_codes(read, observation, patient):
    # LDH by another code than the catalogue's, and what a hospital measures every day.
    times = {"14804-9": 1, "2951-2": 4, "2823-3": 3, "2075-0": 2, "1963-8": 2, "2345-7": 2}
    others = [observation(code) for code, n in times.items() for _ in range(n)]
    (note,) = read(patient, observation(), *others).notes
    assert note == (
        "values of tests outside the catalogue are not used: 14 (LOINC 2951-2: 4, LOINC 2823-3: 3, "
        "LOINC 2075-0: 2, LOINC 1963-8: 2, LOINC 2345-7: 2, others)"
    )
    (note,) = read(patient, observation(), *others[:1]).notes
    assert note.endswith(" are not used: 1 (LOINC 14804-9: 1)")


@pytest.mark.parametrize(
    ("codings", "told"),
    [
        (
            [
                {"system": "http://h.example/lab", "code": "LDH"},
                {"system": "http://loinc.org", "code": "14804-9", "display": "LDH of Zebra"},
            ],
            " (LOINC 14804-9: 1)",
        ),
        ([{"system": "http://snomed.info/sct", "code": "11274001"}], " (SNOMED CT 11274001: 1)"),
        ([{"system": "http://zebra.example", "code": "LDH", "display": "Zebra"}], " (code LDH: 1)"),
        # What is longer than a code or has a space may be text about a person.
        ([{"system": "http://h.example/lab", "code": "LDH of Zebra"}], ""),
        ([{"system": "http://h.example/lab", "code": "Z" * 25}], ""),
        ([{"code": "<b>"}], ""),
        ([{"display": "Zebra"}], ""),
        ([{"code": None, "display": "Zebra"}], ""),
        ([], ""),
    ],
)
@pytest.mark.parametrize("in_a_panel", [False, True])
def test_of_another_test_nothing_is_told_but_its_code(
    read, observation, patient, loinc, codings, told, in_a_panel
):
    code = {"coding": codings, "text": "Zebra"}
    other = observation() | {"code": code}
    if in_a_panel:
        # Read as a whole, since one of its components is of the catalogue.
        component = {"code": code, "valueQuantity": other["valueQuantity"]}
        other = observation(component=[component])
    notes = read(patient, observation(), other).notes
    assert notes == (f"values of tests outside the catalogue are not used: 1{told}",)
