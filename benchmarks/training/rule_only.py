"""Cohorts in which nothing but the rule's markers matters, and how the training ends there."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.training.simulated import SUBJECTS, Cohorts, spread
from training.fit import RULE, choice, considered
from training.gate import best_published, judge_candidate
from training.landmarks import TrainingSet, training_set
from training.search_space import Search
from training.simulation import simulate_cohort
from training.study import Study
from training.validation import OutOfFold, cross_validate
from training.workshop import Piece, Result, Workshop

__all__ = ["Ended", "ended", "rows_by_rule", "section"]

RISKS = (0.062, 0.179, 0.442, 0.442)
"""Two-year risks of progression by number of 20/2/20's markers, as published (Mateos MV, Blood
Cancer J 2020;10:102, doi:10.1038/s41408-020-00366-3)."""
YEARS = 2.0
DEATHS_PER_YEAR = 0.02
FOLLOWED_YEARS = (1.0, 10.0)


@dataclass(frozen=True, slots=True)
class Ended:
    """How one training ended.

    Parameters
    ----------
    chosen
        Candidate held to the gate.
    passed
        Whether the gate let it pass on all that needs no refits; if not, the published
        model that it had to beat stays.
    loss
        Expected Brier score of the out-of-fold risks of what stays, less that of the rule; what the
        outcomes add by chance is the same for both and left out.
    """

    chosen: str
    passed: bool
    loss: float


def rows_by_rule(study: Study, *, seed: int) -> tuple[TrainingSet, np.ndarray]:
    """Simulated labs at diagnosis with outcomes by the rule's markers alone, and the true risks.

    Progression and death are exponential, follow-up uniform.
    """
    at_diagnosis = replace(study, landmarks_years=(0.0,))
    rows = training_set(simulate_cohort(SUBJECTS, seed=seed), at_diagnosis)
    generator = np.random.default_rng(seed)
    markers = rows.columns(study.rule.features) > np.array(study.rule.cuts)
    hazard = -np.log1p(-np.array(RISKS)[markers.sum(axis=1)]) / YEARS
    progress = generator.exponential(1.0 / hazard)
    death = generator.exponential(1.0 / DEATHS_PER_YEAR, hazard.size)
    end = generator.uniform(*FOLLOWED_YEARS, hazard.size)
    duration = np.minimum(np.minimum(progress, death), end)
    event = np.where(duration == progress, 1, np.where(duration == death, 2, 0))
    either = hazard + DEATHS_PER_YEAR
    true = hazard / either * -np.expm1(-either * YEARS)
    return replace(rows, duration_years=duration, event=event), true


def ended(
    study: Study, names: Sequence[str], *, seed: int, search: Search | None
) -> tuple[Ended, dict[str, float]]:
    """How the training ends on one such cohort, and the loss of every candidate."""
    rows, true = rows_by_rule(study, seed=seed)
    results = cross_validate(rows, study, names, seed=seed, search=search)
    chosen = choice(results, study)
    published = [name for name in names if name in ("rule", "pangea-smm")]
    opponent = best_published(results, published, study)
    verdict = judge_candidate(
        rows, study, results[chosen], results[opponent], instability=None, seed=seed
    )
    passed = all(check.passed for check in verdict.checks if check.value is not None)
    losses = {name: _error(results[name], true, study) for name in names}
    stays = chosen if passed else opponent
    told = {name: loss - losses[RULE] for name, loss in losses.items()}
    return Ended(chosen, passed, told[stays]), told


def _error(found: OutOfFold, true: np.ndarray, study: Study) -> float:
    return float(np.mean((found.risk[0, :, study.decision] - true) ** 2))


def _piece(seed: int, cohorts: Cohorts) -> Result:
    study = cohorts.study
    found, told = ended(study, considered(study, None), seed=seed, search=cohorts.search)
    return {
        "chosen": np.array(found.chosen),
        "passed": np.array(found.passed),
        "loss": np.array([found.loss, told[found.chosen]]),
    }


def section(shop: Workshop, cohorts: Cohorts) -> str:
    """How the trainings end."""
    pieces = [
        Piece(f"{cohorts!r} {seed}", f"rule only, cohort {seed}", _piece, (seed, cohorts))
        for seed in cohorts.seeds
    ]
    done = list(shop.do(pieces).values())
    loss = np.array([each["loss"] for each in done])
    passed = sum(bool(each["passed"]) for each in done)
    most = cohorts.study.gate.most_brier_loss
    worse = int((loss[:, 0] > most).sum())
    return f"""
## Training: where only the rule's markers matter

`python -m benchmarks.training --part rule_only {cohorts.command}`

{cohorts.count} cohorts of {SUBJECTS:,} subjects at diagnosis, outcomes drawn with the published
risks of 20/2/20's groups and from nothing else. Expected Brier score of the out-of-fold risks less
that of the recalibrated rule, mean (least to greatest); above 0 is worse, the gate's margin is
{most:g}.

| quantity | found |
|---|---|
| gate lets the candidate pass (checks without refits) | {passed} of {cohorts.count} |
| what stays, against the rule | {spread(loss[:, 0], 4)} |
| the candidate held to the gate, against the rule | {spread(loss[:, 1], 4)} |
| what stays is worse than the rule by more than the margin | {worse} of {cohorts.count} |
"""
