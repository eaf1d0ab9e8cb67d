"""The course of M-protein and haemoglobin as Ravi 2016 defines it, at and beside each limit."""

import numpy as np
import pytest

from features.history import History
from features.landmark import LandmarkFeatures
from models.published.mayo_evolving import MAYO_EVOLVING
from models.risk import OK, PARTIAL

NAN = float("nan")
YES, NO, UNKNOWN = 1, 0, 2


def course(years, m_protein=None, hemoglobin=None, bmpc=None):
    size = len(years)
    none = [NAN] * size
    labs = {"m_protein": m_protein, "hemoglobin": hemoglobin, "bmpc": bmpc}
    code = np.array([-1], dtype=np.int8)
    history = History(
        subject_ids=("A",),
        subject=np.zeros(size, dtype=np.int64),
        time_years=np.array(years, dtype=float),
        labs={name: np.array(values or none) for name, values in labs.items()},
        age_years=np.full(size, NAN),
        sex=code,
        heavy_chain=code,
        light_chain=code,
        diagnosis_years=np.zeros(1),
    )
    at_visits = LandmarkFeatures(history)
    alone = LandmarkFeatures(history, np.array([0]), np.array([years[-1]], dtype=float))
    return at_visits, alone


def last_states(marker, *args, **labs):
    found = {int(MAYO_EVOLVING.markers[marker].state(at)[-1]) for at in course(*args, **labs)}
    # At the last visit and asked alone must be the same answer.
    (state,) = found
    return state


@pytest.mark.parametrize(
    ("years", "m_protein", "expected"),
    [
        # 25 % of 2.0 is 0.5, and 0.5 is the least rise that counts; 2.49 falls short of both.
        ([0, 1.0], [2.0, 2.5], YES),
        ([0, 1.0], [2.0, 2.49], NO),
        # 40 % of 1.0 is only 0.4 g/dL; 30 % of 1.8 is 0.54.
        ([0, 1.0], [1.0, 1.4], NO),
        ([0, 1.0], [1.8, 2.34], YES),
        # Above 3 g/dL 10 % suffices within six months, with at least 0.5 g/dL.
        ([0, 0.5], [4.0, 4.5], YES),
        ([0, 0.5], [4.0, 4.4], NO),
        ([0, 0.5], [3.0, 3.5], YES),
        ([0, 0.5], [2.9, 3.4], NO),
        ([0, 0.51], [4.0, 4.5], NO),
        # Decimal values mean what they say: 4.1 - 3.6 is 0.5 on paper and less in binary.
        ([0, 0.4], [3.6, 4.1], YES),
        ([0, 1.0], [3.0, 3.75], YES),
        # Any earlier value inside the look-back counts, none outside.
        ([0, 0.3, 0.6], [2.0, 2.6, 2.5], YES),
        ([0, 1.01], [2.0, 3.0], UNKNOWN),
        ([0], [2.0], UNKNOWN),
        ([0, 0.5], [2.0, NAN], UNKNOWN),
    ],
)
def test_m_protein_evolves_by_share_and_by_amount(years, m_protein, expected):
    assert last_states(1, years, m_protein=m_protein) == expected


@pytest.mark.parametrize(
    ("years", "hemoglobin", "expected"),
    [
        ([0, 1.0], [12.6, 12.1], YES),
        ([0, 1.0], [12.6, 12.2], NO),
        ([0, 0.5, 1.0], [12.6, 12.0, 12.3], NO),
        ([0, 0.5, 1.0], [12.6, 13.0, 12.4], YES),
        ([0, 1.2], [12.6, 11.0], UNKNOWN),
        ([0], [12.6], UNKNOWN),
    ],
)
def test_hemoglobin_evolves_by_a_fall_of_half_a_gram_within_a_year(years, hemoglobin, expected):
    assert last_states(2, years, hemoglobin=hemoglobin) == expected


def test_all_three_factors_carry_the_published_risk_and_fewer_none():
    at, _ = course(
        [0, 0.5, 1.0],
        m_protein=[2.0, 2.0, 2.6],
        hemoglobin=[13.0, 12.9, 12.0],
        bmpc=[20.0, NAN, NAN],
    )
    estimates = MAYO_EVOLVING.estimate(at)
    assert estimates.status.tolist() == [PARTIAL, OK, OK]
    assert estimates.groups_at(1) == ["one factor"]
    assert np.isnan(estimates.risk[1, 0])
    assert estimates.reason_at(1) == "the source gives no rate for this group"
    assert estimates.groups_at(2) == ["high"]
    assert estimates.risk[2, 0] == 0.905


def test_a_first_visit_lacks_earlier_values_and_says_so():
    at, alone = course([0], m_protein=[2.0], hemoglobin=[12.0], bmpc=[25.0])
    for features in (at, alone):
        estimates = MAYO_EVOLVING.estimate(features)
        assert estimates.missing_at(0) == ["m_protein_earlier", "hemoglobin_earlier"]
        assert estimates.groups_at(0) == ["one factor", "two factors", "high"]
