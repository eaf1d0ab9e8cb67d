"""Published scores that add points: one engine, each score is data.

A marker gives points by the cuts it passed, and a marker that nobody measured may still give any of
them. Every combination of markers, known and unknown, is answered once when the score is defined:
the groups that remain possible and the range of risks they carry. Answering is then one look-up,
for one person as for a million, and a missing marker cannot become a zero.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise, product
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from features.cuts import States, state
from features.history import Codes, Floats
from features.landmark import LandmarkFeatures
from models.reference import REFERENCE, share_above
from models.risk import OK, PARTIAL, REFUSED, Estimates, RangeKind

__all__ = ["Band", "Marker", "PointScore", "cut_marker"]

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Marker:
    """One marker of a point score.

    Parameters
    ----------
    name
        The test that a caller orders: an analyte, ``fish``, an earlier value.
    inputs
        Feature to what is missing when that feature is unknown: an analyte or field.
    points
        Points of each state of the marker; the state after the last means not known.
    state
        From the landmarks to (k,) states.
    criterion
        The inequality as published, for people.
    shares
        How common each state is in the reference patients; empty where nobody has counted.
    cuts
        Where the state is the number of these that one feature exceeds; else empty.
    """

    name: str
    inputs: Mapping[str, str]
    points: tuple[int, ...]
    state: Callable[[LandmarkFeatures], States]
    criterion: str
    shares: tuple[float, ...] = ()
    cuts: tuple[float, ...] = ()

    @property
    def unknown(self) -> int:
        """State that means not known."""
        return len(self.points)

    @property
    def is_one_value(self) -> bool:
        """Whether its state is unknown for want of one input, which it is named after."""
        return len(self.inputs) == 1 and self.name in self.inputs.values()

    def lacking(self, features: LandmarkFeatures, unknown: Bools) -> dict[str, Bools]:
        """What would make each unknown state known, by the name of the input."""
        if self.is_one_value or not unknown.any():
            return dict.fromkeys(self.inputs.values(), unknown)
        absent = {name: unknown & np.isnan(features[key]) for key, name in self.inputs.items()}
        # Every value is there and still no answer: the marker itself is what is missing.
        rest = unknown & ~np.logical_or.reduce(list(absent.values()))
        return {**absent, self.name: rest} if rest.any() else absent


def cut_marker(
    name: str, feature: str, table: Floats, points: tuple[int, ...], criterion: str
) -> Marker:
    """Marker that gives points by the cuts one feature passes.

    Parameters
    ----------
    name, points, criterion
        As in `Marker`.
    feature
        Read at the landmark; NaN is not known.
    table
        From `features.cuts`.
    """
    shares: tuple[float, ...] = ()
    if feature in REFERENCE:
        beyond = [1.0, *(share_above(feature, cut) for cut in table[:-1]), 0.0]
        shares = tuple(float(a - b) for a, b in pairwise(beyond))
    return Marker(
        name=name,
        inputs={feature: name},
        points=points,
        state=lambda at: state(at[feature], table),
        criterion=criterion,
        shares=shares,
        cuts=tuple(table[:-1].tolist()),
    )


@dataclass(frozen=True, slots=True)
class Band:
    """One risk group of a point score.

    Parameters
    ----------
    group
        Name.
    least, most
        Points, both ends included.
    risks
        Horizon in years to published risk, 0-1. Empty when the source gives no rate.
    intervals
        Horizon to published 95 % interval, where the source gives one.
    """

    group: str
    least: int
    most: int
    risks: Mapping[float, float]
    intervals: Mapping[float, tuple[float, float]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answers:
    """Answer to each of the c combinations of marker states, in the order of `product`.

    Parameters
    ----------
    status, score : (c,) arrays
        As in `models.risk.Estimates`.
    risk, lower, upper : (c, h) arrays
        As in `models.risk.Estimates`.
    possible : (c, g) array
        Groups that remain possible.
    """

    status: Codes
    score: Floats
    risk: Floats
    lower: Floats
    upper: Floats
    possible: Bools


@dataclass(frozen=True, slots=True, eq=False)
class PointScore:
    """A published score that adds points over markers and reads the risk from a band.

    Parameters
    ----------
    name, label, version, citation, population
        As in `models.risk.RiskModel`.
    markers
        What gives points.
    bands
        Groups, lowest first, covering every reachable total.
    horizons_years
        Horizons for which at least one band has a published risk.
    caution
        What a reader must know before trusting the numbers; empty when nothing.
    """

    name: str
    label: str
    version: str
    citation: str
    population: Literal["smm", "mgus"]
    markers: tuple[Marker, ...]
    bands: tuple[Band, ...]
    horizons_years: tuple[float, ...]
    caution: str = ""
    kind: Literal["published", "learned"] = "published"
    answers: Answers = field(init=False, repr=False, compare=False)
    groups: tuple[str, ...] = field(init=False, repr=False, compare=False)
    ranges: RangeKind = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "answers", _answer_all(self))
        object.__setattr__(self, "groups", tuple(band.group for band in self.bands))
        published = any(band.intervals for band in self.bands)
        object.__setattr__(self, "ranges", "confidence interval" if published else "none")

    @property
    def required(self) -> tuple[str, ...]:
        """Features without which the answer may be partial."""
        return tuple(feature for marker in self.markers for feature in marker.inputs)

    @property
    def optional(self) -> tuple[str, ...]:
        """None: every marker counts."""
        return ()

    def states(self, features: LandmarkFeatures) -> list[States]:
        """(k,) state of every marker."""
        return [marker.state(features) for marker in self.markers]

    def combination(self, states: list[States]) -> NDArray[np.intp]:
        """(k,) index of each landmark's combination of states into `answers`."""
        index = states[0].astype(np.intp)
        for marker, more in zip(self.markers[1:], states[1:], strict=True):
            index *= marker.unknown + 1
            index += more
        return index

    def possible_of(self, states: Sequence[int]) -> list[Band]:
        """Groups that one combination of marker states leaves possible, lowest first."""
        totals = set(_totals(self, states))
        return [band for band in self.bands if any(band.least <= t <= band.most for t in totals)]

    def estimate(self, features: LandmarkFeatures) -> Estimates:
        """Groups and published risks at every landmark."""
        states = self.states(features)
        index = self.combination(states)
        missing: dict[str, Bools] = {}
        for marker, found in zip(self.markers, states, strict=True):
            for name, lacks in marker.lacking(features, found == marker.unknown).items():
                missing[name] = missing[name] | lacks if name in missing else lacks
        answers = self.answers
        return Estimates(
            horizons_years=self.horizons_years,
            status=answers.status.take(index),
            risk=answers.risk.take(index, axis=0),
            lower=answers.lower.take(index, axis=0),
            upper=answers.upper.take(index, axis=0),
            missing=missing,
            groups=self.groups,
            possible=answers.possible.take(index, axis=0),
            score=answers.score.take(index),
            ranges=self.ranges,
        )


