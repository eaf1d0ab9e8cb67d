"""FHIR R4: what an Observation says becomes a value, what it withholds or withdraws does not."""

import copy
import json
from itertools import permutations

import numpy as np
import pytest

from features.errors import InputError
from features.history import FEMALE, MALE, UNKNOWN
from features.sources import read_visits
from features.sources.fhir import read_fhir
from features.visits import check

PATIENT = {"resourceType": "Patient", "id": "p1", "gender": "female", "birthDate": "1955-03-10"}


def loinc(code):
    return {"coding": [{"system": "http://loinc.org", "code": code}]}


def quantity(value, unit, **more):
    return {"value": value, "system": "http://unitsofmeasure.org", "code": unit, **more}


def observation(code="33358-3", value=24, unit="g/L", subject="Patient/p1", **more):
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": loinc(code),
        "subject": {"reference": subject},
        "effectiveDateTime": "2024-01-05T23:30:00-05:00",
        "valueQuantity": quantity(value, unit),
        **more,
    }


@pytest.fixture
def read(written):
    def read(*resources, **options):
        entries = [{"resource": resource} for resource in resources]
        bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
        return read_fhir(written(json.dumps(bundle), "bundle.json"), **options)

    return read


def values(rows):
    return {(c.analyte, c.unit): c.value.tolist() for c in rows.columns}


def test_an_observation_is_a_value_on_its_local_day(read):
    rows = read(PATIENT, observation())
    assert rows.subject_ids == ("p1",)
    assert values(rows) == {("m_protein", "g/L"): [24.0]}
    # The day of the laboratory, 2024-01-05 (day 19727), not the sixth of universal time.
    assert rows.time_years.tolist() == [19_727 / 365.25]
    assert rows.row.tolist() == [2]
    assert rows.sex.tolist() == [FEMALE]
    # From 1955-03-10 to 2024-01-05 are 25138 days.
    assert rows.age_years.tolist() == [25_138 / 365.25]
    assert not rows.problems


@pytest.mark.parametrize(
    ("birth", "days"),
    # A year alone stands for its middle (1 July), a month for its fifteenth.
    [("1955", 25_025), ("1955-03", 25_133)],
)
def test_a_partial_day_of_birth_gives_an_age(read, birth, days):
    rows = read({**PATIENT, "birthDate": birth}, observation())
    assert rows.age_years.tolist() == [days / 365.25]


def test_bundle_list_and_lines_say_the_same(read, written):
    resources = [PATIENT, observation(), observation("718-7", 12.5, "g/dL")]
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


def test_full_urls_and_versions_lead_to_the_same_patient(written):
    entries = [
        {"fullUrl": "urn:uuid:0c3151bd", "resource": PATIENT},
        {"resource": observation(subject="urn:uuid:0c3151bd")},
        {"resource": observation("718-7", 12, "g/dL", subject="https://h.example/Patient/p1")},
        {"resource": observation("2160-0", 1, "mg/dL", subject="Patient/p1/_history/3")},
    ]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    assert read_fhir(written(json.dumps(bundle), "b.json")).subject_ids == ("p1",)


@pytest.mark.parametrize("status", ["registered", "cancelled", "entered-in-error", "unknown"])
def test_results_withdrawn_or_not_there_are_counted_and_not_used(read, status):
    rows = read(PATIENT, observation(), observation("718-7", 12, "g/dL", status=status))
    assert set(values(rows)) == {("m_protein", "g/L")}
    assert rows.notes == (f"Observations with status {status} are not used: 1",)


@pytest.mark.parametrize("status", ["final", "amended", "corrected"])
def test_final_results_are_used_without_a_word(read, status):
    assert not read(PATIENT, observation(status=status)).problems


def test_a_preliminary_result_is_used_and_wants_confirming(read):
    rows = read(PATIENT, observation(status="preliminary"))
    assert values(rows) == {("m_protein", "g/L"): [24.0]}
    assert [(p.severity, p.expected) for p in rows.problems] == [
        ("doubted", "is preliminary; confirm it")
    ]


