"""The next best test by hand, and the law that a result never widens what is open."""

from itertools import product

import numpy as np
import pytest

from features.errors import InputError
from models.catalogue import PUBLISHED, choose
from models.completions import next_tests, remaining_widths
from models.published.points import PointScore

NAN = float("nan")


def test_the_narrowing_is_the_expected_one_over_the_results(landmarks):
    # M-protein 2.4 is one factor: intermediate or high, 17.9 to 44.2 %, 0.263 wide. Plasma cells
    # above 20 % (0.625 of the reference: 0.25 + 0.5 of the way from 15 to 25 is the 37.5th
    # percentile) close it, others leave it: 0.263 * 0.375. The ratio exceeds 20 in
    # 1 - (0.5 + 0.25 * 2.5 / 28.3).
    widths = remaining_widths(landmarks(m_protein=2.4), PUBLISHED["20-2-20"])
    assert widths.horizon_years == 2.0
    assert widths.now == pytest.approx(0.263)
    below = 0.5 + 0.25 * (20 - 17.5) / (45.8 - 17.5)
    assert widths.after == {
        "bmpc": pytest.approx(0.263 * 0.375),
        "free light chains": pytest.approx(0.263 * below),
    }


def test_tests_are_ranked_over_all_models(landmarks):
    features = landmarks(age=60.0, m_protein=2.4, creatinine=0.9, hemoglobin=12.0)
    models = choose(["20-2-20", "penn", "pangea-smm"])
    found = next_tests(features, models)
    by_hand = {}
    for model in models:
        widths = remaining_widths(features, model)
        for test, after in widths.after.items():
            by_hand[test] = by_hand.get(test, 0.0) + widths.now - after
    assert [each.test for each in found] == sorted(by_hand, key=lambda t: -by_hand[t])
    assert {each.test: each.narrowing for each in found} == pytest.approx(by_hand)
    assert {each.test for each in found} >= {"bmpc", "free light chains", "albumin"}


def test_a_complete_answer_asks_for_nothing(landmarks):
    features = landmarks(bmpc=15.0, m_protein=1.0, flc_ratio_involved=5.0)
    assert next_tests(features, choose(["20-2-20"])) == []
    # Settled although incomplete: two factors are high whatever the marrow holds.
    features = landmarks(m_protein=3.0, flc_ratio_involved=30.0)
    assert next_tests(features, choose(["20-2-20"])) == []


def test_a_range_without_published_rates_says_nothing_and_time_is_no_test(landmarks):
    assert remaining_widths(landmarks(m_protein=2.4), PUBLISHED["cmg-serum"]) is None
    assert remaining_widths(landmarks(m_protein=2.4), PUBLISHED["mayo-2005-mgus"]) is None
    first_visit = landmarks(bmpc=25.0, m_protein=2.4, hemoglobin=12.0)
    assert remaining_widths(first_visit, PUBLISHED["mayo-evolving"]) is None


def test_nothing_known_leaves_the_whole_range(landmarks):
    widths = remaining_widths(landmarks(calcium=9.0), PUBLISHED["20-2-20"])
    assert widths.now == pytest.approx(0.442 - 0.062)


def test_more_than_one_landmark_is_refused(landmarks):
    with pytest.raises(InputError, match="one landmark"):
        next_tests(landmarks(m_protein=[1.0, 2.0]), choose(["20-2-20"]))


SCORES = [model for model in PUBLISHED.values() if isinstance(model, PointScore)]


@pytest.mark.parametrize("model", SCORES, ids=lambda model: model.name)
def test_shares_of_the_results_of_a_marker_add_up_to_one(model):
    for marker in model.markers:
        if marker.shares:
            assert len(marker.shares) == marker.unknown
            assert sum(marker.shares) == pytest.approx(1.0)
            assert min(marker.shares) >= 0.0


@pytest.mark.parametrize("name", ["20-2-20", "imwg-2020-fish", "penn", "pangea-smm"])
def test_no_test_is_expected_to_widen_the_range(landmarks, name):
    labs = {
        "m_protein": (NAN, 1.0, 3.5),
        "bmpc": (NAN, 12.0, 45.0),
        "flc_ratio_involved": (NAN, 5.0, 80.0),
        "creatinine": (NAN, 0.9),
        "albumin": (NAN, 3.2),
    }
    for values in product(*labs.values()):
        given = dict(zip(labs, values, strict=True))
        if np.isnan(list(given.values())).all():
            continue
        widths = remaining_widths(landmarks(age=60.0, hemoglobin=12.0, **given), PUBLISHED[name])
        for after in {} if widths is None else widths.after.values():
            assert 0.0 <= after <= widths.now + 1e-12
