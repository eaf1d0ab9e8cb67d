"""Panels and reports of FHIR: the day they give to results without one."""

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
