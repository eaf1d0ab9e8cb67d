"""PANGEA-SMM against its authors' own numbers, and the laws of its ranges."""

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.history import History
from features.landmark import LandmarkFeatures
from models.published.pangea_smm import (
    PANGEA_SMM,
    PANGEA_SMM_MARROW,
    PANGEA_SMM_NO_MARROW,
    PLAUSIBLE,
)
from models.risk import OK, PARTIAL, REFUSED

GOLDEN = Path(__file__).parents[2] / "data" / "pangea_smm_golden.csv"
COLUMNS = {
    "m_protein": "mspike",
    "flc_ratio_involved": "iuratio",
    "bmpc": "plasmacells",
    "creatinine": "creatinine",
    "hemoglobin": "hgb",
}
FLAGS = {
    "m_protein": "mspike_traj",
    "hemoglobin": "hgb_traj",
    "flc_ratio_involved": "iuratio_traj",
    "creatinine": "creatinine_traj",
}


@pytest.fixture(scope="module")
def golden():
    with GOLDEN.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))

    def column(name):
        return np.array([float(row[name]) if row[name] else np.nan for row in rows])

    ids = list(dict.fromkeys(row["participant_id"] for row in rows))
    place = {name: i for i, name in enumerate(ids)}
    unknown = np.full(len(ids), -1, dtype=np.int8)
    history = History(
        subject_ids=tuple(ids),
        subject=np.array([place[row["participant_id"]] for row in rows]),
        time_years=column("tstart"),
        labs={name: column(theirs) for name, theirs in COLUMNS.items()},
        age_years=column("age"),
        sex=unknown,
        heavy_chain=unknown,
        light_chain=unknown,
        diagnosis_years=np.zeros(len(ids)),
    )
    return LandmarkFeatures(history), column


@pytest.mark.parametrize(
    ("model", "variant"), [(PANGEA_SMM_MARROW, "marrow"), (PANGEA_SMM_NO_MARROW, "no_marrow")]
)
def test_risks_equal_the_authors_at_every_visit(golden, model, variant):
    features, column = golden
    published = np.column_stack([column(f"{variant}_risk_{t}y") for t in (1, 2, 5, 10)])
    estimates = model.estimate(features)
    # The authors answer nothing without a marrow; here that is a range, and no risk either.
    np.testing.assert_array_equal(np.isnan(estimates.risk), np.isnan(published))
    np.testing.assert_allclose(estimates.risk, published, rtol=0, atol=1e-9)


def test_evolving_flags_equal_the_authors_at_every_visit(golden):
    features, column = golden
    for name, theirs in FLAGS.items():
        flags = features[f"{name}_evolving_as_published"]
        np.testing.assert_array_equal(flags, column(theirs), err_msg=name)


def test_the_variant_follows_the_marrow_at_hand(golden):
    features, _ = golden
    with_marrow = ~np.isnan(features["bmpc_percent"])
    assert 0 < with_marrow.sum() < len(features)
    both = PANGEA_SMM.estimate(features)
    marrow = PANGEA_SMM_MARROW.estimate(features)
    without = PANGEA_SMM_NO_MARROW.estimate(features)
    for name in ("status", "risk", "lower", "upper"):
        merged = getattr(both, name)
        np.testing.assert_array_equal(merged[with_marrow], getattr(marrow, name)[with_marrow])
        np.testing.assert_array_equal(merged[~with_marrow], getattr(without, name)[~with_marrow])


def test_a_visit_alone_has_the_risk_it_has_among_many_to_the_last_bit(golden):
    features, _ = golden
    together = PANGEA_SMM.estimate(features)
    for i in range(0, len(features), 7):
        at = features.subject[i : i + 1], features.time_years[i : i + 1]
        alone = PANGEA_SMM.estimate(LandmarkFeatures(features.history, *at))
        for name in ("risk", "lower", "upper"):
            np.testing.assert_array_equal(getattr(alone, name)[0], getattr(together, name)[i])


