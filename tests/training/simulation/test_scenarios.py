"""Scenarios are data, and impossible data is refused by name."""

from datetime import date

import pytest

from features.errors import ColumnError, InputError, ValueRangeError
from training.simulation.law import Scenario
from training.simulation.scenarios import SCENARIOS, scenario_from, scenario_named


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_scenario_of_the_package_is_complete(name):
    scenario = scenario_named(name)
    assert isinstance(scenario, Scenario)
    assert scenario.name == name


def test_a_scenario_changes_what_it_says_and_inherits_the_rest():
    changed = scenario_from("mine", {"extends": "referral", "death": {"scale": 1.0}})
    referral = scenario_named("referral")
    assert changed.death.scale == 1.0
    assert changed.death.male == referral.death.male
    assert changed.hazard == referral.hazard


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"noise": {"m_protein": -0.1}}, "mine.noise.m_protein: expected a number from 0 to 1"),
        ({"noise": {"m_protein": "much"}}, "mine.noise.m_protein: expected a number"),
        ({"noise": {"m_protein": True}}, "mine.noise.m_protein: expected a number"),
        ({"noise": {"m_protein": float("nan")}}, "mine.noise.m_protein: expected a number"),
        ({"noise": 3}, "mine.noise: expected a table"),
        ({"completeness": {"flc": [0.5, 1.5]}}, "mine.completeness.flc: expected a number"),
        ({"completeness": {"flc": [0.5]}}, "mine.completeness.flc: expected 2 numbers"),
        ({"fish": {"shares": {"fish_t_4_14": 2.0}}}, "fish_t_4_14: expected a number from 0 to 1"),
        ({"growth": {"share_slow": 0.9}}, "mine.growth: share_slow and share_evolving exceed 1"),
        ({"population": {"share_iga": 0.9}}, "mine.population: share_igg and share_iga exceed 1"),
        ({"population": {"data_cut": 2024}}, "mine.population.data_cut: expected a date"),
        ({"title": 3}, "mine.title: expected text"),
        ({"centres": []}, "mine.centres: expected shares that add to 1"),
        ({"centres": [{"name": "a", "share": 0.4}]}, "mine.centres: expected shares"),
        (
            {"levels": {"bmpc_percent": [10, 30, 20, 30, 40, 50, 55]}},
            "bmpc_percent: expected ascending numbers",
        ),
        ({"loadings": {"clone_m_protein": 0.99}}, "m_protein: squares may add to 1 at most"),
    ],
)
def test_an_impossible_value_is_refused_by_its_name(changes, message):
    with pytest.raises(ValueRangeError, match=message):
        scenario_from("mine", {"extends": "referral", **changes})


def test_dates_out_of_order_are_refused():
    late = {"population": {"data_cut": date(2010, 1, 1)}}
    with pytest.raises(ValueRangeError, match="first_diagnosis <= last_diagnosis < data_cut"):
        scenario_from("mine", {"extends": "referral", **late})


def test_follow_up_beyond_the_months_modelled_is_refused():
    long = {"population": {"first_diagnosis": date(1990, 1, 1)}}
    with pytest.raises(ValueRangeError, match="follow-up of 22 years at most"):
        scenario_from("mine", {"extends": "referral", **long})


def test_an_unknown_or_missing_key_is_refused_by_its_name():
    with pytest.raises(ColumnError, match=r"mine.noise.m_spike: unknown; expected one of"):
        scenario_from("mine", {"extends": "referral", "noise": {"m_spike": 0.1}})
    with pytest.raises(ColumnError, match=r"mine.title: missing"):
        scenario_from("mine", {})
    with pytest.raises(ColumnError, match=r"mine.fish.shares: expected exactly fish_t_4_14"):
        scenario_from("mine", {"extends": "referral", "fish": {"shares": {"fish_x": 0.1}}})
    with pytest.raises(InputError, match="scenario: expected one of"):
        scenario_from("mine", {"extends": "nowhere"})
