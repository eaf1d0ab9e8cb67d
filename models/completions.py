"""The next best test: which missing one would most narrow what the models leave open.

Every result that a missing test could have is tried in every model; the width of the risk range
that would remain is averaged over the results, weighted as they occur in the reference patients
(`models.reference`) or evenly where nobody has counted. The expected narrowing is the value of the
information. It is no statement about what is worth doing to a patient.
"""

import math
import operator
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from features.errors import InputError
from features.history import Floats
from features.landmark import LandmarkFeatures
from models.published.pangea_smm import (
    FEATURE_OF_TERM,
    INPUT_OF_TERM,
    PangeaSmm,
    PangeaVariant,
)
from models.published.points import PointScore
from models.reference import LEVELS, REFERENCE
from models.risk import RiskModel

__all__ = ["HORIZONS_YEARS", "NextTest", "Widths", "next_tests", "remaining_widths"]

HORIZONS_YEARS = (2.0, 5.0)
"""A model is asked at the first of these that it answers."""

TEST_OF_INPUT = {
    "flc_ratio_involved": "free light chains",
    "flc_ratio_kappa_lambda": "free light chains",
    "heavy_chain": "immunofixation",
    "fish": "FISH",
}
"""Inputs that one order answers together; every other input is its own test."""

_BETWEEN = np.diff([0.0, *((a + b) / 2 for a, b in pairwise(LEVELS)), 1.0])
"""Weight of each reference quantile: the probability nearer to it than to its neighbours."""


@dataclass(frozen=True, slots=True)
class Widths:
    """Width of one model's risk range now, and expected once a test is known.

    Parameters
    ----------
    model
        Identifier.
    horizon_years
        Of the risks.
    now
        Highest minus lowest possible risk, 0-1.
    after
        Test to the expected width with its result, never above `now`.
    """

    model: str
    horizon_years: float
    now: float
    after: dict[str, float]


@dataclass(frozen=True, slots=True)
class NextTest:
    """A missing test and what it would settle.

    Parameters
    ----------
    test
        Name of the order: an analyte, ``free light chains``, ``FISH``.
    narrowing
        Expected narrowing of the risk ranges, summed over the models, 0 or more.
    models
        Models whose range it would narrow.
    """

    test: str
    narrowing: float
    models: tuple[str, ...]


def next_tests(features: LandmarkFeatures, models: Iterable[RiskModel]) -> list[NextTest]:
    """Missing tests, the most telling first, for one landmark.

    Parameters
    ----------
    features
        Of one landmark.
    models
        Those asked; one whose range is closed, or open for want of a published rate, says nothing.

    Examples
    --------
    >>> from features.history import History
    >>> from models.catalogue import choose
    >>> code = np.array([-1], dtype=np.int8)
    >>> history = History(
    ...     subject_ids=("A",), subject=np.array([0]), time_years=np.array([0.0]),
    ...     labs={"m_protein": np.array([2.4])}, age_years=np.array([60.0]), sex=code,
    ...     heavy_chain=code, light_chain=code, diagnosis_years=np.array([0.0]))
    >>> found = next_tests(LandmarkFeatures(history), choose(["20-2-20"]))
    >>> [(each.test, round(each.narrowing, 3)) for each in found]
    [('bmpc', 0.164), ('free light chains', 0.126)]
    """
    if len(features) != 1:
        raise InputError("features", "must be those of one landmark")
    gained: dict[str, dict[str, float]] = {}
    for model in models:
        widths = remaining_widths(features, model)
        if widths is None:
            continue
        for test, after in widths.after.items():
            if widths.now - after > 0.0:
                gained.setdefault(test, {})[model.name] = widths.now - after
    ranked = sorted(gained.items(), key=lambda item: -sum(item[1].values()))
    return [NextTest(test, sum(by.values()), tuple(by)) for test, by in ranked]


def remaining_widths(features: LandmarkFeatures, model: RiskModel) -> Widths | None:
    """Width of a model's range at one landmark, now and after each missing test.

    None for a model that answers completely, that was refused for want of more than tests, or
    whose range is not published.
    """
    horizon = next((t for t in HORIZONS_YEARS if t in model.horizons_years), None)
    if horizon is None:
        return None
    column = model.horizons_years.index(horizon)
    if isinstance(model, PangeaSmm):
        has_marrow = not np.isnan(features["bmpc_percent"][0])
        model = model.marrow if has_marrow else model.no_marrow
    if isinstance(model, PointScore):
        return _of_score(features, model, column)
    if isinstance(model, PangeaVariant):
        return _of_pangea(features, model, column)
    return None


def _of_score(features: LandmarkFeatures, score: PointScore, column: int) -> Widths | None:
    states = [int(state[0]) for state in score.states(features)]
    now = _score_width(score, states, column)
    if math.isnan(now) or now == 0.0:
        return None
    after: dict[str, float] = {}
    for place, marker in enumerate(score.markers):
        if states[place] != marker.unknown or marker.name.endswith("_earlier"):
            continue
        widths = [
            _score_width(score, [*states[:place], result, *states[place + 1 :]], column)
            for result in range(marker.unknown)
        ]
        shares = marker.shares or [1.0] * marker.unknown
        expected = sum(map(operator.mul, widths, shares)) / sum(shares)
        if not math.isnan(expected):
            after[_test(marker.name)] = expected
    return Widths(score.name, score.horizons_years[column], now, after)


def _score_width(score: PointScore, states: list[int], column: int) -> float:
    """Range of the groups that remain; with nothing known, that of all of them."""
    left = score.possible_of(states)
    rates = [band.risks.get(score.horizons_years[column], math.nan) for band in left]
    return math.nan if any(map(math.isnan, rates)) else max(rates) - min(rates)


def _of_pangea(features: LandmarkFeatures, model: PangeaVariant, column: int) -> Widths | None:
    values = features.matrix(model.required)
    estimates = model.answer(values)
    lacking = [name for name in estimates.missing_at(0) if name != "age"]
    now = float(estimates.upper[0, column] - estimates.lower[0, column])
    if not lacking or np.isnan(now):
        return None
    after = {}
    for name in lacking:
        filled = np.array(list(_results(model, values[0], name)))
        answers = model.answer(filled)
        width = answers.upper[:, column] - answers.lower[:, column]
        # A complete answer has an interval, but no range left to narrow.
        width = np.where(np.isnan(answers.risk[:, column]), width, 0.0)
        after[_test(name)] = float(np.average(width, weights=_BETWEEN[: width.size]))
    return Widths(model.name, model.horizons_years[column], now, after)


def _results(model: PangeaVariant, values: Floats, name: str) -> Iterator[Floats]:
    """The terms with one input at each reference quantile; a first value cannot have evolved."""
    for level in range(len(LEVELS)):
        filled = values.copy()
        for place, term in enumerate(model.terms):
            if INPUT_OF_TERM[term] != name or not np.isnan(values[place]):
                continue
            feature = FEATURE_OF_TERM[term]
            quantiles = REFERENCE.get(feature.removeprefix("ln_"))
            if quantiles is None:
                filled[place] = 0.0
            else:
                value = quantiles[level]
                filled[place] = np.log(value) if feature.startswith("ln_") else value
        yield filled


def _test(name: str) -> str:
    return TEST_OF_INPUT.get(name, name)