def test_the_interval_is_the_delta_method_of_the_published_covariance(landmarks):
    # One visit, all flags 0; the quadratic form written out term by term.
    model = PANGEA_SMM_NO_MARROW
    features = landmarks(
        age=61.0, m_protein=2.4, flc_ratio_involved=30.0, creatinine=0.9, hemoglobin=12.5
    )
    of_term = dict.fromkeys(model.terms, 0.0)
    of_term |= {"age": 61.0, "mspike": 2.4}
    of_term |= {"log_iuratio": np.log(30.0), "log_creatinine": np.log(0.9)}
    deviation = [
        of_term[term] - centre for term, centre in zip(model.terms, model.centres, strict=True)
    ]
    predictor = sum(d * b for d, b in zip(deviation, model.coefficients, strict=True))
    variance = sum(
        a * b * model.covariance[i, j]
        for i, a in enumerate(deviation)
        for j, b in enumerate(deviation)
    )
    estimates = model.estimate(features)
    for end, sign in ((estimates.lower, -1), (estimates.risk, 0), (estimates.upper, 1)):
        hazard_ratio = np.exp(predictor + sign * 1.959963984540054 * variance**0.5)
        expected = 1 - model.baseline_survival**hazard_ratio
        np.testing.assert_allclose(end[0], expected, rtol=1e-12)


def test_no_age_or_no_laboratory_value_is_refused_with_what_would_answer(landmarks):
    labs = {"m_protein": 2.0, "flc_ratio_involved": 12.0, "creatinine": 1.0, "hemoglobin": 12.0}
    ageless = PANGEA_SMM.estimate(landmarks(**labs))
    assert ageless.status[0] == REFUSED
    assert ageless.reason_at(0) == "needs age"
    empty = PANGEA_SMM.estimate(landmarks(age=60.0, calcium=9.0))
    assert empty.status[0] == REFUSED
    assert set(empty.missing_at(0)) == {
        "m_protein",
        "flc_ratio_involved",
        "creatinine",
        "hemoglobin",
    }
    assert np.isnan([empty.risk, empty.lower, empty.upper]).all()


LAB = {
    "m_protein": st.floats(0.0, 3.63),
    "flc_ratio_involved": st.floats(1.4, 113.0),
    "creatinine": st.floats(0.6, 1.3),
    "hemoglobin": st.floats(8.0, 16.0),
    "bmpc": st.floats(10.0, 52.0),
}


@given(st.fixed_dictionaries(LAB), st.floats(30, 95), st.sampled_from(sorted(LAB)))
def test_the_range_of_a_missing_value_holds_the_risk_of_every_plausible_one(
    landmarks, labs, age, hidden
):
    complete = PANGEA_SMM_MARROW.estimate(landmarks(age=age, **labs))
    assert complete.status[0] == OK
    assert (np.diff(complete.risk[0]) >= 0).all()
    assert (complete.lower[0] >= 0).all() and (complete.upper[0] <= 1).all()
    assert (complete.lower[0] <= complete.risk[0]).all()
    assert (complete.risk[0] <= complete.upper[0]).all()
    partial = PANGEA_SMM_MARROW.estimate(landmarks(age=age, **{**labs, hidden: np.nan}))
    assert partial.status[0] == PARTIAL
    assert np.isnan(partial.risk[0]).all()
    assert partial.missing_at(0) == [hidden]
    slack = 1e-12
    assert (partial.lower[0] - slack <= complete.risk[0]).all()
    assert (complete.risk[0] <= partial.upper[0] + slack).all()


def test_every_laboratory_term_has_a_plausible_range_and_a_harmful_upper_end():
    # The range takes the upper end as the harmful one: true as long as coefficients are positive.
    for model in (PANGEA_SMM_MARROW, PANGEA_SMM_NO_MARROW):
        for term, coefficient in zip(model.terms, model.coefficients, strict=True):
            assert term == "age" or (term in PLAUSIBLE and coefficient > 0)
