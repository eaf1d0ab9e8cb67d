"""The clinical gate: limits a candidate must keep before it may be champion.

It may leave the published rule as champion; that is a respectable outcome. All limits stand in the
study design. Comparisons are paired – same people, same folds, same missingness – against the rule
recalibrated on the same training folds, with standard errors clustered by subject.
"""

from dataclasses import dataclass

import numpy as np

from features.history import Floats
from models.learned import logit
from training.landmarks import TrainingSet
from training.metrics.censoring import IpcwWeights, ipcw_weights
from training.metrics.estimate import clustered_standard_error
from training.recalibration import intercept_and_slope
from training.study import Study
from training.validation import OutOfFold

__all__ = ["Check", "Verdict", "judge_candidate"]

Z_ONE_SIDED_95 = 1.6448536269514722
"""95th percentile of the standard normal distribution: non-inferiority is a one-sided question."""


@dataclass(frozen=True, slots=True)
class Check:
    """One limit and what the candidate shows.

    Parameters
    ----------
    name
        What is limited.
    value
        What was found, by cross-validation at the decision horizon.
    limit
        What was asked, in words.
    passed
    """

    name: str
    value: float
    limit: str
    passed: bool

    def __str__(self) -> str:
        return f"{self.name} {self.value:.4g}, must be {self.limit}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a candidate may become champion, and every check behind it."""

    candidate: str
    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Whether every limit is kept."""
        return all(check.passed for check in self.checks)

    @property
    def failures(self) -> list[str]:
        """The limits that are not kept."""
        return [str(check) for check in self.checks if not check.passed]


def judge_candidate(
    rows: TrainingSet, study: Study, candidate: OutOfFold, rule: OutOfFold
) -> Verdict:
    """Hold a candidate's out-of-fold risks against the limits of the study."""
    gate, at = study.gate, study.decision
    horizon = study.decision_horizon_years
    known = ipcw_weights(rows.duration_years, rows.event, horizon)
    risk, of_rule = candidate.risk[..., at], rule.risk[..., at]
    observed = np.average(known.case, weights=known.weights)
    oe = observed / risk.mean()
    slope = np.mean(
        [intercept_and_slope(rows, logit(repeat), study)[at, 1] for repeat in candidate.risk]
    )
    ipa = candidate.mean("ipa", horizon)
    checks = [
        _within("observed/expected", oe, gate.least_oe, gate.most_oe),
        _within("calibration slope", slope, gate.least_slope, gate.most_slope),
        Check("IPA", ipa, f"above {gate.least_ipa:g}", ipa > gate.least_ipa),
        *_brier_checks(rows, known, risk, of_rule, gate.most_brier_loss),
    ]
    checks += [
        _net_benefit_check(rows, known, risk, of_rule, threshold, gate.most_net_benefit_loss)
        for threshold in gate.thresholds
    ]
    return Verdict(candidate.name, tuple(checks))


def _within(name: str, value: float, least: float, most: float) -> Check:
    return Check(name, float(value), f"within {least:g}-{most:g}", bool(least <= value <= most))


def _brier_checks(
    rows: TrainingSet, known: IpcwWeights, risk: Floats, of_rule: Floats, margin: float
) -> list[Check]:
    """Brier loss against the rule: the estimate must be a gain, its upper bound within a margin."""
    case = known.case.astype(np.float64)
    squares = ((case - risk) ** 2 - (case - of_rule) ** 2).mean(axis=0)
    loss, error = _weighted_mean(rows, known, squares)
    upper = loss + Z_ONE_SIDED_95 * error
    return [
        Check("Brier loss against the rule", loss, "below 0", loss < 0.0),
        Check(
            "Brier loss, one-sided upper 95 % bound", upper, f"at most {margin:g}", upper <= margin
        ),
    ]


def _net_benefit_check(
    rows: TrainingSet,
    known: IpcwWeights,
    risk: Floats,
    of_rule: Floats,
    threshold: float,
    margin: float,
) -> Check:
    """Net benefit lost against the rule when everyone above a threshold is treated."""
    odds = threshold / (1.0 - threshold)
    worth = np.where(known.case, 1.0, -odds)
    flagged = (risk >= threshold).mean(axis=0) - (of_rule >= threshold).mean(axis=0)
    gain, error = _weighted_mean(rows, known, worth * flagged)
    upper = Z_ONE_SIDED_95 * error - gain
    name = f"net benefit lost at {threshold:g}, one-sided upper 95 % bound"
    return Check(name, upper, f"at most {margin:g}", upper <= margin)


def _weighted_mean(rows: TrainingSet, known: IpcwWeights, values: Floats) -> tuple[float, float]:
    """Mean over the population the weights stand for, and its error clustered by subject.

    The censoring weights are taken as known, which errs towards caution; the error of a single
    subject is infinite.
    """
    contribution = known.weights * values * values.size / known.total
    mean = float(contribution.mean())
    _, cluster = np.unique(rows.subject, return_inverse=True)
    # Deviations, since the mean is over rows and subjects differ in how many they have.
    error = clustered_standard_error(contribution - mean, cluster)
    return mean, np.inf if error is None else error
