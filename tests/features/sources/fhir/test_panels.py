"""Panels and reports of FHIR: the day they give to results without one."""

import pytest

from features.visits import check

ONE, TWO = "http://one.example/fhir", "http://two.example/fhir"


def test_a_panel_or_report_gives_its_day_to_results_without_one(read, observation, loinc, patient):
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
    rows = read(patient, panel, report, hb, m, own)
    # 2024-02-01 is day 19754, 2024-03-01 day 19783; `own` keeps its own, 2024-01-05.
    days = (rows.time_years * 365.25).round().tolist()
    assert sorted(days) == [19_727, 19_754, 19_783]
    assert not [p for p in rows.problems if p.severity == "refused"]


def test_a_panel_of_another_server_gives_no_day(read_entries, observation, loinc, entry):
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


def report(**more):
    return {
        "resourceType": "DiagnosticReport",
        "status": "final",
        "result": [{"reference": "Observation/m"}],
        **more,
    }


def without_day(observation):
    return {k: v for k, v in observation(id="m").items() if k != "effectiveDateTime"}


@pytest.mark.parametrize(
    "effective",
    [
        {"effectiveDateTime": "2024-02-01T08:00:00Z"},
        {"effectiveInstant": "2024-02-01T08:00:00Z"},
        {"effectivePeriod": {"start": "2024-02-01", "end": "2024-02-02"}},
        {"effectivePeriod": {"end": "2024-02-01"}},
    ],
)
def test_every_form_of_a_report_s_time_gives_a_day(read, observation, patient, effective):
    rows = read(patient, report(**effective), without_day(observation))
    # 2024-02-01 is day 19754.
    assert rows.time_years.tolist() == [19_754 / 365.25]


def test_a_day_that_two_reports_dispute_is_none(read, observation, patient):
    first, second = (report(effectiveDateTime=day) for day in ("2024-02-01", "2024-05-01"))
    rows = read(patient, first, second, without_day(observation))
    (reason,) = check(rows).refusals().values()
    assert reason.startswith("row 4, date")
    assert not check(read(patient, first, first, without_day(observation))).refusals()


@pytest.mark.parametrize("status", ["cancelled", "entered-in-error"])
def test_a_result_of_a_withdrawn_report_wants_confirming_and_gets_no_day(
    read, observation, patient, values, status
):
    withdrawn = report(status=status, effectiveDateTime="2024-02-01")
    rows = read(patient, withdrawn, observation(id="m"))
    assert values(rows) == {("m_protein", "g/L"): [24.0]}
    ((severity, expected),) = [(p.severity, p.expected) for p in rows.problems]
    assert (severity, expected.split(";")[0]) == (
        "doubted",
        "is listed by a report or panel that was withdrawn",
    )
    (reason,) = check(read(patient, withdrawn, without_day(observation))).refusals().values()
    assert reason.startswith("row 3, date")
