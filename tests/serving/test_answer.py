import copy
import json
from datetime import date
from typing import Any

import msgspec
import numpy as np
import pytest

from features.history import History
from features.landmark import LandmarkFeatures
from models.catalogue import PUBLISHED
from serving.answer import Answered, Refused, answer
from serving.lineup import NOTHING_LEARNED
from serving.request import EPOCH, GivenValue, read_risk

Body = dict[str, Any]


def ask(*bodies: Body, today: int, models: list[str] | None = None) -> list[Answered | Refused]:
    requests = [read_risk(body)[0] for body in bodies]
    return answer(requests, NOTHING_LEARNED.choose(models), today=today, cards={})


def told(*bodies: Body, today: int, models: list[str] | None = None) -> Body:
    (one,) = ask(*bodies, today=today, models=models)
    assert isinstance(one, Answered), one
    return one.document


def errors(*bodies: Body, today: int) -> dict[str, str]:
    (one,) = ask(*bodies, today=today)
    assert isinstance(one, Refused)
    return {error.field: error.expected for error in one.errors}


def test_an_answer_is_what_the_library_says_of_the_same_values(body: Body, today: int) -> None:
    days = [date(2025, 3, 4), date(2025, 9, 9)]
    clock = np.array([(day.toordinal() - EPOCH) / 365.25 for day in days])
    nan = np.nan
    history = History(
        subject_ids=("A",),
        subject=np.array([0, 0]),
        time_years=clock,
        labs={
            "m_protein": np.array([2.1, 2.4]),
            "hemoglobin": np.array([13.1, 12.4]),
            "creatinine": np.array([76 / 88.42, 80 / 88.42]),
            "bmpc": np.array([nan, 22.0]),
            "flc_ratio_involved": np.array([nan, 312 / 11.4]),
        },
        age_years=np.array([61 - (clock[1] - clock[0]), 61.0]),
        sex=np.array([0], dtype=np.int8),
        heavy_chain=np.array([0], dtype=np.int8),
        light_chain=np.array([0], dtype=np.int8),
        diagnosis_years=np.array([nan]),
    )
    features = LandmarkFeatures(history, np.array([0]), clock[1:])
    expected = PUBLISHED["pangea-smm"].estimate(features)
    (estimate,) = told(body, today=today, models=["pangea-smm"])["estimates"]
    for column, name in (("risk", "risk"), ("lower", "lower"), ("upper", "upper")):
        got = [row[name] for row in estimate["risks"]]
        np.testing.assert_allclose(got, getattr(expected, column)[0], rtol=0, atol=1e-9)


def test_20_2_20_counts_the_example_as_high(body: Body, today: int) -> None:
    # BMPC 22 > 20, M-protein 24 g/L = 2.4 > 2, ratio 312 / 11.4 = 27.4 > 20: three of three.
    (estimate,) = told(body, today=today, models=["20-2-20"])["estimates"]
    assert (estimate["status"], estimate["group"], estimate["score"]) == ("ok", "high", 3)
    assert [(r["horizon_years"], r["risk"]) for r in estimate["risks"]] == [(2, 0.442), (5, 0.82)]


def test_each_value_is_shown_as_given_and_as_used(body: Body, today: int) -> None:
    inputs = told(body, today=today)["inputs"]
    (protein,) = [i for i in inputs if i.analyte == "m_protein" and i.date == "2025-09-09"]
    assert protein.given == GivenValue(24.0, "g/L")
    assert (protein.used, protein.unit) == (2.4, "g/dL")
    (ratio,) = [i for i in inputs if i.analyte == "flc_ratio_involved"]
    assert ratio.given is None
    assert ratio.used == pytest.approx(312 / 11.4)


def test_the_risk_is_asked_at_the_last_visit_unless_told(body: Body, today: int) -> None:
    assert told(body, today=today)["as_of"] == "2025-09-09"
    assert told(body | {"as_of": "2025-12-24"}, today=today)["as_of"] == "2025-12-24"


