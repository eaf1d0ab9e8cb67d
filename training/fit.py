"""From a cohort and a study design to a judged candidate: the pipeline, top to bottom.

cohort -> landmark rows -> is the design sound -> candidates and rule on the same folds, each tuned
inside them -> the simplest candidate within one standard error of the best -> the gate -> final
fits with their recalibration and bootstrap refits. Registering is `training.registry`.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from features.errors import DesignError, InputError
from features.history import Floats
from models.catalogue import PUBLISHED
from models.learned import LearnedModel
from training.candidates import CANDIDATES
from training.cohorts import Cohort
from training.diagnosis import Diagnosis, examine
from training.gate import Verdict, best_published, judge_candidate
from training.landmarks import TrainingSet
from training.metrics.instability import Instability
from training.refitting import refit
from training.selection import simplest_of_the_best
from training.software import software_digest
from training.study import Study
from training.validation import OutOfFold, cross_validate
from training.workshop import Workshop

__all__ = ["RULE", "Final", "Trained", "choice", "considered", "search", "summary", "train"]

RULE = "rule"
QUICK_REFITS = 40
"""Refits without a search: an interval's ends are then rough, and the training takes seconds."""


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
    work
        Name under which a workshop keeps its finished pieces.
    instability
        Of the candidate's risks at the decision horizon, over refits of the whole pipeline; None
        without refits.
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
    work: str = ""
    instability: Instability | None = None