def test_an_absent_value_is_counted_and_not_used(read):
    absent = observation("718-7", dataAbsentReason={"text": "specimen lost"})
    del absent["valueQuantity"]
    rows = read(PATIENT, observation(), absent)
    assert rows.notes == ("values reported as absent are not used: 1",)
    assert not rows.problems


@pytest.mark.parametrize("comparator", ["<", "<=", ">=", ">"])
def test_a_comparator_makes_a_bound_that_is_left_out_and_named(read, comparator):
    bound = observation("33944-0", valueQuantity=quantity(1.3, "mg/L", comparator=comparator))
    rows = read(PATIENT, observation(), bound)
    assert set(values(rows)) == {("m_protein", "g/L")}
    assert [(p.row, p.field, p.severity) for p in rows.problems] == [
        (3, "lambda_flc.comparator", "doubted")
    ]


def test_components_are_values_of_their_own(read):
    panel = observation("24321-2", component=[])
    del panel["valueQuantity"]
    panel["component"] = [
        {"code": loinc("2160-0"), "valueQuantity": quantity(88, "umol/L")},
        {"code": loinc("17861-6"), "valueQuantity": quantity(9.5, "mg/dL")},
        {"code": loinc("2951-2"), "valueQuantity": quantity(140, "mmol/L")},
    ]
    rows = read(PATIENT, panel)
    assert values(rows) == {("creatinine", "umol/L"): [88.0], ("calcium", "mg/dL"): [9.5]}
    assert rows.row.tolist() == [2, 2]


def test_a_code_of_the_site_is_read_through_its_file(read, written):
    codes = written("code,analyte\nLAB-17,m_protein\n", "codes.csv")
    local = observation(code="x")
    local["code"] = {"coding": [{"system": "http://h.example/lab", "code": "LAB-17"}]}
    assert values(read(PATIENT, local, codes=codes)) == {("m_protein", "g/L"): [24.0]}


def test_without_its_file_a_code_of_the_site_is_no_test(read):
    local = observation()
    local["code"] = {"coding": [{"system": "http://h.example/lab", "code": "33358-3"}]}
    rows = read(PATIENT, local)
    assert not rows.columns
    assert rows.notes == ("values of tests outside the catalogue are not used: 1",)


def test_the_unit_is_that_of_the_message_never_that_of_the_code(read):
    # 14682-9 is molar creatinine, 2160-0 mass: both are converted from what is written.
    rows = read(PATIENT, observation("14682-9", 0.9, "mg/dL"))
    assert check(rows).history.labs["creatinine"].tolist() == [0.9]


def test_a_flag_may_be_a_boolean(read, written):
    codes = written("code,analyte\nFISH1,fish_del_17p\n", "codes.csv")
    flag = observation("FISH1", valueBoolean=True)
    del flag["valueQuantity"]
    assert values(read(PATIENT, observation(), flag, codes=codes))["fish_del_17p", "1"] == [1.0]


def test_a_patient_without_a_usable_observation_is_named(read):
    visits = check(read({**PATIENT, "id": "p2"}, observation()))
    assert [str(f) for f in visits.findings] == [
        "row 1, Patient: has no Observation that can be used"
    ]


def test_another_gender_is_unknown_sex(read):
    assert read({**PATIENT, "gender": "other"}, observation()).sex.tolist() == [UNKNOWN]


def test_an_observation_that_is_not_r4_refuses_its_subject_alone(read):
    wrong = copy.deepcopy(observation(subject="Patient/p9"))
    wrong["valueQuantity"]["value"] = "Zebra"
    visits = check(read(PATIENT, observation(), wrong))
    assert visits.refusals() == {
        1: "row 3, Observation: valueQuantity.value is not as FHIR R4 defines it"
    }
    assert np.unique(visits.history.subject).tolist() == [0]


def test_a_fault_in_another_test_refuses_nobody(read):
    other = observation("2951-2", 140, "mmol/L", triggeredBy=[])
    rows = read(PATIENT, observation(), other)
    assert rows.notes == ("values of tests outside the catalogue are not used: 1",)
    assert not rows.problems


