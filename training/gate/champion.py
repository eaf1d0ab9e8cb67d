"""The candidate against the champion that answers now, where both can be judged on these rows."""

from collections.abc import Mapping

import numpy as np

from models.learned import LearnedModel
from training.gate.contest import contest
from training.gate.verdict import Check
from training.landmarks import TrainingSet
from training.study import Study
from training.validation import OutOfFold

__all__ = ["champion_checks"]

LEAST_ANSWERED = 0.5
"""A champion that answers fewer of the rows is not compared on the rest (our own limit)."""


def champion_checks(
    rows: TrainingSet,
    study: Study,
    results: Mapping[str, OutOfFold],
    chosen: str,
    champion: LearnedModel,
    *,
    seed: int,
) -> list[Check]:
    """Non-inferiority to the champion, or why it was not measured.

    A champion that learnt from these very rows would be judged on what it knows by heart. If it is
    one of this training's candidates, its out-of-fold risks stand for it. A champion of an earlier
    state of the same cohort is judged as it is, which errs in its favour.

    Parameters
    ----------
    rows, study
        What the candidate was judged on.
    results, chosen
        Out-of-fold risks by candidate, and the one held to the gate.
    champion
        Version that answers now.
    seed
        Of the bootstrap.
    """
    name = f"the champion, version {champion.version}"
    opponent = _risk(rows, study, results, champion)
    if isinstance(opponent, str):
        limit = f"at most {study.gate.most_brier_loss:g}"
        return [Check.unmeasured(f"Brier loss against {name}", limit, opponent)]
    answered = np.flatnonzero(~np.isnan(opponent).any(axis=0))
    return contest(
        rows.rows(answered),
        study.decision_horizon_years,
        results[chosen].risk[:, answered, study.decision],
        opponent[:, answered],
        against=name,
        gate=study.gate,
        seed=seed,
    ).not_worse(study.gate)


def _risk(
    rows: TrainingSet, study: Study, results: Mapping[str, OutOfFold], champion: LearnedModel
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]] | str:
    """(r, n) risks of the champion at the decision horizon, or why there are none."""
    told = champion.provenance
    if told.get("cohort_digest") == rows.digest:
        if told.get("candidate") in results and told.get("study_hash") == study.hash:
            return results[told["candidate"]].risk[..., study.decision]
        return "it learnt from these very rows"
    if study.decision_horizon_years not in champion.horizons_years:
        return f"it gives no risk by {study.decision_horizon_years:g} years"
    unknown = [name for name in champion.features if name not in rows.features]
    if unknown:
        return f"the study lacks {', '.join(unknown)}"
    risk = champion.estimate_matrix(rows.columns(champion.features)).risk
    at = champion.horizons_years.index(study.decision_horizon_years)
    if np.isnan(risk[:, at]).mean() > LEAST_ANSWERED:
        return "it answers fewer than half of the rows"
    return risk[None, :, at]