def test_visits_after_the_day_asked_about_change_nothing_but_a_warning(
    body: Body, today: int
) -> None:
    early = copy.deepcopy(body) | {"as_of": "2025-03-04"}
    alone = copy.deepcopy(early)
    del alone["visits"][1]
    with_later, without = told(early, today=today), told(alone, today=today)
    assert with_later["estimates"] == without["estimates"]
    assert with_later["staging"] == without["staging"]
    assert [w["field"] for w in with_later["warnings"]] == ["visits[1]"]


def test_the_order_of_visits_does_not_matter(body: Body, today: int) -> None:
    turned = copy.deepcopy(body)
    turned["visits"].reverse()
    assert told(turned, today=today)["estimates"] == told(body, today=today)["estimates"]


def test_a_birth_year_stands_for_an_age(body: Body, today: int) -> None:
    # Born in the middle of 1964, asked on 2025-09-09: 2025.69 - 1964.5 = 61.19 years.
    body["subject"] = {"sex": "female", "birth_year": 1964}
    exact = copy.deepcopy(body)
    exact["subject"] = {"sex": "female", "age": 1970 + 20340 / 365.25 - 1964.5}
    assert (date(2025, 9, 9).toordinal() - EPOCH) == 20340
    got = told(body, today=today, models=["pangea-smm"])["estimates"][0]["risks"]
    expected = told(exact, today=today, models=["pangea-smm"])["estimates"][0]["risks"]
    assert [r["risk"] for r in got] == pytest.approx([r["risk"] for r in expected], abs=1e-12)


def test_a_missing_marker_gives_the_possible_groups_and_their_range(body: Body, today: int) -> None:
    del body["visits"][1]["labs"]["bmpc"]
    del body["visits"][1]["labs"]["kappa_flc"]
    (estimate,) = told(body, today=today, models=["20-2-20"])["estimates"]
    # M-protein counts one; the other two may each add one: intermediate or high.
    assert estimate["status"] == "partial"
    assert estimate["groups"] == ["intermediate", "high"]
    assert "group" not in estimate
    assert estimate["risks"][0] == {
        "horizon_years": 2,
        "risk": None,
        "lower": 0.179,
        "upper": 0.442,
    }
    assert estimate["interval"] == "range over missing markers"
    assert estimate["missing"] == ["bmpc", "flc_ratio_involved"]


def test_a_model_for_another_disease_is_refused_by_the_staging(body: Body, today: int) -> None:
    smm = {e["model"]: e for e in told(body, today=today)["estimates"]}
    assert smm["mgus-m-protein"]["status"] == "refused"
    assert smm["mgus-m-protein"]["reason"] == "for MGUS; staging says SMM"
    assert smm["mgus-m-protein"]["risks"] == smm["mgus-m-protein"]["missing"] == []
    body["visits"][1]["labs"]["bmpc"]["value"] = 5
    mgus = {e["model"]: e for e in told(body, today=today)["estimates"]}
    assert mgus["20-2-20"]["reason"] == "for SMM; staging says MGUS"
    assert mgus["mgus-m-protein"]["status"] == "ok"


def test_a_myeloma_defining_event_refuses_every_model(body: Body, today: int) -> None:
    body["visits"][1]["labs"]["bmpc"]["value"] = 60
    document = told(body, today=today)
    assert document["staging"]["stage"] == "meets a myeloma-defining event"
    assert {e["status"] for e in document["estimates"]} == {"refused"}


def test_organ_damage_to_confirm_refuses_no_model_for_smm(body: Body, today: int) -> None:
    body["visits"][1]["labs"]["hemoglobin"]["value"] = 9.8
    document = told(body, today=today)
    assert document["staging"]["to_confirm"] == ["anemia"]
    assert {e["model"]: e["status"] for e in document["estimates"]}["20-2-20"] == "ok"


def test_agreement_is_told_at_every_horizon_that_two_models_share(body: Body, today: int) -> None:
    document = told(body, today=today, models=["20-2-20", "pangea-smm"])
    assert [row["horizon_years"] for row in document["agreement"]] == [2, 5]
    for row in document["agreement"]:
        assert [voice["model"] for voice in row["voices"]] == ["pangea-smm", "20-2-20"]
        assert not row["agree"]
        assert row["apart"] == (("pangea-smm", "20-2-20"),)


