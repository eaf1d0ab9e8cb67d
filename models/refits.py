"""Bootstrap refits of a model, stored as what they add to its log odds.

A refit is a whole model of its own. To answer with hundreds of them would cost hundreds of answers,
so each is kept as its difference from the model, written on a basis that all share: straight pieces
of every feature, whether it is missing, the model's own log odds, and these times every feature.
One product then gives all refits of a row, whatever learner they are of. What that leaves of the
distance between the interval's ends and those of the refits themselves is written on the same
basis.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from features.history import Floats

__all__ = ["Refits"]

_Float = TypeVar("_Float", bound=np.floating[Any])

LEVELS = (1 / 3, 2 / 3)
"""Quantiles at which the straight pieces of a feature meet."""
RIDGE = 1e-3
"""Share of a function's mean square that is added, so that columns that say the same share."""
OWN = 3
"""Functions of the model's own log odds come first: 1, they themselves, their square."""
BLOCK_ROWS = 1024
TAILS = (0.025, 0.975)


@dataclass(frozen=True, slots=True)
class Refits:
    """What r refits, recalibrated each in its own sample, add to a model's log odds.

    Parameters
    ----------
    fill, centre, scale : (p,) arrays
        Value that stands for a missing one, and the standardisation.
    knots : (p, 2) array
        Where the straight pieces meet, in standardised units.
    coefficient : (h, q, r + 2) array of float32
        Of the basis: 1, the model's own log odds, their square; the own log odds times each
        feature; whether each feature is missing, the features, their pieces. After the refits comes
        what is added to the lower and to the upper end of the interval.
    ends : (h, 2, 2) array of float32
        What of the ends themselves is added to the lower and to the upper one.
    """

    fill: Floats
    centre: Floats
    scale: Floats
    knots: Floats
    coefficient: NDArray[np.float32]
    ends: NDArray[np.float32]

    def __len__(self) -> int:
        """Number of refits."""
        return int(self.coefficient.shape[2]) - len(TAILS)

    @classmethod
    def none(cls, features: int, horizons: int) -> "Refits":
        """No refits: the model has no interval."""
        nothing = np.zeros(features)
        return cls(nothing, nothing, np.ones(features), *_blank(features, horizons))

    @classmethod
    def of(cls, values: Floats, log_odds: Floats, refitted: Floats) -> "Refits":
        """Refits from the log odds that they give to the training rows.

        Parameters
        ----------
        values : (n, p) array
            Features of the rows, NaN where unknown.
        log_odds : (n, h) array
            Of the model itself, recalibrated.
        refitted : (r, n, h) array
            Of the refits. What of their spread the basis cannot follow is made up for by widening
            all of it, so that on average over the rows the variance is theirs; then the ends are
            moved to where those of the refits are, as far as the basis can tell.
        """
        measured = ~np.isnan(values)
        fill, centre = np.zeros((2, values.shape[1]))
        scale = np.ones(values.shape[1])
        knots, coefficient, ends = _blank(values.shape[1], log_odds.shape[1])
        for j in range(values.shape[1]):
            known = values[measured[:, j], j]
            if known.size:
                fill[j], centre[j] = np.median(known), known.mean()
                scale[j] = known.std() or 1.0
                knots[j] = (np.quantile(known, LEVELS) - centre[j]) / scale[j]
        basis = cls(fill, centre, scale, knots, coefficient, ends)._basis(values, log_odds)
        coefficients = []
        for h, own in enumerate(log_odds.T):
            deviation = (refitted[:, :, h] - own).T
            found = _regression(basis[:, h], deviation)
            followed = (basis[:, h] @ found).var(axis=1).mean()
            wanted = deviation.var(axis=1).mean()
            mean = found.mean(axis=1, keepdims=True)
            widened = np.sqrt(wanted / followed) if followed > 0 else 1.0
            found = mean + (found - mean) * widened
            got = np.quantile(basis[:, h] @ found, TAILS, axis=1).T
            left = np.quantile(deviation, TAILS, axis=1).T - got
            more = _regression(np.concatenate([basis[:, h], got], axis=1), left)
            coefficients.append(np.concatenate([found, more[: -len(TAILS)]], axis=1))
            ends[h] = more[-len(TAILS) :]
        return cls(fill, centre, scale, knots, np.stack(coefficients).astype(np.float32), ends)

    def interval(self, values: Floats, log_odds: Floats) -> tuple[Floats, Floats]:
        """2.5th and 97.5th percentile of the refits' log odds, (k, h) each; NaN without refits."""
        ends = np.full((*log_odds.shape, len(TAILS)), np.nan)
        if len(self):
            for start in range(0, len(values), BLOCK_ROWS):
                block = slice(start, start + BLOCK_ROWS)
                ends[block] = self._percentiles(values[block], log_odds[block])
        return ends[..., 0], ends[..., 1]

    def _percentiles(self, values: Floats, log_odds: Floats) -> Floats:
        """(k, h, 2) ends of the interval."""
        basis = self._basis(values, log_odds).astype(np.float32)
        # Stacked, so that every row is a product of its own: one and a million give the same bits.
        added = np.matmul(basis[:, :, None], self.coefficient)[:, :, 0]
        refits, tails = added[..., : -len(TAILS)], added[..., -len(TAILS) :]
        refits.sort(axis=2)
        found = _tails(refits)
        # Two products: written out, for the same bits again.
        moved = found[..., :1] * self.ends[:, 0] + found[..., 1:] * self.ends[:, 1]
        return np.asarray(log_odds[..., None] + found + tails + moved)

    def _basis(self, values: Floats, log_odds: Floats) -> Floats:
        """(k, h, q) functions that the coefficients are of."""
        absent = np.isnan(values)
        standard = (np.where(absent, self.fill, values) - self.centre) / self.scale
        pieces = np.maximum(standard[:, :, None] - self.knots, 0.0).reshape(len(values), -1)
        shared = np.concatenate([absent, standard, pieces], axis=1)
        basis = np.empty((*log_odds.shape, OWN + standard.shape[1] + shared.shape[1]))
        basis[:, :, 0] = 1.0
        basis[:, :, 1] = log_odds
        basis[:, :, 2] = log_odds**2
        np.multiply(
            log_odds[:, :, None],
            standard[:, None],
            out=basis[:, :, OWN : OWN + standard.shape[1]],
        )
        basis[:, :, OWN + standard.shape[1] :] = shared[:, None]
        return basis


