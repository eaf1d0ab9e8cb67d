"""From a cohort and a study design to a judged candidate: the pipeline, top to bottom.

cohort -> landmark rows -> is the design sound -> candidates and rule on the same folds -> the
simplest candidate within one standard error of the best -> the gate -> final fits with their
recalibration and bootstrap refits. Registering is `training.registry`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from features.errors import InputError
from features.history import Floats
from models.catalogue import PUBLISHED
from models.learned import LearnedModel
from training.candidates import CANDIDATES
from training.cohorts import Cohort
from training.diagnosis import Diagnosis, examine
from training.gate import Verdict, best_published, judge_candidate
from training.landmarks import TrainingSet
from training.recalibration import identity
from training.study import Study
from training.validation import OutOfFold, Progress, cross_validate

__all__ = ["RULE", "Final", "Trained", "summary", "train"]

RULE = "rule"


@dataclass(frozen=True, slots=True)
class Final:
    """A candidate fitted on the whole cohort, ready to be registered."""

    model: LearnedModel
    boosters: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Trained:
    """Everything one training found.

    Parameters
    ----------
    study, rows, diagnosis
        The question, the rows it was asked of, and whether it is sound on them.
    results
        Out-of-fold predictions and metrics by candidate, the rule among them.
    chosen
        Candidate held to the gate.
    verdict
        Of the gate.
    candidate, rule
        Final models: of the one held to the gate, and of the best published one, recalibrated.
    seed
        Of everything random.
    """

    study: Study
    rows: TrainingSet
    diagnosis: Diagnosis
    results: Mapping[str, OutOfFold]
    chosen: str
    verdict: Verdict
    candidate: Final
    rule: Final
    seed: int


def train(
    cohort: Cohort,
    study: Study,
    *,
    candidate: str | None = None,
    seed: int = 0,
    members: int = 40,
    overrides: Mapping[str, str] | None = None,
    diagnosed: Callable[[Diagnosis], None] = lambda _: None,
    progress: Progress = lambda _: None,
) -> Trained:
    """Train, judge and hold to the gate the best candidate a cohort supports.

    Parameters
    ----------
    cohort
        Real or simulated.
    study
        The design.
    candidate
        Insist on one candidate; None chooses among the default ones.
    seed
        Of folds, learners and bootstrap.
    members
        Bootstrap refits behind the interval.
    overrides
        Check of the diagnosis to the reason why its refusal is trained through.
    diagnosed
        Told the diagnosis, refused or not, before anything is fitted.
    progress
        Told what was done after each fit.

    Raises
    ------
    DesignError
        If the cohort cannot answer the study's question.
    """
    suited = [name for name, c in CANDIDATES.items() if not c.published and c.suits(study)]
    if candidate is not None and candidate not in suited:
        raise InputError("candidate", f"expected one of {', '.join(suited)}")
    rows, diagnosis = examine(cohort, study, overrides=overrides or {})
    diagnosed(diagnosis)
    diagnosis.stop_if_refused()
    considered = [
        name
        for name, c in CANDIDATES.items()
        if (c.default and c.suits(study)) or name == candidate
    ]
    results = cross_validate(rows, study, considered, seed=seed, progress=progress)
    chosen = candidate or _simplest_of_the_best(results, study)
    published = [name for name in results if CANDIDATES[name].published]
    opponent = best_published(results, published, study)
    verdict = judge_candidate(rows, study, results[chosen], results[opponent], seed=seed)
    provenance = _provenance(cohort, study, rows, seed) | {"diagnosis": diagnosis.summary()}
    final = {
        name: _final(rows, study, results[name], provenance, seed, members, progress)
        for name in (chosen, opponent)
    }
    return Trained(
        study, rows, diagnosis, results, chosen, verdict, final[chosen], final[opponent], seed
    )


def _simplest_of_the_best(results: Mapping[str, OutOfFold], study: Study) -> str:
    """First learner, simplest first, whose Brier score is within one standard error of the best."""
    horizon = study.decision_horizon_years
    brier = {
        name: result.mean("brier", horizon)
        for name, result in results.items()
        if not CANDIDATES[name].published
    }
    best = min(brier, key=lambda name: brier[name])
    slack = results[best].standard_error("brier", horizon)
    return next(name for name, score in brier.items() if score <= brier[best] + slack)


def _final(
    rows: TrainingSet,
    study: Study,
    result: OutOfFold,
    provenance: dict[str, Any],
    seed: int,
    members: int,
    progress: Progress,
) -> Final:
    """A candidate fitted on all rows, recalibrated as its out-of-fold predictions ask."""
    candidate = CANDIDATES[result.name]
    fit = candidate.fit(rows, study, seed=seed)
    refits = []
    for sample in _bootstrap(rows, members, seed):
        refits.append(candidate.fit(rows.rows(sample), study, seed=seed).learner)
        progress(f"{candidate.label}, interval")
    unchanged = identity(len(study.horizons_years))
    necessary = [name for name in study.necessary if name in fit.features]
    is_rule = result.name == RULE
    model = LearnedModel(
        name=study.registry_name,
        version="unregistered",
        label=study.label,
        citation=_citation(study, candidate.label, provenance),
        population=study.population,
        horizons_years=study.horizons_years,
        decision_horizon_years=study.decision_horizon_years,
        learner=fit.learner,
        recalibration=result.recalibration if candidate.recalibrated else unchanged,
        members=tuple(refits),
        features=fit.features,
        # A rule's group cannot be told while any of its markers is missing.
        necessary=fit.features if is_rule else tuple(necessary),
        expected=() if is_rule else tuple(n for n in study.expected if n in fit.features),
        plausible=_plausible(rows.columns(fit.features)),
        lookback_years=study.lookback_years,
        provenance=provenance
        | {
            "candidate": result.name,
            "learner": candidate.label,
            "rule": PUBLISHED[study.rule.model].label,
            "metrics": summary(result, study),
        },
    )
    return Final(model, fit.boosters)


def _bootstrap(rows: TrainingSet, members: int, seed: int) -> list[np.ndarray[Any, Any]]:
    """Row numbers of bootstrap samples of the subjects."""
    subjects, start = np.unique(rows.subject, return_index=True)
    order = np.argsort(rows.subject, kind="stable")
    of_subject = np.split(order, np.searchsorted(rows.subject[order], subjects)[1:])
    generator = np.random.default_rng(seed)
    return [
        np.concatenate([of_subject[s] for s in generator.integers(0, start.size, start.size)])
        for _ in range(members)
    ]


def _plausible(values: Floats) -> Floats:
    """(p, 2) 5th and 95th percentile of every column; zeros where nothing was measured."""
    ends = [
        np.quantile(column[~np.isnan(column)], [0.05, 0.95])
        if (~np.isnan(column)).any()
        else np.zeros(2)
        for column in values.T
    ]
    return np.array(ends)


def summary(result: OutOfFold, study: Study) -> dict[str, dict[str, float]]:
    """Mean cross-validated metrics by horizon, for manifest and tables."""
    return {
        f"{horizon:g}y": {
            metric: round(result.mean(metric, horizon), 6) for metric in ("auc", "brier", "ipa")
        }
        for horizon in study.horizons_years
    }


def _provenance(cohort: Cohort, study: Study, rows: TrainingSet, seed: int) -> dict[str, Any]:
    progressed = np.unique(rows.subject[rows.event == 1]).size
    return {
        "study": study.name,
        "study_hash": study.hash,
        "cohort": cohort.name,
        "cohort_kind": cohort.kind,
        "cohort_digest": rows.digest,
        "subjects": rows.subjects,
        "landmarks": len(rows.subject),
        "progressions": int(progressed),
        "left_out": rows.left_out,
        "refused": rows.refused,
        "seed": seed,
    }


def _citation(study: Study, learner: str, provenance: dict[str, Any]) -> str:
    kind = "real" if provenance["cohort_kind"] == "real" else "simulated"
    return (
        f"{learner}, study {study.name}, trained on {provenance['subjects']} subjects with "
        f"{provenance['progressions']} progressions of the {kind} cohort {provenance['cohort']}"
    )
