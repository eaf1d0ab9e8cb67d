"""What the report shows beyond the judgement: curves, distributions and the flow of subjects."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from training.judgement import StrategyRow
from training.metrics.aalen_johansen import aalen_johansen
from training.metrics.calibration_curve import (
    CalibrationCurve,
    RiskGroup,
    calibration_curve,
    calibration_groups,
)
from training.metrics.estimate import FloatArray, IntArray
from training.metrics.net_benefit import DecisionCurve, decision_curve
from training.metrics.reclassification import ReclassificationCell, reclassification
from training.metrics.timeline import CENSORED, DEATH, PROGRESSION, Timeline
from training.panel import Panel, common_rows
from training.report.by_tenth import ByTenth
from training.strategies import TREAT_ALL

# Net benefit is drawn from a risk nobody would ignore to one nobody would wait for.
DECISION_THRESHOLDS = tuple(round(0.01 * k, 2) for k in range(1, 51))
_BINS = 24


@dataclass(frozen=True, slots=True)
class Distribution:
    """How risks are distributed among those who did and did not progress.

    Parameters
    ----------
    edges
        (b + 1,) ends of the bins.
    progressed, free, died
        (b,) share of each outcome's subjects per bin; those censored by the horizon are left out.
    """

    edges: FloatArray
    progressed: FloatArray
    free: FloatArray
    died: FloatArray


@dataclass(frozen=True, slots=True)
class Curves:
    """What is drawn of one model at one horizon."""

    model: str
    horizon_years: float
    calibration: CalibrationCurve
    groups: list[RiskGroup]
    decision: DecisionCurve
    distribution: Distribution


@dataclass(frozen=True, slots=True)
class Flow:
    """Where the subjects of the cohort are at a horizon.

    Parameters
    ----------
    subjects
        All with an outcome; at landmarks, one for each landmark that a person reaches.
    horizon_years
        The horizon.
    events, competing, censored, followed
        Progressed, died first, censored by the horizon, and followed beyond it without either.
    people, people_progressed
        Whose the rows are, and who of them progressed by the horizon.
    """

    subjects: int
    horizon_years: float
    events: int
    competing: int
    censored: int
    followed: int
    people: int
    people_progressed: int


@dataclass(frozen=True, slots=True)
class Incidence:
    """Observed risk of progression and of death first over time.

    Parameters
    ----------
    years
        (k,) times.
    progression, death
        (k,) cumulative incidences.
    """

    years: FloatArray
    progression: FloatArray
    death: FloatArray


@dataclass(frozen=True, slots=True)
class StrategyCurve:
    """Net benefit of acting on a given group, over the thresholds of the decision curves.

    Parameters
    ----------
    strategy, horizon_years
        Whom one acts on, judged at which horizon.
    net_benefit
        (k,) at `DECISION_THRESHOLDS`.
    """

    strategy: str
    horizon_years: float
    net_benefit: FloatArray


@dataclass(frozen=True, slots=True)
class Reclassified:
    """Whom a model and a reference would treat differently at a threshold."""

    model: str
    reference: str
    horizon_years: float
    threshold: float
    cells: list[ReclassificationCell]


@dataclass(frozen=True, slots=True)
class Contents:
    """Everything the report draws."""

    curves: tuple[Curves, ...]
    flows: tuple[Flow, ...]
    incidence: Incidence
    reclassified: tuple[Reclassified, ...]
    strategies: tuple[StrategyCurve, ...] = ()
    instability: tuple[ByTenth, ...] = ()


def contents(
    given: Panel,
    *,
    threshold: float,
    reference: str | None = None,
    acting: Sequence[StrategyRow] = (),
    instability: Sequence[ByTenth] = (),
) -> Contents:
    """Compute what the report draws.

    Parameters
    ----------
    given
        Risks and outcomes.
    threshold
        Risk at which one would act, for the reclassification table.
    reference
        Model the others are compared with; the first when None.
    acting
        What the judgement says of strategies.
    instability
        Instability of models that were refitted.
    """
    return Contents(
        curves=tuple(_curves(given, model, horizon) for model, horizon in _cells(given)),
        flows=tuple(_flow(given, horizon) for horizon in given.horizons_years),
        incidence=_incidence(given.timeline, max(given.horizons_years)),
        reclassified=tuple(_reclassified(given, threshold, reference or given.models[0])),
        strategies=tuple(_strategy_curves(acting)),
        instability=tuple(instability),
    )


def _strategy_curves(acting: Sequence[StrategyRow]) -> Iterator[StrategyCurve]:
    threshold = np.array(DECISION_THRESHOLDS)
    odds = threshold / (1 - threshold)
    for row in acting:
        # Treat-all is drawn with the models, on the subjects of each.
        if row.observed.value is not None and row.strategy != TREAT_ALL:
            worth = row.flagged / row.n * (row.observed.value * (1 + odds) - odds)
            yield StrategyCurve(row.strategy, row.horizon_years, worth)


def _cells(given: Panel) -> list[tuple[str, float]]:
    return sorted(given.cells, key=lambda key: (key[1], given.models.index(key[0])))


def _curves(given: Panel, model: str, horizon: float) -> Curves:
    cell = given.cells[model, horizon]
    line = given.timeline_of(cell.rows)
    outcome = (line.duration(), line.event, cell.risk, horizon)
    cluster = given.cluster_of(cell.rows)
    groups = calibration_groups(*outcome, timeline=line, cluster=cluster)
    return Curves(
        model=model,
        horizon_years=horizon,
        calibration=calibration_curve(*outcome, timeline=line, cluster=cluster),
        groups=groups,
        decision=decision_curve(*outcome, thresholds=DECISION_THRESHOLDS, timeline=line),
        distribution=_distribution(line, cell.risk, horizon),
    )


def _distribution(line: Timeline, risk: FloatArray, horizon: float) -> Distribution:
    by_horizon = line.step < line.steps_until(horizon)
    top = float(np.quantile(risk, 0.995))
    edges = np.linspace(0, top if top > 0 else 1.0, _BINS + 1)
    cut = np.minimum(risk, edges[-1])

    def share(chosen: IntArray) -> FloatArray:
        counts = np.histogram(cut[chosen], edges)[0].astype(np.float64)
        return np.asarray(counts / max(counts.sum(), 1.0), dtype=np.float64)

    return Distribution(
        edges,
        share(np.flatnonzero(by_horizon & (line.event == PROGRESSION))),
        share(np.flatnonzero(~by_horizon)),
        share(np.flatnonzero(by_horizon & (line.event == DEATH))),
    )


def _flow(given: Panel, horizon: float) -> Flow:
    line = given.timeline
    by_horizon = line.step < line.steps_until(horizon)
    ended = line.event[by_horizon]
    return Flow(
        line.size,
        horizon,
        int((ended == PROGRESSION).sum()),
        int((ended == DEATH).sum()),
        int((ended == CENSORED).sum()),
        int((~by_horizon).sum()),
        given.people(np.ones(line.size, dtype=np.bool_)),
        given.people(by_horizon & (line.event == PROGRESSION)),
    )


def _incidence(line: Timeline, until: float) -> Incidence:
    duration = line.duration()
    curves = [
        aalen_johansen(duration, line.event, cause=cause, timeline=line, until_years=until)
        for cause in (PROGRESSION, DEATH)
    ]
    # A line of a few hundred points looks the same as one of a million.
    thin = slice(None, None, max(1, curves[0].times.size // 400))
    years = np.concatenate(([0.0], curves[0].times[thin]))
    rising = [np.concatenate(([0.0], curve.incidence[thin])) for curve in curves]
    return Incidence(years, *rising)


def _reclassified(given: Panel, threshold: float, reference: str) -> list[Reclassified]:
    tables = []
    for model, horizon in _cells(given):
        if model == reference or (reference, horizon) not in given.cells:
            continue
        one, other = given.cells[model, horizon], given.cells[reference, horizon]
        rows = common_rows(one, other)
        if rows is not None and rows.size == 0:
            continue
        line = given.timeline_of(rows)
        flags = (other.at(rows) >= threshold, one.at(rows) >= threshold)
        cells = reclassification(
            line.duration(), line.event, *flags, horizon, cluster=given.cluster_of(rows)
        )
        tables.append(Reclassified(model, reference, horizon, threshold, cells))
    return tables
