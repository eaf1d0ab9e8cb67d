from typing import Any

import pytest

from models.completions import NextTest
from serving.web.texts import texts
from serving.web.view import field_label, missing_lines, risk_table, summary

Json = dict[str, Any]
ENGLISH, GERMAN = texts("en"), texts("de")


def entry(model: str, horizon: float, risk: float | None, **more: Any) -> Json:
    row = {"horizon_years": horizon, "risk": risk, "lower": None, "upper": None}
    row |= {name: more.pop(name) for name in ("lower", "upper") if name in more}
    return {
        "model": model,
        "label": model,
        "kind": "published",
        "version": "2020",
        "status": "ok",
        "risks": [row],
        "missing": [],
        "interval": None,
        "provenance": {},
        **more,
    }


def test_a_row_has_a_cell_for_every_horizon_of_the_table() -> None:
    told = [entry("a", 2, 0.442), entry("b", 5, None, lower=0.179, upper=0.442)]
    table = risk_table(told, ENGLISH)
    assert table.horizons == ("2 years", "5 years")
    (a2, a5), (b2, b5) = (row.cells for row in table.rows)
    assert a2 is not None
    assert (a2.risk, a2.interval) == ("44 %", "")
    assert a5 is b2 is None
    assert b5 is not None
    assert (b5.risk, b5.interval) == ("", "(18–44 %)")


def test_a_risk_without_an_interval_says_that_none_is_published() -> None:
    bare = risk_table([entry("a", 2, 0.442)], ENGLISH)
    assert any("publish no interval" in note for note in bare.notes)
    with_ends = entry("b", 2, 0.2, lower=0.1, upper=0.3, interval="confidence interval")
    told = risk_table([with_ends], ENGLISH)
    assert told.notes == (ENGLISH["answer"]["interval"],)


def test_models_for_another_disease_are_named_below_the_table() -> None:
    reason = "for MGUS; staging says SMM"
    refused = {"status": "refused", "risks": [], "reason": reason}
    table = risk_table(
        [entry("20-2-20", 2, 0.4), entry("mayo-2005-mgus", 20, 0.1) | refused], GERMAN
    )
    assert [row.name for row in table.rows] == ["20/2/20"]
    assert table.elsewhere == ("Nicht gefragt: Mayo 2005 (für MGUS; das Stadium ist SMM).",)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"status": "refused", "risks": []}, "cannot answer without Age."),
        ({"status": "ok"}, "answered without Age, which would make it more certain."),
        (
            {"status": "partial", "groups": ["high"]},
            "lacks Age; the answer is the same whatever they show.",
        ),
        (
            {"status": "partial", "groups": ["low", "high"]},
            "lacks Age: until then low / high possible.",
        ),
    ],
)
def test_what_was_missing_says_what_it_would_change(changed: Json, words: str) -> None:
    (line,) = missing_lines([entry("a", 2, 0.4, missing=["age"]) | changed], ENGLISH)
    assert line.words == words


def test_a_range_left_open_is_told_with_its_horizon() -> None:
    told = entry("a", 2, None, lower=0.179, upper=0.442, missing=["bmpc"], status="partial")
    (line,) = missing_lines([told], ENGLISH)
    assert line.words == "lacks Clonal bone-marrow plasma cells: until then 18–44 % within 2 years."


def test_cytogenetic_inputs_are_told_as_the_one_order_they_are() -> None:
    told = entry("a", 2, 0.4, missing=["fish_t_4_14", "fish_gain_1q"], status="refused")
    (line,) = missing_lines([told], ENGLISH)
    assert line.words == "cannot answer without FISH cytogenetics."


def document(stage: str, *, agree: bool = True) -> Json:
    voices = [
        {"model": "a", "lower": 0.16, "upper": 0.16},
        {"model": "b", "lower": 0.2, "upper": 0.9},
        {"model": "c", "lower": 0.5, "upper": 0.5},
    ]
    apart = [] if agree else [["a", "c"]]
    rows = [{"horizon_years": 2.0, "agree": agree, "voices": voices, "apart": apart}]
    reason = "needs bmpc; not looked for: an osteolytic lesion"
    return {"staging": {"stage": stage, "unknown": [], "reason": reason}, "agreement": rows}


def test_the_summary_is_the_range_the_verdict_and_the_next_test() -> None:
    found = summary(document("SMM", agree=False), [NextTest("bmpc", 0.2, ("20-2-20",))], ENGLISH)
    assert found.risk_heading == "Risk of progression within 2 years"
    assert found.risk == "16–90 %"
    assert "do not agree: 1 of 3 pairs" in found.verdict
    assert found.next_test == "Clonal bone-marrow plasma cells"
    assert found.next_why == "It would narrow 20/2/20."
    assert found.open_stage == ""


def test_an_undetermined_stage_says_what_it_waits_for() -> None:
    found = summary(document("undetermined"), [], ENGLISH)
    assert found.open_stage == "needs Clonal bone-marrow plasma cells"
    assert "agree within ten points" in found.verdict


@pytest.mark.parametrize(
    ("field", "label"),
    [
        ("visits[2].labs.hemoglobin.value", "Haemoglobin, Visit 3"),
        ("visits[0].date", "Date, Visit 1"),
        ("subject.age", "Age"),
        ("gate.treated", "Treated for plasma-cell disease already"),
        ("as_of", "Risk asked at"),
        ("units.bmpc", "Clonal bone-marrow plasma cells"),
    ],
)
def test_a_field_has_the_name_that_stands_at_it(field: str, label: str) -> None:
    assert field_label(field, ENGLISH) == label
