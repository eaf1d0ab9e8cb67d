"""Every estimate of one model at one horizon on one sample."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from features.errors import ValueRangeError
from training.judgement import Performance
from training.metrics.aalen_johansen import observed_risk_and_pseudo_values
from training.metrics.brier import BrierScore, brier_score, null_score
from training.metrics.calibration import mean_calibration, weak_calibration
from training.metrics.calibration_curve import calibration_curve
from training.metrics.censoring import FLOOR, IpcwWeights, ipcw_weights
from training.metrics.clusters import people_of
from training.metrics.concordance import concordance
from training.metrics.discrimination import Ranking, auc
from training.metrics.estimate import Estimate, FloatArray, IntArray
from training.metrics.intervals import resampled_measures, with_interval
from training.metrics.links import LINKS
from training.metrics.net_benefit import net_benefit, standardised
from training.metrics.timeline import CENSORED, DEATH, PROGRESSION, Timeline

THRESHOLDS = (0.05, 0.1)


@dataclass(frozen=True, slots=True)
class Settings:
    """How to judge.

    Parameters
    ----------
    thresholds
        Risks at which one would act, for net benefit.
    reference
        Model the others are compared with; all pairs when None.
    bootstrap
        Number of replicates for the contrasts and for the intervals of ICI, E50, E90 and
        concordance; 0 uses influence functions, which those four do not have.
    seed
        Seed of the bootstrap.
    jobs
        Processes of the bootstrap.
    floor
        Smallest chance of being uncensored.
    level
        Confidence level within 0–1.
    min_events
        People who progress by the horizon that a subgroup needs to be judged.
    with_concordance
        Whether to add Wolbers' C, which costs as much as everything else together.
    progress
        Called with the number of finished replicates.
    """

    thresholds: tuple[float, ...] = THRESHOLDS
    reference: str | None = None
    bootstrap: int = 0
    seed: int = 0
    jobs: int = 1
    floor: float = FLOOR
    level: float = 0.95
    min_events: int = 10
    with_concordance: bool = True
    progress: Callable[[int], None] | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if any(not 0 < p < 1 for p in self.thresholds):
            raise ValueRangeError("thresholds", "expected risks between 0 and 1, ends excluded")
        if not 0 < self.level < 1:
            raise ValueRangeError("level", "expected a confidence level between 0 and 1")
        if self.bootstrap < 0:
            raise ValueRangeError("bootstrap", "expected a number of replicates of 0 or more")


@dataclass(frozen=True, slots=True)
class Sample:
    """What models on the same subjects share at one horizon."""

    line: Timeline
    duration: FloatArray
    horizon_years: float
    weights: IpcwWeights
    pseudo: FloatArray
    observed: Estimate
    null: Estimate
    refusal: str | None
    cluster: IntArray | None
    settings: Settings


@dataclass(frozen=True, slots=True)
class Scores:
    """The estimates that are contrasted, with their influences."""

    auc: Estimate
    brier: BrierScore
    net_benefit: dict[str, Estimate]
    ranking: Ranking


def sample_of(
    line: Timeline, horizon_years: float, cluster: IntArray | None, settings: Settings
) -> Sample:
    """Weights and pseudo-values of a sample at a horizon, made once for all models."""
    duration = line.duration()
    weights = ipcw_weights(duration, line.event, horizon_years, floor=settings.floor, timeline=line)
    observed, pseudo = observed_risk_and_pseudo_values(
        line, horizon_years, level=settings.level, cluster=cluster
    )
    refusal = _beyond_follow_up(line, horizon_years)
    null = null_score(weights, level=settings.level, cluster=cluster)
    return Sample(
        line, duration, horizon_years, weights, pseudo, observed, null, refusal, cluster, settings
    )


def _beyond_follow_up(line: Timeline, horizon_years: float) -> str | None:
    # With the last subject's event the estimators are defined for ever after; beyond the longest
    # follow-up of a cohort with censoring that is arithmetic, not evidence.
    if line.times[-1] >= horizon_years or not (line.event == CENSORED).any():
        return None
    return f"follow-up ends before {horizon_years:g} years"


def scores_of(
    sample: Sample, risk: FloatArray, *, with_influence: bool, like: Ranking | None = None
) -> Scores:
    """AUC, Brier score and net benefit of one model; `like` ranks it at another horizon."""
    outcome = (sample.duration, sample.line.event, risk, sample.horizon_years)
    settings, ranking = sample.settings, Ranking.of(risk, like)
    if sample.refusal is not None:
        none = Estimate.none(sample.refusal)
        benefit = dict.fromkeys((f"{p:g}" for p in settings.thresholds), none)
        return Scores(none, BrierScore(none, none, none), benefit, ranking)
    return Scores(
        auc(
            *outcome,
            weights=sample.weights,
            ranking=ranking,
            level=settings.level,
            cluster=sample.cluster,
        ),
        brier_score(
            *outcome,
            weights=sample.weights,
            null=sample.null,
            level=settings.level,
            cluster=sample.cluster,
        ),
        {
            f"{threshold:g}": net_benefit(
                *outcome,
                threshold=threshold,
                timeline=sample.line,
                with_influence=with_influence,
                level=settings.level,
                cluster=sample.cluster,
            )
            for threshold in settings.thresholds
        },
        ranking,
    )


def performance_of(model: str, sample: Sample, risk: FloatArray, scores: Scores) -> Performance:
    """Every estimate of one model, its scores among them."""
    outcome = (sample.duration, sample.line.event, risk, sample.horizon_years)
    settings, weights, line = sample.settings, sample.weights, sample.line
    mean = mean_calibration(*outcome, timeline=line, observed=sample.observed, level=settings.level)
    linked = _cloglog(scores.ranking, risk)
    cloglog = weak_calibration(
        *outcome, linked=linked, weights=weights, level=settings.level, cluster=sample.cluster
    )
    logit = weak_calibration(
        *outcome, link="logit", weights=weights, level=settings.level, cluster=sample.cluster
    )
    curve = calibration_curve(
        *outcome,
        timeline=line,
        pseudo=sample.pseudo,
        ranking=scores.ranking,
        linked=linked,
        level=settings.level,
    )
    by_horizon = line.step < line.steps_until(sample.horizon_years)
    ended = line.event[by_horizon]
    progressed = by_horizon & (line.event == PROGRESSION)
    row = Performance(
        model=model,
        horizon_years=sample.horizon_years,
        n=line.size,
        people=people_of(sample.cluster, np.ones(line.size, dtype=np.bool_)),
        events=int((ended == PROGRESSION).sum()),
        people_progressed=people_of(sample.cluster, progressed),
        competing=int((ended == DEATH).sum()),
        censored=int((ended == CENSORED).sum()),
        observed=mean.observed,
        predicted=mean.predicted,
        oe=mean.ratio,
        auc=_bare(scores.auc),
        brier=_bare(scores.brier.brier),
        brier_null=_bare(scores.brier.null),
        ipa=_bare(scores.brier.ipa),
        concordance=_concordance(outcome, sample, scores.ranking),
        calibration_intercept=_bare(cloglog.intercept),
        calibration_slope=_bare(cloglog.slope),
        calibration_intercept_logit=_bare(logit.intercept),
        calibration_slope_logit=_bare(logit.slope),
        ici=curve.ici,
        e50=curve.e50,
        e90=curve.e90,
        net_benefit={key: _bare(value) for key, value in scores.net_benefit.items()},
        net_benefit_standardised={
            key: standardised(value, mean.observed) for key, value in scores.net_benefit.items()
        },
        max_weight=weights.max_weight,
        effective_sample_size=weights.effective_sample_size,
        trimmed=int(weights.trimmed.sum()),
    )
    if sample.refusal is None:
        return row if settings.bootstrap == 0 else _with_intervals(row, sample, risk)
    return replace(row.withheld(sample.refusal), observed=Estimate.none(sample.refusal))


def _cloglog(ranking: Ranking, risk: FloatArray) -> FloatArray | None:
    certain = ranking.ordered[0] <= 0 or ranking.ordered[-1] >= 1
    return None if certain else LINKS["cloglog"].forward(risk)


def _with_intervals(row: Performance, sample: Sample, risk: FloatArray) -> Performance:
    settings = sample.settings
    drawn = resampled_measures(
        sample.line,
        risk,
        sample.horizon_years,
        replicates=settings.bootstrap,
        seed=settings.seed,
        cluster=sample.cluster,
        floor=settings.floor,
        with_concordance=settings.with_concordance,
        jobs=settings.jobs,
        progress=settings.progress,
    )

    def interval(name: str, estimate: Estimate) -> Estimate:
        return with_interval(estimate, drawn[name], level=settings.level)

    return replace(
        row,
        ici=interval("ici", row.ici),
        e50=interval("e50", row.e50),
        e90=interval("e90", row.e90),
        concordance=interval("concordance", row.concordance),
    )


def _concordance(
    outcome: tuple[FloatArray, IntArray, FloatArray, float],
    sample: Sample,
    ranking: Ranking,
) -> Estimate:
    if not sample.settings.with_concordance:
        return Estimate.none("not asked for")
    return concordance(
        *outcome, weights=sample.weights, floor=sample.settings.floor, ranking=ranking
    )


def _bare(estimate: Estimate) -> Estimate:
    # A judgement holds no value per subject: it can be logged and kept.
    return replace(estimate, influence=None)