def _blank(features: int, horizons: int) -> tuple[Floats, NDArray[np.float32], NDArray[np.float32]]:
    """Knots, coefficients and ends of no refits."""
    basis = OWN + features * (3 + len(LEVELS))
    return (
        np.zeros((features, len(LEVELS))),
        np.zeros((horizons, basis, len(TAILS)), dtype=np.float32),
        np.zeros((horizons, len(TAILS), len(TAILS)), dtype=np.float32),
    )


def _regression(basis: Floats, wanted: Floats) -> Floats:
    """(q, t) coefficients of t columns on (n, q) functions."""
    square = basis.T @ basis
    square += RIDGE * np.diag(np.maximum(np.diag(square), 1e-9))
    return np.asarray(np.linalg.solve(square, basis.T @ wanted))


def _tails(ordered: NDArray[_Float]) -> NDArray[_Float]:
    """Of values that ascend along the last axis, as `numpy.quantile` at a tenth of its cost."""
    below, above, share = _tail_places(ordered.shape[-1])
    low, high = ordered.take(below, axis=-1), ordered.take(above, axis=-1)
    return np.asarray(low + share.astype(ordered.dtype) * (high - low))


@lru_cache(maxsize=64)
def _tail_places(size: int) -> tuple[NDArray[np.intp], NDArray[np.intp], Floats]:
    """Values on either side of each of `TAILS` among so many, and how far it lies between."""
    below, share = np.divmod(np.array(TAILS) * (size - 1), 1.0)
    place = below.astype(np.intp)
    return place, np.minimum(place + 1, size - 1), share
