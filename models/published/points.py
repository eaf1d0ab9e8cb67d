"""Published scores that add points: one engine, each score is data.

A marker that is missing may still hold any of its point values, so a score without it is the set of
totals that remain reachable; the answer is the groups these totals fall in and the range of risks
those groups carry.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from features.history import Floats
from features.landmark import LandmarkFeatures
from models.risk import OK, PARTIAL, REFUSED, Estimates

__all__ = ["Band", "Marker", "PointScore", "above"]

Bools = NDArray[np.bool_]
Points = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Marker:
    """One marker of a point score.

    Parameters
    ----------
    name
        What is missing when it is missing: an analyte or field that a caller can give.
    features
        Features it reads.
    values
        Points it can give, ascending from 0.
    points
        From the (k,) values of `features` to (k,) points; only asked where all are known.
    criterion
        The inequality as published, for people.
    """

    name: str
    features: tuple[str, ...]
    values: tuple[int, ...]
    points: Callable[..., Points]
    criterion: str


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
    risks: dict[float, float]
    intervals: dict[float, tuple[float, float]]


def above(*cuts: float) -> Callable[[Floats], Points]:
    """Index of the highest cut that each value strictly exceeds, 0 for none.

    Examples
    --------
    >>> above(20.0)(np.array([20.0, 20.1]))
    array([0, 1])
    """
    return lambda value: np.searchsorted(np.array(cuts), value, side="left").astype(np.int64)


@dataclass(frozen=True, slots=True)
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
    """

    name: str
    label: str
    version: str
    citation: str
    population: Literal["smm", "mgus"]
    markers: tuple[Marker, ...]
    bands: tuple[Band, ...]
    horizons_years: tuple[float, ...]
    kind: Literal["published", "learned"] = "published"

    @property
    def required(self) -> tuple[str, ...]:
        """Features without which the answer is partial."""
        return tuple(feature for marker in self.markers for feature in marker.features)

    @property
    def optional(self) -> tuple[str, ...]:
        """None: every marker counts."""
        return ()

    def estimate(self, features: LandmarkFeatures) -> Estimates:
        """Groups and published risks at every landmark."""
        size = len(features)
        known: dict[str, Bools] = {}
        reachable = np.zeros((size, self._most() + 1), dtype=bool)
        reachable[:, 0] = True
        score = np.zeros(size)
        for marker in self.markers:
            columns = [features[name] for name in marker.features]
            known[marker.name] = np.asarray(~np.isnan(np.stack(columns)).any(axis=0))
            points = np.zeros(size, dtype=np.int64)
            points[known[marker.name]] = marker.points(*(c[known[marker.name]] for c in columns))
            reachable = _add(reachable, marker, points, known[marker.name])
            score += points
        table = np.stack(list(known.values()))
        all_known, any_known = table.all(axis=0), table.any(axis=0)
        possible = self._bands(reachable)
        answered = np.where(any_known, PARTIAL, REFUSED)
        status = np.where(all_known, OK, answered).astype(np.int8)
        possible[status == REFUSED] = False
        return self._with_risks(
            status, possible, np.where(all_known, score, np.nan), {n: ~k for n, k in known.items()}
        )

    def _most(self) -> int:
        return sum(marker.values[-1] for marker in self.markers)

    def _bands(self, reachable: Bools) -> Bools:
        inside = [reachable[:, band.least : band.most + 1].any(axis=1) for band in self.bands]
        return np.stack(inside, axis=1)

    def _with_risks(
        self, status: NDArray[np.int8], possible: Bools, score: Floats, missing: dict[str, Bools]
    ) -> Estimates:
        published = self._table(lambda band, t: band.risks.get(t, np.nan))
        low = self._table(lambda band, t: band.intervals.get(t, (np.nan, np.nan))[0])
        high = self._table(lambda band, t: band.intervals.get(t, (np.nan, np.nan))[1])
        single = (possible.sum(axis=1) == 1)[:, None]
        only = possible.argmax(axis=1)
        risk = np.where(single, published[only], np.nan)
        # Over several groups the range runs over their rates; one group without a published rate
        # leaves its end of the range unknown.
        spread = np.where(possible[:, :, None], published[None], np.inf)
        lowest = np.where(single, low[only], spread.min(axis=1, initial=np.inf))
        spread = np.where(possible[:, :, None], published[None], -np.inf)
        highest = np.where(single, high[only], spread.max(axis=1, initial=-np.inf))
        refused = (status == REFUSED)[:, None]
        return Estimates(
            horizons_years=self.horizons_years,
            status=status,
            risk=np.where(refused, np.nan, risk),
            lower=np.where(refused, np.nan, lowest),
            upper=np.where(refused, np.nan, highest),
            missing=missing,
            groups=tuple(band.group for band in self.bands),
            possible=possible,
            score=score,
            ranges="confidence interval",
        )

    def _table(self, value: Callable[[Band, float], float]) -> Floats:
        """(bands, horizons) of one published quantity."""
        return np.array([[value(band, t) for t in self.horizons_years] for band in self.bands])


def _add(reachable: Bools, marker: Marker, points: Points, known: Bools) -> Bools:
    """Totals reachable once a marker's points are added."""
    total = np.zeros_like(reachable)
    for value in marker.values:
        takes = np.where(known, points == value, True)
        total[:, value:] |= reachable[:, : reachable.shape[1] - value] & takes[:, None]
    return total
