"""Bootstrap refits of a model, stored as what they add to its log odds.

A refit is a whole model of its own. To answer with hundreds of them would cost hundreds of answers,
so each is kept as its difference from the model, written on a basis that all share: straight pieces
of every feature, whether it is missing, and the model's own log odds. One product then gives all
refits of a row.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.history import Floats

__all__ = ["Refits"]

LEVELS = (0.25, 0.5, 0.75)
"""Quantiles at which the straight pieces of a feature meet."""
RIDGE = 1e-3
"""Share of a function's mean square that is added, so that columns that say the same share."""
OWN = 3
"""Functions of the model's own log odds come first: 1, they themselves, their square."""
BLOCK_ROWS = 1024
TAIL = 0.025


@dataclass(frozen=True, slots=True)
class Refits:
    """What r refits, recalibrated each in its own sample, add to a model's log odds.

    Parameters
    ----------
    fill, centre, scale : (p,) arrays
        Value that stands for a missing one, and the standardisation.
    knots : (p, 3) array
        Where the straight pieces meet, in standardised units.
    coefficient : (q, h, r) array of float32
        Of the basis: 1, the model's own log odds, their square; whether each feature is missing,
        the features, their pieces.
    """

    fill: Floats
    centre: Floats
    scale: Floats
    knots: Floats
    coefficient: NDArray[np.float32]

    def __len__(self) -> int:
        """Number of refits."""
        return int(self.coefficient.shape[2])

    @classmethod
    def none(cls, features: int, horizons: int) -> "Refits":
        """No refits: the model has no interval."""
        nothing = np.zeros(features)
        basis = OWN + features * (2 + len(LEVELS))
        return cls(
            nothing,
            nothing,
            np.ones(features),
            np.zeros((features, len(LEVELS))),
            np.zeros((basis, horizons, 0), dtype=np.float32),
        )

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
            all of it, so that on average over the rows the variance is theirs.
        """
        measured = ~np.isnan(values)
        fill, centre = np.zeros((2, values.shape[1]))
        scale = np.ones(values.shape[1])
        knots = np.zeros((values.shape[1], len(LEVELS)))
        for j in range(values.shape[1]):
            known = values[measured[:, j], j]
            if known.size:
                fill[j], centre[j] = np.median(known), known.mean()
                scale[j] = known.std() or 1.0
                knots[j] = (np.quantile(known, LEVELS) - centre[j]) / scale[j]
        horizons, refits = log_odds.shape[1], len(refitted)
        blank = np.zeros((0, horizons, refits), dtype=np.float32)
        shared = cls(fill, centre, scale, knots, blank)
        coefficients = []
        common = shared._basis(values)
        for h in range(horizons):
            own = log_odds[:, h]
            basis = np.column_stack([np.ones(len(values)), own, own**2, common])
            deviation = (refitted[:, :, h] - log_odds[:, h]).T
            square = basis.T @ basis
            square += RIDGE * np.diag(np.maximum(np.diag(square), 1e-9))
            found = np.linalg.solve(square, basis.T @ deviation)
            followed = (basis @ found).var(axis=1).mean()
            wanted = deviation.var(axis=1).mean()
            mean = found.mean(axis=1, keepdims=True)
            widened = np.sqrt(wanted / followed) if followed > 0 else 1.0
            coefficients.append(mean + (found - mean) * widened)
        return cls(fill, centre, scale, knots, np.stack(coefficients, axis=1).astype(np.float32))

    def interval(self, values: Floats, log_odds: Floats) -> tuple[Floats, Floats]:
        """2.5th and 97.5th percentile of the refits' log odds, (k, h) each; NaN without refits."""
        lower = np.full(log_odds.shape, np.nan)
        upper = lower.copy()
        if len(self):
            for start in range(0, len(values), BLOCK_ROWS):
                block = slice(start, start + BLOCK_ROWS)
                lower[block], upper[block] = self._percentiles(values[block], log_odds[block])
        return lower, upper

    def _percentiles(self, values: Floats, log_odds: Floats) -> tuple[Floats, Floats]:
        shift, slope, bend = self.coefficient[:OWN]
        own = log_odds[:, :, None].astype(np.float32)
        # Stacked, so that every row is a product of its own: one and a million give the same bits.
        basis = self._basis(values).astype(np.float32)[:, None]
        table = self.coefficient[OWN:].reshape(basis.shape[2], -1)
        shared = np.matmul(basis, table).reshape(len(values), *shift.shape)
        ordered = np.sort(shared + (shift + own * (slope + own * bend)), axis=2)
        lower, upper = (log_odds + _percentile(ordered, level) for level in (TAIL, 1.0 - TAIL))
        return lower, upper

    def _basis(self, values: Floats) -> Floats:
        """(k, q - 3) basis that all horizons share."""
        absent = np.isnan(values)
        standard = (np.where(absent, self.fill, values) - self.centre) / self.scale
        pieces = np.maximum(standard[:, :, None] - self.knots, 0.0).reshape(len(values), -1)
        return np.concatenate([absent, standard, pieces], axis=1)


def _percentile(ordered: Floats, level: float) -> Floats:
    """Of values that ascend along the last axis, as `numpy.quantile` at a tenth of its cost."""
    last = ordered.shape[-1] - 1
    below, share = divmod(level * last, 1.0)
    low, high = ordered[..., int(below)], ordered[..., min(int(below) + 1, last)]
    return np.asarray(low + share * (high - low))
