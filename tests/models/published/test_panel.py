"""Scores asked together: a code settles an answer, whoever else asks."""

from collections.abc import Iterator

import numpy as np
import pytest

from features.catalogue import PROBES_IMWG_2020
from features.landmark import LandmarkFeatures
from models.catalogue import PUBLISHED
from models.published.panel import panel
from models.published.points import PointScore
from models.published.twenty_two_twenty import TWENTY_TWO_TWENTY

NAN = float("nan")
SCORES = tuple(model for model in PUBLISHED.values() if isinstance(model, PointScore))
LABS = ("m_protein", "bmpc", "flc_ratio_involved", "flc_ratio_kappa_lambda", "albumin")
IMMUNOGLOBULINS = ("igg", "iga", "igm")


@pytest.fixture(params=[None, "IgG", "none"])
def people(landmarks, request) -> LandmarkFeatures:
    """Four hundred people, each value known or not."""
    rng = np.random.default_rng(3)
    values = {
        **{name: rng.lognormal(1.5, 1.5, 400) for name in LABS},
        **{name: rng.lognormal(5.0, 1.5, 400) for name in IMMUNOGLOBULINS},
        **{name: rng.integers(0, 2, 400) for name in PROBES_IMWG_2020},
    }
    known = {name: np.where(rng.random(400) < 0.3, NAN, value) for name, value in values.items()}
    return landmarks(heavy_chain=request.param, **known)


def answers(score: PointScore, features: LandmarkFeatures) -> Iterator[tuple[object, ...]]:
    """What a score says of each landmark, NaN spelled so that it equals itself."""
    found = score.estimate(features)
    assert found.score is not None
    for k in range(len(features)):
        yield (
            int(found.status[k]),
            str([found.score[k], *found.risk[k], *found.lower[k], *found.upper[k]]),
            tuple(found.groups_at(k)),
            tuple(found.missing_at(k)),
        )


def test_landmarks_of_one_code_are_told_the_same(people):
    for score, codes in zip(SCORES, panel(SCORES).patterns(people).tolist(), strict=True):
        told: dict[int, object] = {}
        for code, said in zip(codes, answers(score, people), strict=True):
            assert told.setdefault(code, said) == said
        assert len(told) > 1, score.name


def test_a_code_is_the_same_alone_and_among_other_people_and_scores(people):
    together = panel(SCORES).patterns(people)
    for i in range(0, 400, 40):
        at = LandmarkFeatures(people.history, np.array([i]), np.array([0.0]))
        np.testing.assert_array_equal(panel(SCORES).patterns(at)[:, 0], together[:, i])
    for score, codes in zip(SCORES, together, strict=True):
        np.testing.assert_array_equal(panel((score,)).patterns(people)[0], codes)


def test_a_code_counts_the_states_of_the_markers_in_mixed_radix(landmarks):
    # 20/2/20: each marker below, above or not known (0, 1, 2), so the places count 1, 3 and 9.
    features = landmarks(
        bmpc=[20.0, 21.0, NAN, 21.0],
        m_protein=[2.0, 2.1, 2.0, NAN],
        flc_ratio_involved=[20, 9, 21, NAN],
    )
    found = panel((TWENTY_TWO_TWENTY,)).patterns(features)
    assert found.tolist() == [[0, 1 + 3, 2 + 9, 1 + 2 * 3 + 2 * 9]]
