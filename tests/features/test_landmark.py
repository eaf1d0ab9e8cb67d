"""Features at a landmark see what was known then and nothing later, for one subject as for all."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.catalogue import FEATURES
from features.history import History
from features.landmark import LandmarkFeatures

SUBJECTS = 3
QUANTITIES = ("m_protein", "hemoglobin", "creatinine", "flc_ratio_involved", "igg", "iga", "egfr")


@st.composite
def histories(draw):
    """Histories of three subjects; values in tenths, a third of them missing."""
    visits = sorted(
        draw(
            st.lists(
                st.tuples(st.integers(0, SUBJECTS - 1), st.integers(0, 48)),
                unique=True,
                min_size=1,
                max_size=14,
            )
        )
    )
    value = st.one_of(st.just(np.nan), st.integers(1, 300).map(lambda n: n / 10))
    size = len(visits)
    columns = st.lists(value, min_size=size, max_size=size).map(np.array)
    codes = st.lists(st.integers(-1, 1), min_size=SUBJECTS, max_size=SUBJECTS)
    years = np.array([month / 12 for _, month in visits])
    return History(
        subject_ids=("A", "B", "C"),
        subject=np.array([s for s, _ in visits], dtype=np.int64),
        time_years=years,
        labs={name: draw(columns) for name in QUANTITIES},
        age_years=np.where(draw(columns) > 15, np.nan, 60 + years),
        sex=np.array(draw(codes), dtype=np.int8),
        heavy_chain=np.array(draw(codes), dtype=np.int8),
        light_chain=np.array(draw(codes), dtype=np.int8),
        diagnosis_years=np.zeros(SUBJECTS),
    )


def restricted(history: History, keep: np.ndarray) -> History:
    return dataclasses.replace(
        history,
        subject=history.subject[keep],
        time_years=history.time_years[keep],
        labs={name: values[keep] for name, values in history.labs.items()},
        age_years=history.age_years[keep],
    )


def everything(history: History, subject: np.ndarray, years: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore", divide="ignore"):
        return LandmarkFeatures(history, subject, years).matrix(FEATURES)


@given(histories(), st.integers(0, 48))
def test_features_ignore_visits_after_the_landmark(history, month):
    subject, years = np.arange(SUBJECTS), np.full(SUBJECTS, month / 12)
    past = restricted(history, history.time_years <= month / 12)
    np.testing.assert_array_equal(
        everything(history, subject, years), everything(past, subject, years)
    )


@given(histories())
def test_a_subject_alone_has_the_features_it_has_in_a_batch_to_the_last_bit(history):
    together = everything(history, history.subject, history.time_years)
    for subject in range(SUBJECTS):
        own = history.subject == subject
        alone = restricted(history, own)
        np.testing.assert_array_equal(
            together[own], everything(alone, alone.subject, alone.time_years)
        )


@given(histories(), st.randoms(use_true_random=False))
def test_landmarks_may_be_asked_in_any_order(history, random):
    order = list(range(history.visits))
    random.shuffle(order)
    together = everything(history, history.subject, history.time_years)
    shuffled = everything(history, history.subject[order], history.time_years[order])
    np.testing.assert_array_equal(together[order], shuffled)


@given(histories())
def test_every_visit_as_a_landmark_is_the_same_as_asking_for_each(history):
    with np.errstate(invalid="ignore", divide="ignore"):
        at_visits = LandmarkFeatures(history).matrix(FEATURES)
    np.testing.assert_array_equal(
        at_visits, everything(history, history.subject, history.time_years)
    )


def test_the_last_value_is_carried_forward_with_its_age(build_history):
    history = build_history([0, 0, 0], [0.0, 1.0, 1.5], bmpc=[12.0, np.nan, np.nan])
    features = LandmarkFeatures(history)
    assert features["bmpc_percent"].tolist() == [12.0, 12.0, 12.0]
    assert features["bmpc_years_since"].tolist() == [0.0, 1.0, 1.5]


def test_age_grows_from_the_last_visit_that_gave_it(build_history):
    history = dataclasses.replace(
        build_history([0, 0], [0.0, 1.5], m_protein=[1.0, 1.0]),
        age_years=np.array([60.0, np.nan]),
    )
    assert LandmarkFeatures(history)["age_years"].tolist() == [60.0, 61.5]


def test_before_the_first_visit_nothing_is_known(build_history):
    history = build_history([0], [1.0], m_protein=[2.0])
    features = LandmarkFeatures(history, np.array([0]), np.array([0.5]))
    assert np.isnan(features["m_protein_g_dl"]).all()


def test_logarithms_are_natural(build_history):
    features = LandmarkFeatures(build_history([0], [0.0], creatinine=[np.e]))
    assert features["ln_creatinine_mg_dl"][0] == pytest.approx(1.0, rel=1e-15)


@pytest.mark.parametrize(
    ("heavy_chain", "expected"),
    # IgG 500 < 768, IgA 50 < 68, IgM 100 > 35; the involved isotype never counts.
    [(0, 1.0), (1, 1.0), (2, 2.0), (-1, np.nan)],
)
def test_immunoparesis_counts_uninvolved_isotypes_below_normal(
    build_history, heavy_chain, expected
):
    history = build_history([0], [0.0], igg=[500.0], iga=[50.0], igm=[100.0])
    history = dataclasses.replace(history, heavy_chain=np.array([heavy_chain], dtype=np.int8))
    np.testing.assert_equal(LandmarkFeatures(history)["immunoparesis_isotypes"], [expected])


def test_the_laboratorys_own_limit_wins(build_history):
    history = build_history([0], [0.0], iga=[50.0], iga_lln=[40.0])
    history = dataclasses.replace(history, heavy_chain=np.array([0], dtype=np.int8))
    assert LandmarkFeatures(history)["immunoparesis_isotypes"][0] == 0.0


def test_cytogenetic_abnormalities_are_counted_among_the_probes_read(build_history):
    # Found twice, once beside a probe not read, none of two read; nothing read; del(17p) is not of
    # the IMWG set.
    history = build_history(
        [0, 1, 2, 3],
        [0.0] * 4,
        fish_t_4_14=[1.0, np.nan, 0.0, np.nan],
        fish_gain_1q=[1.0, 1.0, np.nan, np.nan],
        fish_del_13q=[0.0, 0.0, 0.0, np.nan],
        fish_del_17p=[1.0, 1.0, 1.0, 1.0],
    )
    found = LandmarkFeatures(history)["fish_abnormalities"]
    np.testing.assert_equal(found, [2.0, 1.0, 0.0, np.nan])


def test_an_unknown_feature_is_named():
    with pytest.raises(KeyError, match="no_such_feature"):
        _ = LandmarkFeatures(
            History((), *(np.zeros(0, int),) * 2, {}, np.zeros(0), *(np.zeros(0, np.int8),) * 4)
        )["no_such_feature"]