def _answer_all(score: PointScore) -> Answers:
    combinations = list(product(*(range(marker.unknown + 1) for marker in score.markers)))
    size, horizons, groups = len(combinations), len(score.horizons_years), len(score.bands)
    answers = Answers(
        status=np.empty(size, dtype=np.int8),
        score=np.full(size, np.nan),
        risk=np.full((size, horizons), np.nan),
        lower=np.full((size, horizons), np.nan),
        upper=np.full((size, horizons), np.nan),
        possible=np.zeros((size, groups), dtype=bool),
    )
    for index, states in enumerate(combinations):
        _answer(score, states, answers, index)
    return answers


def _answer(score: PointScore, states: tuple[int, ...], answers: Answers, index: int) -> None:
    unknown = sum(s == m.unknown for s, m in zip(states, score.markers, strict=True))
    if unknown == len(states):
        answers.status[index] = REFUSED
        return
    left = score.possible_of(states)
    bands = [i for i, band in enumerate(score.bands) if band in left]
    answers.possible[index, bands] = True
    answers.status[index] = PARTIAL if unknown else OK
    if not unknown:
        answers.score[index] = next(_totals(score, states))
    for column, horizon in enumerate(score.horizons_years):
        rates = [score.bands[i].risks.get(horizon, np.nan) for i in bands]
        if len(bands) == 1:
            answers.risk[index, column] = rates[0]
        if unknown:
            # One group without a published rate leaves the whole range unknown: NaN propagates.
            ends = float(np.min(rates)), float(np.max(rates))
        else:
            ends = score.bands[bands[0]].intervals.get(horizon, (np.nan, np.nan))
        answers.lower[index, column], answers.upper[index, column] = ends


def _totals(score: PointScore, states: Sequence[int]) -> Iterator[int]:
    """Every total of points that the unknown markers leave open."""
    open_ = [
        marker.points if at == marker.unknown else (marker.points[at],)
        for marker, at in zip(score.markers, states, strict=True)
    ]
    return (sum(points) for points in product(*open_))
