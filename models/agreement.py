"""Where models agree and part about the same person.

Agreement between published scores is poor – Mayo 2008, PETHEMA and Mayo 2018 agreed in 16.6 % of
145 patients (Hill E, JAMA Oncol 2021;7:132) – so one score's answer never stands alone here. Two
models agree where their risks, or the ranges of what they leave open, lie less than `MARGIN` apart.
"""

from collections.abc import Mapping
from operator import itemgetter
from typing import NamedTuple

import numpy as np

from features.history import Floats, Ints
from models.risk import PARTIAL, Estimates

__all__ = [
    "MARGIN",
    "Agreement",
    "Voice",
    "agreement_at",
    "agreement_of",
    "apart_shares",
    "extremes",
    "ranges_at_horizon",
]

MARGIN = 0.10
"""Absolute. Neighbouring groups of 20/2/20 lie 0.117 and 0.263 apart at two years: a tenth is about
the smallest difference that a published group means."""


class Voice(NamedTuple):
    """What one model says: a risk, or the range of what it leaves open.

    Parameters
    ----------
    model
        Identifier.
    lower, upper
        Equal for a risk, 0-1.
    """

    model: str
    lower: float
    upper: float


class Agreement(NamedTuple):
    """The models' answers about one landmark at one horizon.

    Parameters
    ----------
    horizon_years
        Of the risks.
    voices
        Models that answer there, lowest first.
    apart
        Pairs whose risks or ranges lie `MARGIN` or more apart, the lower model first.
    """

    horizon_years: float
    voices: tuple[Voice, ...]
    apart: tuple[tuple[str, str], ...]

    @property
    def agree(self) -> bool:
        """Whether no two models part."""
        return not self.apart


def ranges_at_horizon(estimates: Estimates, horizon_years: float) -> tuple[Floats, Floats]:
    """(k,) lowest and highest risk a model leaves open; NaN where it says nothing.

    A confidence interval is not counted: it is doubt about a rate, not an answer left open.
    """
    nothing = np.full(estimates.status.size, np.nan)
    if horizon_years not in estimates.horizons_years:
        return nothing, nothing
    column = estimates.horizons_years.index(horizon_years)
    risk = estimates.risk[:, column]
    open_ = (estimates.status == PARTIAL) & np.isnan(risk)
    told = estimates.status <= PARTIAL
    lower = np.where(open_, estimates.lower[:, column], np.where(told, risk, np.nan))
    upper = np.where(open_, estimates.upper[:, column], np.where(told, risk, np.nan))
    return lower, upper


def agreement_at(estimates: Mapping[str, Estimates], horizon_years: float, i: int = 0) -> Agreement:
    """Agreement of models about landmark i.

    Parameters
    ----------
    estimates
        Model to what it says of k landmarks.
    horizon_years
        Horizon to compare at; models without it are left out.

    Examples
    --------
    >>> def says(risk):
    ...     row = np.array([[risk]])
    ...     return Estimates((2.0,), np.array([0], dtype=np.int8), row, row, row)
    >>> agreement_at({"a": says(0.06), "b": says(0.44), "c": says(0.41)}, 2.0).apart
    (('a', 'c'), ('a', 'b'))
    """
    voices = []
    for model, found in estimates.items():
        lower, upper = (float(end[i]) for end in ranges_at_horizon(found, horizon_years))
        if not np.isnan(lower):
            voices.append(Voice(model, lower, upper))
    return agreement_of(voices, horizon_years)


def agreement_of(voices: list[Voice], horizon_years: float) -> Agreement:
    """Agreement of what models say about one person, in any order."""
    voices.sort(key=_RANGE)
    apart = tuple(
        [
            (low, high)
            for place, (low, _, upper) in enumerate(voices, 1)
            for high, lower, _ in voices[place:]
            if lower - upper >= MARGIN
        ]
    )
    return Agreement(horizon_years, tuple(voices), apart)


_RANGE = itemgetter(1, 2)


def extremes(lower: Floats, upper: Floats) -> tuple[Ints, Ints]:
    """(k,) model that says least and model that says most about each landmark.

    -1 and -1 where no two of them part, as `agreement_at` finds.

    Parameters
    ----------
    lower, upper : (m, k) arrays
        What each of m models leaves open (`ranges_at_horizon`); NaN where it does not speak.

    Examples
    --------
    >>> low = np.array([[0.06, 0.06], [0.44, 0.10], [0.41, np.nan]])
    >>> [found.tolist() for found in extremes(low, low)]
    [[0, -1], [1, -1]]
    """
    # Some pair parts if, and only if, the lowest upper end and the highest lower end do.
    least = np.argmin(np.where(np.isnan(upper), np.inf, upper), axis=0)
    most = np.argmax(np.where(np.isnan(lower), -np.inf, lower), axis=0)
    column = np.arange(lower.shape[1])
    apart = lower[most, column] - upper[least, column] >= MARGIN
    return np.where(apart, least, -1), np.where(apart, most, -1)


def apart_shares(estimates: Mapping[str, Estimates], horizon_years: float) -> Floats:
    """(m, m) share of landmarks about which two models part, of those both speak of.

    NaN where no landmark is answered by both, 0 on the diagonal.
    """
    ranges = [ranges_at_horizon(found, horizon_years) for found in estimates.values()]
    shares = np.full((len(ranges), len(ranges)), np.nan)
    for a, (low_a, high_a) in enumerate(ranges):
        for b, (low_b, high_b) in enumerate(ranges):
            both = ~(np.isnan(low_a) | np.isnan(low_b))
            if both.any():
                gap = np.maximum(low_b - high_a, low_a - high_b)[both]
                shares[a, b] = (gap >= MARGIN).mean()
    return shares
