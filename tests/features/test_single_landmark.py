"""One landmark asked alone has, to the last bit, the features it has among all landmarks."""

import numpy as np
import pytest

from features.analytes import ANALYTES
from features.catalogue import FEATURES
from features.derived import DERIVED
from features.history import History
from features.landmark import LandmarkFeatures

SUBJECTS, VISITS = 8, 9


@pytest.fixture(scope="module")
def history():
    rng = np.random.default_rng(20)
    subject = np.repeat(np.arange(SUBJECTS), VISITS)
    time_years = rng.uniform(0.02, 0.7, (SUBJECTS, VISITS)).cumsum(axis=1).ravel()

    def values():
        drawn = np.round(rng.lognormal(1.0, 0.4, subject.size), 1)
        return np.where(rng.random(subject.size) < 0.3, np.nan, drawn)

    def codes(highest):
        return rng.integers(-1, highest + 1, SUBJECTS).astype(np.int8)

    age = np.where(rng.random(subject.size) < 0.4, np.nan, 60.0 + np.round(time_years, 2))
    return History(
        subject_ids=tuple(map(str, range(SUBJECTS))),
        subject=subject,
        time_years=time_years,
        labs={name: values() for name in (*ANALYTES, *DERIVED)},
        age_years=age,
        sex=codes(1),
        heavy_chain=codes(5),
        light_chain=codes(1),
        diagnosis_years=rng.uniform(0, 1, SUBJECTS),
    )


@pytest.mark.parametrize("name", FEATURES)
def test_a_landmark_alone_has_the_features_it_has_among_many(history, name):
    # Between the visits and at them, before the first and after the last.
    rng = np.random.default_rng(21)
    subject = np.concatenate([history.subject, rng.integers(0, SUBJECTS, 20)])
    time_years = np.concatenate([history.time_years, rng.uniform(-0.5, 5.0, 20)])
    together = LandmarkFeatures(history, subject, time_years)[name]
    alone = [
        LandmarkFeatures(history, subject[i : i + 1], time_years[i : i + 1])[name][0]
        for i in range(subject.size)
    ]
    np.testing.assert_array_equal(together, np.array(alone))
    at_visits = LandmarkFeatures(history)[name]
    np.testing.assert_array_equal(at_visits, together[: history.visits])


@pytest.mark.parametrize("name", FEATURES)
def test_features_worked_out_together_are_those_worked_out_one_by_one(history, name, monkeypatch):
    asked = history.subject[::2], history.time_years[::2]
    together = LandmarkFeatures(history, *asked).matrix(FEATURES)[:, list(FEATURES).index(name)]
    monkeypatch.setattr("features.latest.SMALL", 0)
    monkeypatch.setattr("features.trends.SMALL", 0)
    np.testing.assert_array_equal(LandmarkFeatures(history, *asked)[name], together)
