"""Sample size of a prediction model: how many subjects a number of parameters needs.

The three criteria for a risk at a fixed horizon (Riley RD, Stat Med 2019;38:1276, doi:10.1002/
sim.7992; BMJ 2020;368:m441, doi:10.1136/bmj.m441): (i) predictions expected to be shrunk by a tenth
at most, (ii) an optimism in Nagelkerke's R² of at most 0.05, (iii) the overall risk known to within
0.05.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

__all__ = [
    "SampleSize",
    "cox_snell_of_auc",
    "expected_shrinkage",
    "parameters_supported",
    "sample_size",
]

SHRINKAGE = 0.9
OPTIMISM = 0.05
MARGIN = 0.05
Z_95 = 1.96
"""As in the papers and in their program `pmsampsize`."""

NODES = 64


@dataclass(frozen=True, slots=True)
class SampleSize:
    """Subjects needed by each criterion.

    Parameters
    ----------
    shrinkage, optimism, overall_risk
        Criteria (i), (ii) and (iii).
    """

    shrinkage: int
    optimism: int
    overall_risk: int

    @property
    def needed(self) -> int:
        """The largest of the three."""
        return max(self.shrinkage, self.optimism, self.overall_risk)


def sample_size(*, parameters: float, risk: float, cox_snell: float) -> SampleSize:
    """Subjects needed to develop a model.

    Parameters
    ----------
    parameters
        Candidate parameters, above 0; effective ones need not be whole.
    risk
        Share with the outcome at the horizon, within 0–1.
    cox_snell
        Cox–Snell R² the model is anticipated to have, adjusted for optimism.

    Examples
    --------
    The Chagas disease model of Riley 2019:

    >>> sample_size(parameters=24, risk=0.174, cox_snell=0.288)
    SampleSize(shrinkage=623, optimism=662, overall_risk=221)
    """
    tolerable = cox_snell / (cox_snell + OPTIMISM * _most_cox_snell(risk))
    return SampleSize(
        shrinkage=_subjects(parameters, SHRINKAGE, cox_snell),
        optimism=_subjects(parameters, tolerable, cox_snell),
        overall_risk=math.ceil((Z_95 / MARGIN) ** 2 * risk * (1 - risk)),
    )


def parameters_supported(subjects: float, *, risk: float, cox_snell: float) -> int:
    """Most parameters that so many subjects support by criteria (i) and (ii).

    Examples
    --------
    A risk of 15 % and an AUC of 0.75:

    >>> cox_snell = cox_snell_of_auc(0.75, 0.15)
    >>> [parameters_supported(n, risk=0.15, cox_snell=cox_snell) for n in (600, 1031)]
    [7, 12]
    """
    tolerable = cox_snell / (cox_snell + OPTIMISM * _most_cox_snell(risk))
    shrinkage = max(SHRINKAGE, tolerable)
    return math.floor(subjects * (shrinkage - 1) * math.log(1 - cox_snell / shrinkage))


def expected_shrinkage(subjects: float, *, parameters: float, cox_snell: float) -> float:
    """Factor by which predictions will have to be shrunk: 1 is no overfitting, 0 is nothing but.

    The S that solves criterion (i) for a sample that is there already. Its fit to the sample at
    hand (apparent R²) is the anticipated one over S, so S = 1 + p / (n ln(1 - R²/S)).
    """
    low, high = cox_snell, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        implied = 1 + parameters / (subjects * math.log(1 - min(cox_snell / middle, 1 - 1e-12)))
        low, high = (middle, high) if implied > middle else (low, middle)
    return high


def cox_snell_of_auc(auc: float, risk: float) -> float:
    """Cox–Snell R² of a well calibrated model with an AUC, its log odds normal in both groups.

    The approximation of Riley RD, Stat Med 2021;40:859, doi:10.1002/sim.8806, who draw a large
    sample; here the two expectations are Gauss–Hermite sums. With log odds d apart (in standard
    deviations of either group) the AUC is Φ(d/√2), and the log odds of the outcome are linear.

    Parameters
    ----------
    auc
        Within 0.5–1.
    risk
        Share with the outcome, within 0–1.

    Examples
    --------
    >>> round(cox_snell_of_auc(0.89, 0.174), 2)
    0.29
    """
    distance = math.sqrt(2) * NormalDist().inv_cdf(auc)
    node, weight = np.polynomial.hermite_e.hermegauss(NODES)
    weight = weight / weight.sum()
    constant = math.log(risk / (1 - risk)) - distance**2 / 2
    with_outcome = -np.logaddexp(0, -(constant + distance * (node + distance)))
    without = -np.logaddexp(0, constant + distance * node)
    likelihood = risk * float(weight @ with_outcome) + (1 - risk) * float(weight @ without)
    return 1 - math.exp(-2 * (likelihood - _null_likelihood(risk)))


def _subjects(parameters: float, shrinkage: float, cox_snell: float) -> int:
    return math.ceil(parameters / ((shrinkage - 1) * math.log(1 - cox_snell / shrinkage)))


def _most_cox_snell(risk: float) -> float:
    return 1 - math.exp(2 * _null_likelihood(risk))


def _null_likelihood(risk: float) -> float:
    """Log-likelihood per subject of the overall risk alone."""
    return risk * math.log(risk) + (1 - risk) * math.log(1 - risk)
