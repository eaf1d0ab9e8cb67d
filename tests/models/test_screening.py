"""The ranked list: order, counts and expected events, by hand on a handful of people."""

import dataclasses

import numpy as np
import pytest

from models.catalogue import PUBLISHED
from models.screening import expected_yield, ranked, screen
from models.trial import load_trial

NAN = float("nan")


@pytest.fixture
def history(landmarks):
    # Three eligible for DETER-SMM with rising M-protein, one without M-protein, one MGUS.
    return landmarks(
        heavy_chain="IgG",
        age=60.0,
        m_protein=[2.1, 2.9, 2.5, NAN, 0.5],
        bmpc=[25.0, 25.0, 25.0, 25.0, 5.0],
        flc_ratio_involved=[30.0, 30.0, 30.0, 10.0, 2.0],
        creatinine=0.9,
        hemoglobin=13.0,
    ).history


def test_the_list_is_ranked_by_eligibility_and_then_by_risk(history):
    table = screen(history, "DETER-SMM").table()
    assert table["subject_id"].tolist() == ["1", "2", "0", "3", "4"]
    assert table["rank"].tolist() == [1, 2, 3, 4, 5]
    assert table["eligibility"].tolist() == ["eligible"] * 3 + ["unknown", "excluded"]
    eligible = table["pangea-smm.risk_2y"][:3]
    assert eligible.is_monotonic_decreasing
    assert table["reason"][3].startswith("unknown until: m_protein")
    assert table["stage"].tolist() == ["SMM", "SMM", "SMM", "SMM", "MGUS"]


def test_counts_and_reasons_add_up_to_everyone(history):
    found = screen(history, "DETER-SMM")
    assert found.counts() == {"eligible": 3, "unknown": 1, "excluded": 1}
    assert sum(found.excluded_by().values()) == 2


def test_expected_events_are_the_mean_risk_of_the_eligible(history):
    # 20/2/20: all three eligible are high, 44.2 % at two years: 44.2 events per 100.
    found = screen(history, "DETER-SMM", model=PUBLISHED["20-2-20"])
    expected = found.expected_events_per_100()
    assert expected["events"] == pytest.approx(44.2)
    assert (expected["subjects"], expected["without_risk"]) == (3, 0)


def test_eligible_people_without_a_risk_are_counted_and_not_averaged(history):
    labs = {**history.labs, "creatinine": np.array([0.9, NAN, 0.9, 0.9, 0.9])}
    found = screen(dataclasses.replace(history, labs=labs), load_trial("DETER-SMM"))
    expected = found.expected_events_per_100()
    assert (expected["subjects"], expected["without_risk"]) == (2, 1)
    assert expected["events"] == pytest.approx(100 * found.risk[[0, 2]].mean())
    # A range still ranks by its middle.
    assert set(found.order()[:3].tolist()) == {0, 1, 2}


def test_a_model_without_a_two_year_risk_ranks_nobody(history):
    found = screen(history, "DETER-SMM", model=PUBLISHED["mayo-2008"])
    assert np.isnan(found.risk).all()
    assert np.isnan(found.expected_events_per_100()["events"])
    assert found.order().tolist() == [0, 1, 2, 3, 4]


def test_subjects_are_judged_at_their_last_visit(landmarks, history):
    earlier = dataclasses.replace(
        history,
        subject_ids=("A",),
        subject=np.zeros(5, dtype=np.int64),
        time_years=np.arange(5) / 4,
        sex=history.sex[:1],
        heavy_chain=history.heavy_chain[:1],
        light_chain=history.light_chain[:1],
        diagnosis_years=np.zeros(1),
    )
    found = screen(earlier, "DETER-SMM")
    assert found.subject_ids == ("A",)
    assert found.eligibility.status_at(0) == "excluded"


def test_the_yield_curve_rises_ever_more_slowly_to_the_sum_of_all_risks():
    risk = np.random.default_rng(1).random(200)
    found = expected_yield(risk, risk / 2, np.minimum(2 * risk, 1))
    steps = np.diff(found.events, prepend=0)
    assert (steps >= 0).all()
    assert (np.diff(steps) <= 1e-12).all()
    assert found.events[-1] == pytest.approx(risk.sum())
    assert found.unranked[-1] == pytest.approx(risk.sum())
    assert (found.events >= found.unranked - 1e-9).all()
    assert (found.lower <= found.events).all() and (found.events <= found.upper).all()


def test_the_fewest_subjects_for_so_many_events():
    # 0.5, 0.3, 0.2 in order: 0.5, 0.8, 1.0 events.
    risk = np.array([0.2, NAN, 0.5, 0.3])
    found = expected_yield(risk, risk, risk)
    assert [found.needed(events) for events in (0.1, 0.5, 0.6, 1.0, 1.1)] == [1, 1, 2, 3, None]
    assert found.without_risk == 1
    nobody = expected_yield(np.array([NAN]), np.array([NAN]), np.array([NAN]))
    assert nobody.events.size == 0
    assert nobody.needed(1) is None


def test_ranking_by_hand():
    # Unknown eligibility behind eligible whatever the risk; no risk behind any range.
    status = np.array([1, 0, 0, 2])
    order = ranked(status, *np.array([[0.9, NAN, 0.1, 1], [0.9, NAN, 0, 1], [0.9, NAN, 1, 1]]))
    assert order.tolist() == [2, 1, 0, 3]
