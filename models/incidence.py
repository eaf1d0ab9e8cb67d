"""The whole incidence curve from two competing hazards: progression, and death before it.

A learner of this kind has one predictor per cause and a baseline per interval of time. Its risks
cannot fall with the horizon, and death is not mistaken for a chance to progress later.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from features.history import Floats
from models.forest import Forest
from models.shapley import DEEPEST

__all__ = ["HazardLearner", "LinearPredictor"]

Link = Literal["softmax", "log"]

BLOCK_ROWS = 4096
"""Rows whose curves are held at once: bounds memory in a batch of millions."""
SMALLEST = 1e-12
STEP = 1e-6
LARGEST = 30.0
"""Log rates beyond this leave nothing to chance; exp of far more would overflow."""


@dataclass(frozen=True, slots=True)
class LinearPredictor:
    """Weighted sum of standardised features.

    Parameters
    ----------
    fill, centre, scale : (p,) arrays
        Value that stands for a missing one, and the standardisation; learnt without the outcome.
    coefficient : (p,) array
        Log hazard ratio per standard deviation.
    """

    fill: Floats
    centre: Floats
    scale: Floats
    coefficient: Floats

    def margin(self, values: Floats) -> Floats:
        """(k,) log hazard ratios against the centre."""
        # Row by row sums, not a BLAS product: one row and a million give the same bits.
        return np.asarray(np.einsum("kp,p->k", self._standard(values), self.coefficient))

    def contributions(self, values: Floats) -> Floats:
        """(k, p) coefficient times standardised value: the average is 0."""
        return np.asarray(self._standard(values) * self.coefficient)

    def _standard(self, values: Floats) -> Floats:
        filled = np.where(np.isnan(values), self.fill, values)
        return np.asarray((filled - self.centre) / self.scale)


@dataclass(frozen=True, slots=True)
class HazardLearner:
    """Cumulative incidence of progression from a hazard of progression and one of death.

    Parameters
    ----------
    progression, death
        Log hazard ratio of each cause from the features.
    baseline : (2, m) array
        Log baseline rate of each cause in every interval; -inf where nothing can happen.
    until : (h,) array of int
        Interval at whose end each horizon stands.
    link
        ``softmax``: the rates are odds against neither happening in the interval (person-period
        multinomial). ``log``: they are integrated hazards, constant in proportion within the
        interval (cause-specific Cox).
    """

    progression: LinearPredictor | Forest
    death: LinearPredictor
    baseline: Floats
    until: NDArray[np.int64]
    link: Link

    def margin(self, values: Floats) -> Floats:
        """(k, h) log odds of progression by each horizon; NaN where a predictor has none."""
        return self._log_odds(self.progression.margin(values), self.death.margin(values))

    def contributions(self, values: Floats, horizon: int) -> Floats:
        """(k, p) what each feature adds to the log odds at one horizon, by its place.

        The step from the average person is shared between the two hazards as Shapley shares it
        between two players, and within each in proportion to what features add to its log rate.
        Nothing for trees too deep to explain.
        """
        if isinstance(self.progression, Forest) and self.progression.depth > DEEPEST:
            return np.empty((len(values), 0))
        parts = self.progression.contributions(values), self.death.contributions(values)
        here = self.progression.margin(values), self.death.margin(values)
        average = [at - part.sum(axis=1) for at, part in zip(here, parts, strict=True)]
        # A hazard at its average adds nothing; moved a little, its slope there is still found.
        moved = [
            np.where(np.abs(h - a) < STEP, a + STEP, h) for h, a in zip(here, average, strict=True)
        ]
        both = (average[0], moved[0]), (average[1], moved[1])
        odds = self._log_odds(
            np.concatenate([both[0][i] for i in (0, 0, 1, 1)]),
            np.concatenate([both[1][i] for i in (0, 1, 0, 1)]),
        )[:, horizon].reshape(2, 2, -1)
        first = (odds[1, 0] - odds[0, 0] + odds[1, 1] - odds[0, 1]) / 2.0
        second = (odds[0, 1] - odds[0, 0] + odds[1, 1] - odds[1, 0]) / 2.0
        slopes = first / (moved[0] - average[0]), second / (moved[1] - average[1])
        return np.asarray(slopes[0][:, None] * parts[0] + slopes[1][:, None] * parts[1])

    def _log_odds(self, progression: Floats, death: Floats) -> Floats:
        """(k, h) log odds from (k,) log hazard ratios."""
        margin = np.empty((len(progression), self.until.size))
        for start in range(0, len(progression), BLOCK_ROWS):
            block = slice(start, start + BLOCK_ROWS)
            risk = self._incidence(progression[block], death[block])[:, self.until]
            kept = np.clip(risk, SMALLEST, 1.0 - SMALLEST)
            margin[block] = np.log(kept) - np.log1p(-kept)
        return margin

    def _incidence(self, progression: Floats, death: Floats) -> Floats:
        """(k, m) cumulative incidence of progression at the end of every interval, 0-1."""
        ratios = np.stack([progression, death])
        rates = np.exp(np.minimum(self.baseline[:, None] + ratios[..., None], LARGEST))
        total = rates.sum(axis=0)
        leaves = total / (1.0 + total) if self.link == "softmax" else -np.expm1(-total)
        by_progression = leaves * rates[0] / np.maximum(total, np.finfo(np.float64).tiny)
        stays = np.cumprod(1.0 - leaves[:, :-1], axis=1)
        before = np.concatenate([np.ones((len(progression), 1)), stays], axis=1)
        return np.asarray(np.cumsum(before * by_progression, axis=1))
