"""Parts of a cohort: no subgroup, held-out centre or later year may be surely miscalibrated.

A part has few events, so its observed over expected is noisy: a point outside the limits proves
nothing. A part fails when its whole 95 % interval lies outside them, and one with too few events is
not judged (Collins GS, BMJ 2024;385:e078378, items 12d and 14).
"""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from features.history import Floats
from models.link import risks_of
from training.folds import centre_folds, latest_fold
from training.gate.verdict import Check
from training.landmarks import TrainingSet
from training.metrics.censoring import ipcw_weights, unknowable
from training.metrics.estimate import clustered_standard_error, normal_quantile
from training.recalibration import ENOUGH
from training.refitting import fit_anew
from training.study import Gate, Study
from training.validation import OutOfFold

__all__ = ["HELD_OUT", "OF_PART", "observed_over_expected", "subgroup_checks", "travel_checks"]

Bools = NDArray[np.bool_]

OF_PART, HELD_OUT = "observed/expected, ", " held out"
"""How a check is named for a part of the cohort, and for one that the fit has not seen."""

YES_OR_NO = 0.5
"""The cut of a feature that is 0 or 1."""


def subgroup_checks(rows: TrainingSet, study: Study, candidate: OutOfFold) -> Iterator[Check]:
    """Calibration of out-of-fold risks in every subgroup of the study with enough events."""
    risk = candidate.risk[..., study.decision].mean(axis=0)
    for name, mask in _subgroups(rows, study.gate):
        part = rows.rows(mask)
        if _progressed(part, study) >= study.gate.least_part_events:
            yield _calibrated(f"{OF_PART}{name}", part, risk[mask], study)


def travel_checks(
    rows: TrainingSet, study: Study, candidate: OutOfFold, *, seed: int
) -> Iterator[Check]:
    """Calibration in each centre and in the latest diagnoses, by a fit that has not seen them.

    Settings, fit and recalibration are of the others alone; only the short list of settings is of
    the whole cohort.
    """
    for name, mask in _held_out(rows, study):
        listed = candidate.shortlist
        # The others are offered the recalibrations that the whole is.
        enough = ENOUGH * float(np.mean(~mask))
        others = rows.rows(~mask)
        fit, asked = fit_anew(candidate.name, others, study, listed, seed=seed, enough=enough)
        margin = fit.learner.margin(rows.rows(mask).columns(fit.features))
        risk = risks_of(asked.parameters, margin)[:, study.decision]
        yield _calibrated(f"{OF_PART}{name}{HELD_OUT}", rows.rows(mask), risk, study)


def observed_over_expected(
    rows: TrainingSet, risk: Floats, horizon_years: float
) -> tuple[float, float, float] | None:
    """Ratio and 95 % interval, symmetric for its logarithm and clustered by subject.

    Returns
    -------
    (ratio, lower, upper), or None when the horizon is beyond follow-up or nobody progresses.
    """
    known = ipcw_weights(rows.duration_years, rows.event, horizon_years)
    observed = float(np.average(known.case, weights=known.weights)) if known.total else 0.0
    if unknowable(known) is not None or observed == 0.0:
        return None
    influence = known.weights * (known.case - observed) * len(risk) / known.total
    _, cluster = np.unique(rows.subject, return_inverse=True)
    error = clustered_standard_error(influence, cluster.astype(np.int64))
    if error is None:
        return None
    ratio = observed / float(risk.mean())
    factor = float(np.exp(normal_quantile(0.95) * error / observed))
    return ratio, ratio / factor, ratio * factor


def _calibrated(name: str, rows: TrainingSet, risk: Floats, study: Study) -> Check:
    gate = study.gate
    limit = f"not surely outside {gate.least_oe:g}-{gate.most_oe:g}"
    found = observed_over_expected(rows, risk, study.decision_horizon_years)
    if found is None:
        return Check.unmeasured(name, limit, "follow-up there is too short")
    ratio, lower, upper = found
    return Check(name, ratio, limit, lower <= gate.most_oe and upper >= gate.least_oe)


def _progressed(rows: TrainingSet, study: Study) -> int:
    case = (rows.event == 1) & (rows.duration_years <= study.decision_horizon_years)
    return int(np.unique(rows.subject[case]).size)


def _subgroups(rows: TrainingSet, gate: Gate) -> Iterator[tuple[str, Bools]]:
    for feature, cuts in gate.subgroups.items():
        value = rows.columns((feature,))[:, 0]
        edges = [-np.inf, *cuts, np.inf]
        for low, high in pairwise(edges):
            yield _range_name(feature, low, high), (value >= low) & (value < high)
        yield f"{feature} unknown", np.isnan(value)


def _range_name(feature: str, low: float, high: float) -> str:
    if YES_OR_NO in (low, high):
        return f"{feature}: {'yes' if low == YES_OR_NO else 'no'}"
    if low == -np.inf:
        return f"{feature} below {high:g}"
    return f"{feature} from {low:g}" + ("" if high == np.inf else f" to below {high:g}")


def _held_out(rows: TrainingSet, study: Study) -> Iterator[tuple[str, Bools]]:
    horizon, folds = study.decision_horizon_years, study.folds
    progressed = (rows.event == 1) & (rows.duration_years <= horizon)
    if rows.centre is not None:
        for code, mask in centre_folds(
            rows.subject, rows.centre, progressed, least_events=folds.least_centre_events
        ):
            yield f"centre {rows.centres[code]}", mask
    if rows.diagnosed_years is not None:
        latest = latest_fold(rows.subject, rows.diagnosed_years, share=folds.latest_share)
        if latest is not None:
            yield f"latest {folds.latest_share:.0%} of diagnoses", latest
