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


def test_a_boolean_is_no_number_of_a_laboratory(read, observation, patient, values):
    ratio = observation("48378-4", valueBoolean=True)
    del ratio["valueQuantity"]
    rows = read(patient, observation(), ratio)
    assert set(values(rows)) == {("m_protein", "g/L")}
    assert [(p.row, p.severity) for p in rows.problems] == [(3, "doubted")]


@pytest.mark.parametrize(
    ("code", "given", "unit"),
    [
        ("33358-3", "g/dl", "g/dL"),
        ("33358-3", "g/dL{electrophoresis}", "g/dL"),
        ("36916-5", "mg/l", "mg/L"),
        ("2160-0", "µmol/l", "umol/L"),
        ("1952-1", "mcg/mL", "ug/mL"),
        ("1952-1", "ug/ml", "ug/mL"),
        ("2532-0", "[IU]/L", "U/L"),
        ("2532-0", "IU/l", "U/L"),
        ("42482-0", "mg/24hr", "mg/d"),
        ("11118-7", "%{cells}", "%"),
        ("48378-4", "{ratio}", "1"),
        ("48378-4", "ratio", "1"),
        ("48378-4", "mg/mg", "1"),
    ],
)
def test_a_unit_is_read_in_every_way_of_writing_it(
    read, observation, patient, values, code, given, unit
):
    ((_, read_as),) = values(read(patient, observation(code, 30, given)))
    assert read_as == unit


@pytest.mark.parametrize(
    ("code", "given"),
    [
        # UCUM's case counts, a gram-metre is no gram, a 24th of a milligram times an hour no day's.
        ("33358-3", "G/DL"),
        ("33358-3", "gm/dL"),
        ("42482-0", "mg/24.h"),
        ("42482-0", "mg/{24.h}"),
        ("36916-5", "mol/l"),
        ("11118-7", "{cells}"),
        ("11118-7", "ratio"),
    ],
)
def test_a_unit_that_could_be_another_is_refused(read, observation, patient, code, given):
    (reason,) = check(read(patient, observation(code, 30, given))).refusals().values()
    assert "unit" in reason


def test_a_unit_and_a_code_that_are_two_units_are_refused(read, observation, quantity, patient):
    # 2.4 g/dL is high, 2.4 g/L is nearly nothing: nobody can tell which was meant.
    rows = read(patient, observation(valueQuantity=quantity(2.4, "g/L") | {"unit": "g/dL"}))
    (reason,) = check(rows).refusals().values()
    assert reason == (
        "row 2, m_protein.unit: is another unit than its code says; which one is meant?"
    )
    same = quantity(300, "mg/(24.h)") | {"unit": "mg/24 h"}
    assert not check(read(patient, observation("42482-0", valueQuantity=same))).refusals()


def test_a_code_of_ucum_by_its_oid_is_ucum_s(read, observation, patient, values):
    given = {"value": 24, "unit": "gram", "code": "g/L", "system": "urn:oid:2.16.840.1.113883.6.8"}
    assert values(read(patient, observation(valueQuantity=given))) == {("m_protein", "g/L"): [24.0]}


FORMS = [
    {"valueString": "2.4 g/dL"},
    {"valueCodeableConcept": {"text": "not detected"}},
    {"valueInteger": 24},
    {"valueRange": {"low": {"value": 10}, "high": {"value": 20}}},
    {"valueRatio": {"numerator": {"value": 27}, "denominator": {"value": 1}}},
    {"valueSampledData": {"origin": {"value": 0}, "period": 1, "dimensions": 1, "data": "1 2"}},
    {"interpretation": [{"text": "high"}]},
    {},
]


@pytest.mark.parametrize("form", FORMS)
def test_a_value_in_another_form_is_left_out_and_named(read, observation, patient, form):
    given = {**observation(), **form}
    del given["valueQuantity"]
    rows = read(patient, observation("718-7", 12, "g/dL"), given)
    assert [(p.row, p.field, p.severity) for p in rows.problems] == [
        (3, "m_protein.value", "doubted")
    ]


@pytest.mark.parametrize("form", FORMS[:6])
def test_a_value_in_another_form_beside_components_is_named_too(read, observation, patient, form):
    given = {
        **observation(),
        **form,
        "component": [{"code": {"text": "chain"}, "valueString": "κ"}],
    }
    del given["valueQuantity"]
    rows = read(patient, observation("718-7", 12, "g/dL"), given)
    assert [p.field for p in rows.problems] == ["m_protein.value"]


def test_a_value_beside_a_reason_for_its_absence_is_left_out_and_named(read, observation, patient):
    both = observation(dataAbsentReason={"text": "specimen lost"})
    rows = read(patient, observation("718-7", 12, "g/dL"), both)
    assert [(p.row, p.field, p.severity) for p in rows.problems] == [
        (3, "m_protein.dataAbsentReason", "doubted")
    ]
    assert len(rows.columns) == 1
