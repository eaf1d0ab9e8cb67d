"""Figures of laboratory values on tables small enough to work by hand, and on the simulator."""

import numpy as np
import pandas as pd
import pytest

from training.simulation import simulate_cohort
from training.simulation.clone import Clone
from training.simulation.laboratories import _false_evolving, _share_below, _within_cv
from training.simulation.scenarios import scenario_named


def test_share_below_counts_half_of_those_at_the_value():
    """Of 8, 9, 10, 10 and one unknown: two below 10, two at it: (2 + 2/2) / 4."""
    assert _share_below(np.array([8.0, 9.0, 10.0, 10.0, np.nan]), 10.0) == 0.75


def test_false_flags_are_counted_between_successive_values_of_one_subject():
    """2.0, 2.2, 2.0, 1.9, 1.9: one of four steps rises by at least 0.2, decimal-safe; the second
    subject's mean lies outside 1.9-2.1 and does not count."""
    visits = pd.DataFrame(
        {
            "subject_id": ["A"] * 5 + ["B"] * 5,
            "m_protein_g_dl": [2.0, 2.2, 2.0, 1.9, 1.9, 3.0, 3.5, 3.0, 3.5, 3.0],
        }
    )
    assert _false_evolving(visits) == 0.25


def test_within_person_variation_is_recovered_from_successive_values():
    """Noise of CV .284 around each subject's own level; 2,000 steps place it within 3 %."""
    rng = np.random.default_rng(4)
    level = np.repeat(rng.uniform(1, 9, 500), 5)
    noise = np.exp(rng.normal(0, np.sqrt(np.log1p(0.284**2)), level.size))
    visits = pd.DataFrame({"subject_id": np.repeat(np.arange(500), 5)})
    assert _within_cv(visits, pd.Series(level * noise)) == pytest.approx(0.284, rel=0.05)


def clone(**changes):
    one = {
        "growth": np.array([2]), "onset_years": np.array([1.0]), "rate": np.array([0.5]),
        "m_protein_g_dl": np.array([2.0]), "flc_ratio": np.array([10.0]),
        "uninvolved_flc_mg_l": np.array([8.0]), "bmpc_percent": np.array([20.0]),
        "law": scenario_named("referral").growth,
    }  # fmt: skip
    return Clone(**(one | changes))


def test_a_clone_grows_from_its_onset_and_never_beyond_its_ceiling():
    """At the onset the rate is .5 per year; expansion is c (1 - exp(-.5 t / c))."""
    years, who = np.array([0.5, 1.0, 3.0, 300.0]), np.zeros(4, dtype=int)
    ceiling = clone().law.ceiling_ln
    np.testing.assert_allclose(
        clone().expansion(years, who),
        [0, 0, ceiling * (1 - np.exp(-1.0 / ceiling)), ceiling],
        atol=1e-12,
    )
    np.testing.assert_allclose(
        clone().growth_rate(years, who),
        [0, 0.5, 0.5 * np.exp(-1.0 / ceiling), 0],
        atol=1e-12,
    )


def test_a_growing_clone_raises_what_it_makes_and_suppresses_the_rest():
    fold, who = np.array([0.0, 1.0]), np.zeros(2, dtype=int)
    assert np.diff(clone().m_protein_at(fold, who)) > 0
    assert np.diff(clone().ln_flc_ratio_at(fold, who)) > 0
    assert np.diff(clone().bmpc_at(fold, who)) > 0
    assert np.diff(clone().uninvolved_flc_at(fold, who)) < 0
    assert clone().bmpc_at(fold, who)[0] == pytest.approx(20.0)


@pytest.fixture(scope="module")
def cohort():
    return simulate_cohort(6000, seed=41)


def test_haemoglobin_falls_in_those_whose_clone_evolves(cohort):
    growth = cohort.truth.set_index("subject_id")["growth"]
    of = cohort.visits["subject_id"].map(growth)
    change = {
        kind: table[table["years"].between(3, 5)]["hemoglobin_g_dl"].mean()
        - table[table["years"] == 0]["hemoglobin_g_dl"].mean()
        for kind, table in cohort.visits.groupby(of)
    }
    assert change["evolving"] < change["stable"] - 0.3


def test_light_chain_disease_has_no_m_protein(cohort):
    light = cohort.visits[cohort.visits["heavy_chain"] == "none"]
    assert len(light) > 100
    assert (light["m_protein_g_dl"].dropna() == 0).all()


def test_tests_are_missing_by_era_analyte_and_state(cohort):
    visits = cohort.visits.assign(year=cohort.visits["diagnosis_date"].str[:4].astype(int))
    early, late = visits[visits["year"] < 2008], visits[visits["year"] > 2017]
    assert early["kappa_flc_mg_l"].notna().mean() < late["kappa_flc_mg_l"].notna().mean() - 0.15
    assert visits["ldh_u_l"].notna().mean() < visits["hemoglobin_g_dl"].notna().mean() - 0.2
    growth = cohort.truth.set_index("subject_id")["growth"]
    first = visits[visits["years"] == 0]
    fish = first.groupby(first["subject_id"].map(growth))["fish_gain_1q"].apply(
        lambda column: column.notna().mean()
    )
    assert fish["evolving"] > fish["stable"] + 0.03
    # A panel is there whole or not at all.
    assert (visits["kappa_flc_mg_l"].isna() == visits["lambda_flc_mg_l"].isna()).all()