def test_a_patient_that_is_not_r4_is_refused_alone(read):
    wrong = {**PATIENT, "id": "p2", "birthDate": "Zebra"}
    rows = read(wrong, PATIENT, observation(), observation(subject="Patient/p2"))
    visits = check(rows)
    refused = {rows.subject_ids[subject]: reason for subject, reason in visits.refusals().items()}
    assert refused == {"p2": "row 1, Patient: birthDate is not as FHIR R4 defines it"}
    assert visits.history.visits == 1


def test_a_file_nested_without_end_is_one_line(written):
    with pytest.raises(InputError, match=r"^deep\.json, "):
        read_visits(written("[" * 100_000, "deep.json"))


def test_an_observation_whose_code_is_null_refuses_its_subject(read):
    rows = read(PATIENT, observation(), observation() | {"code": None})
    (reason,) = check(rows).refusals().values()
    assert reason == "row 3, Observation.code: is missing; FHIR R4 asks for one"


def test_an_observation_without_a_subject_is_nobodys(read):
    nameless = observation("718-7", 12, "g/dL")
    del nameless["subject"]
    rows = read(PATIENT, observation(), nameless)
    assert rows.subject_ids == ("p1", "")
    assert check(rows).refusals() == {1: "row 3, subject_id: is empty; every row names its subject"}


def test_of_two_results_on_one_day_the_later_sample_counts(read):
    rows = read(
        PATIENT,
        observation(value=24, effectiveDateTime="2024-01-05T18:00:00Z"),
        # Written earlier by the clock on the wall, and later in time.
        observation(value=26, effectiveDateTime="2024-01-05T14:00:00-08:00"),
    )
    assert values(rows) == {("m_protein", "g/L"): [26.0]}
    (problem,) = rows.problems
    assert (problem.severity, problem.row) == ("doubted", 2)
    assert "measured again later that day" in problem.expected


def test_two_results_of_a_day_without_a_time_stay_a_contradiction(read):
    rows = read(
        PATIENT,
        observation(value=24, effectiveDateTime="2024-01-05"),
        observation(value=26, effectiveDateTime="2024-01-05"),
    )
    assert values(rows) == {("m_protein", "g/L"): [24.0, 26.0]}


def test_a_panel_or_report_gives_its_day_to_results_without_one(read):
    panel = {
        "resourceType": "Observation",
        "status": "final",
        "code": loinc("58410-2"),
        "effectiveDateTime": "2024-02-01T08:00:00Z",
        "hasMember": [{"reference": "Observation/hb"}],
    }
    report = {
        "resourceType": "DiagnosticReport",
        "effectiveDateTime": "2024-03-01",
        "result": [{"reference": "Observation/m"}, {"reference": "Observation/own"}],
    }
    hb, m, own = (
        observation("718-7", 12, "g/dL", id="hb"),
        observation(id="m"),
        observation(id="own"),
    )
    del hb["effectiveDateTime"], m["effectiveDateTime"]
    rows = read(PATIENT, panel, report, hb, m, own)
    # 2024-02-01 is day 19754, 2024-03-01 day 19783; `own` keeps its own, 2024-01-05.
    days = (rows.time_years * 365.25).round().tolist()
    assert sorted(days) == [19_727, 19_754, 19_783]
    assert not [p for p in rows.problems if p.severity == "refused"]


ONE, TWO = "http://one.example/fhir", "http://two.example/fhir"


def entry(url, resource):
    return {"fullUrl": url, "resource": resource} if url else {"resource": resource}


@pytest.fixture
def read_entries(written):
    def read(*entries):
        bundle = {"resourceType": "Bundle", "type": "collection", "entry": list(entries)}
        return read_fhir(written(json.dumps(bundle), "bundle.json"))

    return read


def people(rows):
    """Sex and M-protein by subject."""
    (column,) = rows.columns
    whose = rows.subject[column.visit].tolist()
    values = zip(whose, column.value.tolist(), strict=True)
    return {rows.subject_ids[who]: (rows.sex[who], value) for who, value in values}