def test_a_model_for_another_disease_has_no_voice(body: Body, today: int) -> None:
    document = told(body, today=today)
    voices = {voice["model"] for row in document["agreement"] for voice in row["voices"]}
    assert "mgus-m-protein" not in voices


def test_an_impossible_value_is_refused_with_its_likely_unit(body: Body, today: int) -> None:
    body["visits"][1]["labs"]["hemoglobin"]["value"] = 124
    assert errors(body, today=today) == {
        "visits[1].labs.hemoglobin.value": (
            "must lie within 3-22 g/dL; it looks like a value in g/L"
        )
    }


def test_an_unusual_value_is_answered_and_flagged(body: Body, today: int) -> None:
    body["visits"][1]["labs"]["bmpc"]["value"] = 61
    document = told(body, today=today)
    assert [w["field"] for w in document["warnings"]] == ["visits[1].labs.bmpc.value"]
    flagged = [i for i in document["inputs"] if i.flag]
    assert [(i.analyte, i.date) for i in flagged] == [("bmpc", "2025-09-09")]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"as_of": "2026-02-01"}, "as_of"),
        ({"as_of": "2025-01-01"}, "as_of"),
        ({"visits": []}, "visits"),
        ({"visits": [{"date": "2025-09-09", "labs": {}}]}, "visits"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_its_field(
    body: Body, today: int, change: Body, field: str
) -> None:
    assert list(errors(body | change, today=today)) == [field]


def test_a_visit_in_the_future_is_refused(body: Body, today: int) -> None:
    body["visits"][1]["date"] = "2026-01-16"
    assert list(errors(body, today=today)) == ["visits[1].date"]


def test_one_day_with_two_values_is_refused_and_with_one_value_twice_is_not(
    body: Body, today: int
) -> None:
    again = copy.deepcopy(body["visits"][1])
    body["visits"].append(again)
    told(body, today=today)
    again["labs"]["m_protein"]["value"] = 25
    assert list(errors(body, today=today)) == ["visits[2].labs.m_protein.value"]


@pytest.mark.parametrize("age", [17, 111])
def test_an_impossible_age_is_named_once(body: Body, today: int, age: float) -> None:
    body["subject"]["age"] = age
    assert list(errors(body, today=today)) == ["subject.age"]


def test_problems_of_shape_unit_and_range_come_together(body: Body, today: int) -> None:
    body["visits"][0]["labs"]["hemoglobin"]["value"] = 131
    body["visits"][1]["labs"]["m_protein"]["unit"] = "g"
    body["visits"][1]["labs"]["bmpc"]["value"] = "22"
    assert set(errors(body, today=today)) == {
        "visits[0].labs.hemoglobin.value",
        "visits[1].labs.m_protein.unit",
        "visits[1].labs.bmpc.value",
    }


def test_a_bad_subject_fails_alone_and_changes_no_neighbour(body: Body, today: int) -> None:
    bad = copy.deepcopy(body)
    bad["visits"][0]["labs"]["m_protein"]["value"] = -1
    other = copy.deepcopy(body)
    other["subject"]["age"] = 70
    first, second, third = ask(body, bad, other, today=today)
    assert isinstance(second, Refused)
    assert isinstance(first, Answered)
    assert isinstance(third, Answered)
    assert first.document == told(body, today=today)
    assert third.document == told(other, today=today)


def test_an_answer_holds_no_nan(body: Body, today: int) -> None:
    json.dumps(msgspec.to_builtins(told(body, today=today)), allow_nan=False)


def test_what_is_sent_is_the_document_to_the_letter(body: Body, today: int) -> None:
    subject, _ = read_risk(body)
    for _turn in range(2):
        # Once when the scores' entries are encoded, once when their text is known.
        (one,) = answer([subject], list(PUBLISHED.values()), today=today, cards={})
        assert isinstance(one, Answered)
        assert msgspec.json.encode(one.to_send()) == msgspec.json.encode(one.document)
    assert any(said.text is not None for said in one.estimates)
    assert any(said.text is None for said in one.estimates)
