"""Instability by tenth of the cohort: what a report may show without showing any one subject."""

from dataclasses import dataclass

import numpy as np

from training.metrics.instability import Instability

TENTHS = 10


@dataclass(frozen=True, slots=True)
class Tenth:
    """Means over a tenth of the cohort, by risk: no value of any one subject.

    Parameters
    ----------
    risk, lower, upper
        Risk of the model, and ends of the interval of refitted models' risks.
    mean_absolute_error
        Distance of refitted risks from the model's own.
    flips
        Share of refitted models on the other side, by threshold.
    """

    risk: float
    lower: float
    upper: float
    mean_absolute_error: float
    flips: dict[float, float]


@dataclass(frozen=True, slots=True)
class ByTenth:
    """How much risks depend on the cohort the model happened to be fitted on, lowest first."""

    model: str
    horizon_years: float
    replicates: int
    tenths: tuple[Tenth, ...]

    @classmethod
    def of(cls, model: str, horizon_years: float, found: Instability) -> "ByTenth":
        """Instability by tenth of the model's own risk.

        Parameters
        ----------
        model, horizon_years
            Whose risks.
        found
            Their instability, subject by subject.
        """
        risk = found.risk
        parts = np.array_split(np.argsort(risk, kind="stable"), min(TENTHS, risk.size))
        tenths = tuple(
            Tenth(
                risk=float(risk[part].mean()),
                lower=float(found.lower[part].mean()),
                upper=float(found.upper[part].mean()),
                mean_absolute_error=float(found.mean_absolute_error[part].mean()),
                flips={p: float(share[part].mean()) for p, share in found.flips.items()},
            )
            for part in parts
        )
        return cls(model, horizon_years, found.replicates, tenths)


__all__ = ["ByTenth", "Tenth"]
