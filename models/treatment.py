"""What treatment would change: expected absolute benefit, risk x (1 - hazard ratio).

Shown only when asked for. The hazard ratio is that of the trial's own patients and outcome, which
counts deaths; carried to a person outside that population, or to a risk of progression alone, it is
an approximation, and on the probability scale an upper bound of the benefit: 1 - (1 - r)^HR, exact
under proportional hazards, leaves more risk than r x HR.
"""

from dataclasses import dataclass

import numpy as np

from features.history import Floats
from models.risk import Estimates
from models.trial import Treatment

__all__ = ["HORIZONS_YEARS", "Benefit", "expected_benefit"]

HORIZONS_YEARS = (2.0, 5.0)


@dataclass(frozen=True, slots=True)
class Benefit:
    """Expected absolute reduction of the risk at k landmarks.

    Parameters
    ----------
    treatment
        Trial result it rests on.
    horizons_years : tuple of h floats
        Those of 2 and 5 years that the model has.
    reduction : (k, h) array
        Risk x (1 - HR), 0-1; NaN where the model gives no risk.
    lower, upper : (k, h) arrays
        The same at the ends of the hazard ratio's 95 % interval; the risk's own uncertainty is not
        in it. Where the model gives only a range of risks, over that range as well.
    """

    treatment: Treatment
    horizons_years: tuple[float, ...]
    reduction: Floats
    lower: Floats
    upper: Floats

    @property
    def statement(self) -> str:
        """Whose result this is, for people."""
        of = self.treatment
        low, high = of.interval
        return (
            f"{of.drug}: hazard ratio {of.hazard_ratio:g} ({low:g}-{high:g}) for {of.outcome}, in "
            f"{of.population}; {of.citation}"
        )


def expected_benefit(estimates: Estimates, treatment: Treatment) -> Benefit:
    """Expected absolute benefit at 2 and 5 years, as far as the model has these horizons.

    Parameters
    ----------
    estimates
        Of one model at k landmarks.
    treatment
        From a trial's rules.

    Examples
    --------
    >>> from models.trial import load_trial
    >>> row = np.array([[0.4]])
    >>> estimates = Estimates((2.0,), np.array([0], dtype=np.int8), row, row, row)
    >>> expected_benefit(estimates, load_trial("AQUILA").treatment).reduction.round(3)
    array([[0.204]])
    """
    columns = [i for i, t in enumerate(estimates.horizons_years) if t in HORIZONS_YEARS]
    risk = estimates.risk[:, columns]
    known = ~np.isnan(risk)
    least = np.where(known, risk, estimates.lower[:, columns])
    most = np.where(known, risk, estimates.upper[:, columns])
    low, high = treatment.interval
    return Benefit(
        treatment=treatment,
        horizons_years=tuple(estimates.horizons_years[i] for i in columns),
        reduction=risk * (1.0 - treatment.hazard_ratio),
        lower=least * (1.0 - high),
        upper=most * (1.0 - low),
    )
