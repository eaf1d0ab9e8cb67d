"""Learners as they are evaluated: from feature values to log odds, and what each feature adds."""

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from features.history import Floats
from models.forest import Forest
from models.grove import Grove, grow
from models.link import logit
from models.shapley import DEEPEST

__all__ = ["GroupLearner", "Learner", "LinearLearner", "TreeLearner"]


class Learner(Protocol):
    """From (k, p) feature values to (k, h) log odds, one column per horizon."""

    def margin(self, values: Floats) -> Floats:
        """Log odds of progression by each horizon, before recalibration."""
        ...

    def contributions(self, values: Floats, horizon: int) -> Floats:
        """(k, p) what each feature adds to the log odds at one horizon, by its place.

        Against the average of the training rows: with that average, a row sums to its margin.
        (k, 0) from a learner whose margin is no sum.
        """
        ...


@dataclass(frozen=True, slots=True)
class LinearLearner:
    """Penalised logistic regression on standardised features.

    Parameters
    ----------
    fill, centre, scale : (p,) arrays
        Value that stands for a missing one, and the standardisation; learnt without the outcome.
    coefficient : (h, p) array
    intercept : (h,) array
    """

    fill: Floats
    centre: Floats
    scale: Floats
    coefficient: Floats
    intercept: Floats

    def margin(self, values: Floats) -> Floats:
        """(k, h) log odds."""
        # Row by row sums, not a BLAS product: one row and a million give the same bits.
        product = np.einsum("kp,hp->kh", self._standard(values), self.coefficient)
        return np.asarray(product + self.intercept)

    def contributions(self, values: Floats, horizon: int) -> Floats:
        """(k, p) coefficient times standardised value; the intercept is the average."""
        return np.asarray(self._standard(values) * self.coefficient[horizon])

    def _standard(self, values: Floats) -> Floats:
        filled = np.where(np.isnan(values), self.fill, values)
        return np.asarray((filled - self.centre) / self.scale)


@dataclass(frozen=True)
class TreeLearner:
    """One boosted forest per horizon."""

    forests: tuple[Forest, ...]

    def margin(self, values: Floats) -> Floats:
        """(k, h) log odds."""
        return self._grove.margins(values)

    @cached_property
    def _grove(self) -> Grove:
        return grow(self.forests)

    def contributions(self, values: Floats, horizon: int) -> Floats:
        """(k, p) exact TreeSHAP; nothing for trees too deep to explain."""
        forest = self.forests[horizon]
        if forest.depth > DEEPEST:
            return np.empty((len(values), 0))
        return forest.contributions(values)


@dataclass(frozen=True, slots=True)
class GroupLearner:
    """A rule: the observed risk of its group.

    Parameters
    ----------
    cuts : (p,) array
        Cut of each feature.
    strict : (p,) array of bool
        Whether the cut itself is still below.
    steps : (s,) array of int
        Number of features past their cut at which each higher group starts, ascending.
    risk : (s + 1, h) array
        Observed cumulative incidence by group and horizon.
    """

    cuts: Floats
    strict: NDArray[np.bool_]
    steps: NDArray[np.int64]
    risk: Floats

    def group(self, values: Floats) -> NDArray[np.int64]:
        """(k,) group; meaningless where a feature is missing, which `margin` marks."""
        past = np.where(self.strict, values > self.cuts, values >= self.cuts)
        count = past.sum(axis=1)
        return np.asarray(np.searchsorted(self.steps, count, side="right"), dtype=np.int64)

    def margin(self, values: Floats) -> Floats:
        """(k, h) log odds; NaN where a feature of the rule is missing."""
        margin = logit(self.risk[self.group(values)])
        margin[np.isnan(values).any(axis=1)] = np.nan
        return margin

    def contributions(self, values: Floats, horizon: int) -> Floats:  # noqa: ARG002
        """None: a group is no sum."""
        return np.empty((len(values), 0))