def test_two_servers_people_of_one_id_are_two_named_by_their_full_urls(read_entries):
    rows = read_entries(
        entry(f"{ONE}/Patient/p1", PATIENT),
        entry(f"{TWO}/Patient/p1", {**PATIENT, "gender": "male"}),
        entry(f"{ONE}/Observation/1", observation(value=11)),
        entry(f"{TWO}/Observation/1", observation(value=22)),
    )
    assert people(rows) == {
        f"{ONE}/Patient/p1": (FEMALE, 11.0),
        f"{TWO}/Patient/p1": (MALE, 22.0),
    }
    assert not rows.problems


def test_results_of_two_servers_people_of_one_id_are_of_two(read_entries):
    rows = read_entries(
        entry(f"{ONE}/Observation/1", observation(value=11)),
        entry("", observation(value=22, subject=f"{TWO}/Patient/p1/_history/3")),
    )
    assert set(people(rows)) == {f"{ONE}/Patient/p1", f"{TWO}/Patient/p1"}


def test_another_server_s_results_leave_the_patient_of_that_id_alone(read_entries):
    rows = read_entries(
        entry(f"{ONE}/Patient/p1", PATIENT),
        entry("urn:uuid:0c3151bd", observation(value=11)),
        entry(f"{TWO}/Observation/1", observation(value=22)),
    )
    assert people(rows) == {
        f"{ONE}/Patient/p1": (FEMALE, 11.0),
        f"{TWO}/Patient/p1": (UNKNOWN, 22.0),
    }


def test_people_of_ids_of_their_own_keep_them(read_entries):
    rows = read_entries(
        entry(f"{ONE}/Patient/p1", PATIENT),
        entry(f"{TWO}/Patient/p2", {**PATIENT, "id": "p2", "gender": "male"}),
        entry(f"{ONE}/Observation/1", observation(value=11)),
        entry(f"{TWO}/Observation/1", observation(value=22, subject="Patient/p2")),
    )
    assert people(rows) == {"p1": (FEMALE, 11.0), "p2": (MALE, 22.0)}


def test_a_result_that_may_be_of_either_of_two_people_is_refused(read_entries):
    rows = read_entries(
        entry(f"{ONE}/Patient/p1", PATIENT),
        entry(f"{TWO}/Patient/p1", PATIENT),
        entry(f"{ONE}/Observation/1", observation(value=11)),
        entry(f"{TWO}/Observation/1", observation(value=22)),
        entry("", observation("718-7", 12, "g/dL")),
    )
    refused = {rows.subject_ids[who]: why for who, why in check(rows).refusals().items()}
    assert list(refused) == ["p1"]
    assert refused["p1"].startswith("row 5, Observation.subject: may be any of several people")


def test_two_patients_of_one_id_without_full_urls_are_refused_by_their_row(written):
    other = {**PATIENT, "birthDate": "1931-01-01"}
    lines = [PATIENT, observation(), {**PATIENT, "id": "p2"}, observation(subject="Patient/p2")]
    text = "\n".join(json.dumps(each) for each in [*lines, PATIENT, other])
    rows = read_fhir(written(text, "a.ndjson"))
    refused = {rows.subject_ids[who]: why for who, why in check(rows).refusals().items()}
    # The Patient of row 5 is that of row 1 once more.
    assert list(refused) == ["p1"]
    assert refused["p1"].startswith("row 6, Patient: differs from an earlier Patient of its id")


def test_a_contained_patient_is_nobody_outside_its_observation(read):
    inside = observation(subject="#p1", contained=[{"resourceType": "Patient", "id": "p1"}])
    rows = read(PATIENT, observation(), inside)
    assert check(rows).refusals() == {1: "row 3, subject_id: is empty; every row names its subject"}


