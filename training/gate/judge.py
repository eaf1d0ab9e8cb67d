"""What the gate asks of a candidate, from top to bottom."""

from collections.abc import Mapping, Sequence

import numpy as np

from training.gate.contest import contest
from training.gate.parts import observed_over_expected, subgroup_checks, travel_checks
from training.gate.verdict import Check, Verdict, number
from training.landmarks import TrainingSet
from training.metrics.calibration import weak_calibration
from training.metrics.instability import Instability
from training.study import Study
from training.validation import OutOfFold

__all__ = ["best_published", "judge_candidate"]


def best_published(results: Mapping[str, OutOfFold], published: Sequence[str], study: Study) -> str:
    """Recalibrated published model of the least out-of-fold Brier score: the one to beat."""
    horizon = study.decision_horizon_years
    return min(
        (name for name in published if name in results),
        key=lambda name: results[name].mean("brier", horizon),
    )


def judge_candidate(
    rows: TrainingSet,
    study: Study,
    candidate: OutOfFold,
    opponent: OutOfFold,
    *,
    instability: Instability | None = None,
    seed: int = 0,
) -> Verdict:
    """Hold a candidate's out-of-fold risks against the limits of the study.

    Parameters
    ----------
    rows, study
        What both were judged on.
    candidate, opponent
        On the same folds; the opponent is the best published model.
    instability
        Of the candidate's refits at the decision horizon; None when it was not measured.
    seed
        Of bootstrap and refits.
    """
    gate, at, horizon = study.gate, study.decision, study.decision_horizon_years
    ipa = candidate.mean("ipa", horizon)
    against = "the rule" if opponent.name == "rule" else opponent.name
    found = contest(
        rows,
        horizon,
        candidate.risk[..., at],
        opponent.risk[..., at],
        against=against,
        gate=gate,
        seed=seed,
    )
    return Verdict(
        candidate.name,
        (
            *_calibration_checks(rows, study, candidate),
            Check("IPA", number(ipa), f"above {gate.least_ipa:g}", ipa > gate.least_ipa),
            found.better(),
            *found.not_worse(gate),
            _instability_check(study, candidate, instability),
            *subgroup_checks(rows, study, candidate),
            *travel_checks(rows, study, candidate, seed=seed),
        ),
        opponent.name,
    )


def _calibration_checks(rows: TrainingSet, study: Study, candidate: OutOfFold) -> list[Check]:
    gate, at, horizon = study.gate, study.decision, study.decision_horizon_years
    ratio = observed_over_expected(rows, candidate.risk[..., at].mean(axis=0), horizon)
    slopes = [
        weak_calibration(rows.duration_years, rows.event, repeat[:, at], horizon, link="logit")
        for repeat in candidate.risk
    ]
    values = [found.slope.value for found in slopes if found.slope.value is not None]
    slope = float(np.mean(values)) if values else None
    return [
        Check.within(
            "observed/expected", None if ratio is None else ratio[0], gate.least_oe, gate.most_oe
        ),
        Check.within("calibration slope", slope, gate.least_slope, gate.most_slope),
    ]


def _instability_check(study: Study, candidate: OutOfFold, found: Instability | None) -> Check:
    """Average change of a person's risk from refit to refit, as a share of the average risk."""
    name, most = "instability of risks between refits", study.gate.most_instability
    if found is None:
        return Check.unmeasured(name, f"at most {most:g}", "no refits were made")
    average = float(candidate.risk[..., study.decision].mean())
    return Check.at_most(name, float(found.mean_absolute_error.mean()) / average, most)
