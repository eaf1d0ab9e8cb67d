"""Figures of progression on outcomes small enough to work by hand."""

import numpy as np
import pytest

from training.simulation.observed import Outcome, median_years, net_risk
from training.simulation.progression import _auc_of_groups, _time_varying_c


def outcome(duration, event):
    return Outcome(np.array(duration, dtype=float), np.array(event))


def test_net_risk_is_one_minus_kaplan_meier_with_deaths_censored():
    """Five subjects: progression at 1 (4/5 stay), death at 2, progression at 3 (1/3 leave),
    so 1 - 4/5 * 2/3 = 7/15 by 3.5 years."""
    five = outcome([1.0, 2.0, 3.0, 4.0, 5.0], [1, 2, 1, 0, 0])
    assert net_risk(five, 3.5) == pytest.approx(7 / 15)


def test_median_is_the_first_time_at_which_half_have_progressed():
    assert median_years(outcome([1.0, 2.0, 3.0, 4.0], [1, 1, 1, 0])) == 2.0
    assert median_years(outcome([1.0, 2.0, 3.0, 4.0], [1, 2, 0, 0])) == float("inf")


def test_published_shares_and_risks_imply_the_auc_of_the_evidence():
    """Shares 38/33/29 % and two-year risks 6.2/17.9/44.2 % imply an AUC of .746."""
    auc = _auc_of_groups(np.array([0.38, 0.33, 0.29]), np.array([0.062, 0.179, 0.442]))
    assert auc == pytest.approx(0.746, abs=0.0005)


def test_time_varying_concordance_compares_the_latest_risks_before_an_event():
    """Subject 0 progresses at 2 with its second risk, .5. At that moment 1 has .4 (its .9 comes
    later), 2 has .5: one pair won, one tied. Subject 1 progresses at 3 with .9 against 2's .5:
    won. C = 2.5 / 3."""
    subject = np.array([0, 0, 1, 1, 2])
    years = np.array([0.0, 1.0, 0.0, 2.5, 0.0])
    risk = np.array([0.1, 0.5, 0.4, 0.9, 0.5])
    c = _time_varying_c(subject, years, risk, outcome([2.0, 3.0, 4.0], [1, 1, 0]))
    assert c == pytest.approx(2.5 / 3)