def test_a_panel_of_another_server_gives_no_day(read_entries):
    panel = {
        "resourceType": "Observation",
        "status": "final",
        "code": loinc("58410-2"),
        "effectiveDateTime": "2024-02-01",
        "hasMember": [{"reference": "Observation/m"}],
    }
    ours, theirs = observation(id="m"), observation("718-7", 12, "g/dL", id="m")
    del ours["effectiveDateTime"], theirs["effectiveDateTime"]
    rows = read_entries(
        entry(f"{ONE}/Observation/panel", panel),
        entry(f"{ONE}/Observation/m", ours),
        entry(f"{TWO}/Observation/m", {**theirs, "subject": {"reference": "Patient/p2"}}),
    )
    (refused,) = check(rows).refusals().values()
    assert refused.startswith("row 3, date")


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
def test_the_unit_is_ucum_s_code_else_what_people_read(read, given, unit):
    rows = read(PATIENT, observation(valueQuantity={"value": 2.5, **given}))
    assert values(rows) == {("m_protein", unit): [2.5]}


def test_a_code_of_two_tests_is_left_out_and_named(read):
    # Kappa and lambda share their unit: the value could be of either.
    both = observation(value=30, unit="mg/L")
    both["code"]["coding"] = [*loinc("36916-5")["coding"], *loinc("33944-0")["coding"]]
    rows = read(PATIENT, observation(), both)
    assert set(values(rows)) == {("m_protein", "g/L")}
    assert [(p.row, p.field, p.severity) for p in rows.problems] == [
        (3, "Observation.code", "doubted")
    ]


def test_two_codes_of_one_test_are_one_test(read):
    both = observation("2160-0", 1.0, "mg/dL")
    both["code"]["coding"] += loinc("14682-9")["coding"]
    assert values(read(PATIENT, both)) == {("creatinine", "mg/dL"): [1.0]}


def test_a_boolean_is_no_number_of_a_laboratory(read):
    ratio = observation("48378-4", valueBoolean=True)
    del ratio["valueQuantity"]
    rows = read(PATIENT, observation(), ratio)
    assert set(values(rows)) == {("m_protein", "g/L")}
    assert [(p.row, p.severity) for p in rows.problems] == [(3, "doubted")]


def test_a_component_that_is_modified_takes_its_observation_with_it(read):
    panel = observation(component=[])
    panel["component"] = [
        {
            "code": loinc("2160-0"),
            "valueQuantity": quantity(1, "mg/dL"),
            "modifierExtension": [{"url": "urn:x", "valueBoolean": True}],
        }
    ]
    rows = read(PATIENT, observation("718-7", 12, "g/dL"), panel)
    assert set(values(rows)) == {("hemoglobin", "g/dL")}
    assert rows.notes == ("Observations with a modifierExtension are not used: 1",)


def test_a_patient_who_is_modified_is_refused(read):
    rows = read({**PATIENT, "modifierExtension": [{"url": "urn:x", "valueCode": "y"}]})
    assert next(iter(check(rows).refusals().values())).startswith("row 1, Patient: has a modifier")


def test_a_history_is_no_source_of_results(written):
    history = {"resourceType": "Bundle", "type": "history", "entry": [{"resource": PATIENT}]}
    with pytest.raises(InputError, match=r"^b\.json, type: is history"):
        read_fhir(written(json.dumps(history), "b.json"))


def test_a_result_withdrawn_in_a_later_version_is_never_used_in_an_earlier_one(read_entries):
    withdrawn = observation(value=11, status="entered-in-error", meta={"versionId": "2"})
    rows = read_entries(
        entry(f"{ONE}/Observation/1", observation(value=11, meta={"versionId": "1"})),
        entry(f"{ONE}/Observation/1", withdrawn),
    )
    (refused,) = check(rows).refusals().values()
    assert refused.startswith("row 2, Observation: is another version of an earlier entry")


def test_an_entry_given_twice_is_one_version(read_entries):
    twice = entry(f"{ONE}/Observation/1", observation())
    assert not check(read_entries(twice, twice)).refusals()


def test_the_order_of_entries_does_not_change_who_is_who(read_entries):
    entries = [
        entry(f"{ONE}/Patient/p1", PATIENT),
        entry(f"{TWO}/Patient/p1", {**PATIENT, "gender": "male"}),
        entry(f"{ONE}/Observation/1", observation(value=11)),
        entry("", observation(value=22, subject=f"{TWO}/Patient/p1")),
    ]
    expected = people(read_entries(*entries))
    for order in permutations(entries):
        assert people(read_entries(*order)) == expected