def train(
    cohort: Cohort,
    study: Study,
    *,
    candidate: str | None = None,
    seed: int = 0,
    refits: int | None = None,
    searched: bool = False,
    storage: str | None = None,
    workshop: Workshop | None = None,
    overrides: Mapping[str, str] | None = None,
    diagnosed: Callable[[Diagnosis], None] = lambda _: None,
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
    refits
        Bootstrap refits behind interval and instability; as the study says when None, or
        `QUICK_REFITS` without a search.
    searched
        Whether candidates are tuned as the study says, nested in every fold: minutes instead of
        seconds.
    storage
        URL of the database of the search's trials; None keeps them in memory.
    workshop
        Where the fits are done; here, one after the other, when None.
    overrides
        Check of the diagnosis to the reason why its refusal is trained through.
    diagnosed
        Told the diagnosis, refused or not, before anything is fitted.

    Raises
    ------
    DesignError
        If the cohort cannot answer the study's question.
    """
    names = considered(study, candidate)
    rows, diagnosis = examine(cohort, study, overrides=overrides or {})
    diagnosed(diagnosis)
    diagnosis.stop_if_refused()
    work = _work_name(rows, study, candidate, seed, searched=searched)
    shop = (workshop or Workshop()).within(work)
    results = cross_validate(
        rows,
        study,
        names,
        seed=seed,
        search=study.search if searched else None,
        storage=storage,
        workshop=shop,
    )
    chosen = candidate or choice(results, study)
    published = [name for name in results if CANDIDATES[name].published]
    opponent = best_published(results, published, study)
    provenance = _provenance(cohort, study, rows, seed) | {
        "diagnosis": diagnosis.summary(),
        "searched": searched,
    }
    if refits is None:
        refits = study.search.refits if searched else QUICK_REFITS
    made, unstable = _final(rows, study, results[chosen], provenance, seed, refits, shop)
    rule, _ = _final(rows, study, results[opponent], provenance, seed, refits, shop)
    verdict = judge_candidate(
        rows, study, results[chosen], results[opponent], instability=unstable, seed=seed
    )
    return Trained(
        study, rows, diagnosis, results, chosen, verdict, made, rule, seed, work, unstable
    )


def search(
    cohort: Cohort,
    study: Study,
    *,
    storage: str,
    candidate: str | None = None,
    seed: int = 0,
    workshop: Workshop | None = None,
    overrides: Mapping[str, str] | None = None,
    diagnosed: Callable[[Diagnosis], None] = lambda _: None,
) -> list[str]:
    """Do a share of the trials of a training with the same arguments elsewhere, and nothing else.

    Parameters
    ----------
    storage
        URL of the database that both share.
    cohort, study, candidate, seed, workshop, overrides, diagnosed
        As for `train`.

    Returns
    -------
    list of strings
        Names of the candidates whose settings have been tried.

    Raises
    ------
    DesignError
        If the cohort cannot answer the study's question.
    """
    names = considered(study, candidate)
    rows, diagnosis = examine(cohort, study, overrides=overrides or {})
    diagnosed(diagnosis)
    diagnosis.stop_if_refused()
    cross_validate(
        rows, study, names, seed=seed, search=study.search, storage=storage, workshop=workshop
    )
    return [n for n in names if study.search.spaces.get(n) and study.search.trials > 1]


def considered(study: Study, candidate: str | None) -> list[str]:
    """Names of the candidates, simplest first; published models are always among them."""
    given = {name: c for name, c in CANDIDATES.items() if c.suits(study)}
    suited = [name for name, c in given.items() if not c.published]
    if candidate is not None and candidate not in suited:
        raise InputError("candidate", f"expected one of {', '.join(suited)}")
    unknown = [name for name in study.search.candidates if name not in suited]
    if unknown:
        raise DesignError(
            f"study {study.name}: search.candidates: expected some of {', '.join(suited)}"
        )
    named = study.search.candidates or [name for name in suited if CANDIDATES[name].default]
    for name in (candidate, *named):
        reason = None if name is None else CANDIDATES[name].unavailable
        if reason is not None:
            raise InputError("candidate", reason)
    return [n for n, c in given.items() if c.published or n in named or n == candidate]


def _work_name(
    rows: TrainingSet, study: Study, candidate: str | None, seed: int, *, searched: bool
) -> str:
    """Unlike that of any training that could end otherwise."""
    told = repr((software_digest(), study.hash, rows.digest, candidate, seed, searched))
    return f"{study.name}-{hashlib.sha256(told.encode()).hexdigest()[:20]}"


def choice(results: Mapping[str, OutOfFold], study: Study) -> str:
    """Simplest candidate whose Brier score is within one standard error of the best."""
    names = [name for name in results if not CANDIDATES[name].published]
    losses = [results[name].values("brier", study.decision_horizon_years) for name in names]
    return names[simplest_of_the_best(losses)]


def _final(
    rows: TrainingSet,
    study: Study,
    result: OutOfFold,
    provenance: dict[str, Any],
    seed: int,
    replicates: int,
    workshop: Workshop,
) -> tuple[Final, Instability | None]:
    """A candidate fitted on all rows, recalibrated as its out-of-fold predictions ask."""
    candidate = CANDIDATES[result.name].tuned(result.shortlist[0])
    fit = candidate.fit(rows, study, seed=seed)
    refits, unstable = refit(
        result, fit, rows, study, replicates=replicates, seed=seed, workshop=workshop
    )
    necessary = [name for name in study.necessary if name in fit.features]
    is_rule = result.name == RULE
    told = {
        "candidate": result.name,
        "learner": candidate.label,
        "settings": candidate.parameters(),
        "recalibration": list(result.recalibration.forms),
        "rule": PUBLISHED[study.rule.model].label,
        "metrics": summary(result, study),
    }
    if unstable is not None:
        told["instability"] = {k: round(v, 6) for k, v in unstable.summary().items()}
    model = LearnedModel(
        name=study.registry_name,
        version="unregistered",
        label=study.label,
        citation=_citation(study, candidate.label, provenance),
        population=study.population,
        horizons_years=study.horizons_years,
        decision_horizon_years=study.decision_horizon_years,
        learner=fit.learner,
        recalibration=result.recalibration.parameters,
        refits=refits,
        features=fit.features,
        # A rule's group cannot be told while any of its markers is missing.
        necessary=fit.features if is_rule else tuple(necessary),
        expected=() if is_rule else tuple(n for n in study.expected if n in fit.features),
        plausible=_plausible(rows.columns(fit.features)),
        lookback_years=study.lookback_years,
        provenance=provenance | told,
    )
    return Final(model, fit.boosters), unstable


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
