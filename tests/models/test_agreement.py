"""Where models part, by hand: risks, ranges, silence."""

import numpy as np
import pytest

from models.agreement import agreement_at, apart_shares, extremes, ranges_at_horizon
from models.catalogue import PUBLISHED
from models.risk import OK, PARTIAL, REFUSED, Estimates

NAN = float("nan")


def says(*rows):
    """Two-year estimates from rows of (status, risk, lower, upper)."""
    status, risk, lower, upper = map(np.array, zip(*rows, strict=True))
    return Estimates((2.0,), status.astype(np.int8), risk[:, None], lower[:, None], upper[:, None])


def test_a_confidence_interval_is_not_an_open_answer():
    # 10 % (1-60) and 25 % (1-60) part by 0.15 although their intervals overlap.
    wide = agreement_at({"a": says((OK, 0.10, 0.01, 0.6)), "b": says((OK, 0.25, 0.01, 0.6))}, 2.0)
    assert wide.apart == (("a", "b"),)
    assert not wide.agree


@pytest.mark.parametrize(("other", "apart"), [(0.44, True), (0.27, True), (0.25, False)])
def test_ranges_part_by_the_gap_between_them(other, apart):
    # A range of 6 to 17 % lies 0.27, 0.10 and 0.08 below.
    found = agreement_at(
        {"range": says((PARTIAL, NAN, 0.06, 0.17)), "point": says((OK, other, NAN, NAN))}, 2.0
    )
    assert (found.apart == (("range", "point"),)) is apart


def test_models_without_the_horizon_or_without_an_answer_are_silent():
    refused = says((REFUSED, NAN, NAN, NAN))
    unpublished = says((OK, NAN, NAN, NAN))
    found = agreement_at({"a": refused, "b": unpublished, "c": says((OK, 0.2, NAN, NAN))}, 2.0)
    assert [voice.model for voice in found.voices] == ["c"]
    assert found.agree
    assert agreement_at({"c": says((OK, 0.2, NAN, NAN))}, 5.0).voices == ()


def test_shares_count_the_landmarks_both_models_answer():
    # A gap of exactly 0.1 parts, one of 0.02 does not.
    a = says((OK, 0.1, NAN, NAN), (OK, 0.1, NAN, NAN), (OK, 0.1, NAN, NAN))
    b = says((OK, 0.2, NAN, NAN), (OK, 0.12, NAN, NAN), (REFUSED, NAN, NAN, NAN))
    none = says(*[(REFUSED, NAN, NAN, NAN)] * 3)
    shares = apart_shares({"a": a, "b": b, "none": none}, 2.0)
    np.testing.assert_array_equal(shares, [[0, 0.5, NAN], [0.5, 0, NAN], [NAN, NAN, NAN]])


def test_published_scores_part_about_a_person_with_a_large_marrow_and_little_protein(landmarks):
    # 45 % plasma cells alone: one 20/2/20 factor (17.9 %), Penn intermediate (44 %).
    features = landmarks(bmpc=45.0, m_protein=1.0, flc_ratio_involved=5.0, albumin=4.2)
    estimates = {name: PUBLISHED[name].estimate(features) for name in ("20-2-20", "penn")}
    assert agreement_at(estimates, 2.0).apart == (("20-2-20", "penn"),)


def test_many_landmarks_at_once_part_where_each_alone_does():
    rng = np.random.default_rng(3)
    estimates = {}
    for name in "abcde":
        low = np.round(rng.random(400) * 0.5, 2)
        kind = rng.choice([OK, PARTIAL, REFUSED], 400)
        risk = np.where(kind == OK, low, NAN)
        rows = zip(kind, risk, low, low + np.round(rng.random(400) * 0.2, 2), strict=True)
        estimates[name] = says(*rows)
    ranges = [ranges_at_horizon(found, 2.0) for found in estimates.values()]
    least, most = extremes(*(np.array(ends) for ends in zip(*ranges, strict=True)))
    parted = 0
    for i in range(400):
        alone = agreement_at(estimates, 2.0, i)
        assert (least[i] < 0) == alone.agree
        if not alone.agree:
            assert ("abcde"[least[i]], "abcde"[most[i]]) in alone.apart
            parted += 1
    assert 50 < parted < 400
