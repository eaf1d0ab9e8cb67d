"""How good are these risks: several models × horizons on the same subjects, and their contrasts.

Anyone's risks will do. Every number is an estimate under censoring, with death before progression
as a competing event, or says why it is not estimable.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd

from features.errors import InputError
from training.judgement import ContrastRow, Judgement, Performance, SubgroupRow
from training.metrics.bootstrap import Replicates, bootstrap_contrast, paired_bootstrap
from training.metrics.censoring import FLOOR
from training.metrics.contrasts import Contrast, contrast
from training.metrics.discrimination import Ranking
from training.metrics.estimate import Estimate, FloatArray, IntArray
from training.panel import Cell, Panel, common_rows, panel
from training.performance import (
    THRESHOLDS,
    Sample,
    Scores,
    Settings,
    performance_of,
    sample_of,
    scores_of,
)
from training.strategies import Strategy, strategies, strategy_rows
from training.subgroups import subgroup_masks

__all__ = ["THRESHOLDS", "Settings", "judge", "judge_panel"]


def judge(
    risks: pd.DataFrame,
    outcomes: pd.DataFrame,
    *,
    thresholds: tuple[float, ...] = THRESHOLDS,
    reference: str | None = None,
    bootstrap: int = 0,
    seed: int = 0,
    jobs: int = 1,
    floor: float = FLOOR,
    level: float = 0.95,
    subgroups: pd.DataFrame | None = None,
    acts: pd.DataFrame | None = None,
    min_events: int = 10,
    cluster_column: str | None = None,
    with_concordance: bool = True,
    progress: Callable[[int], None] | None = None,
) -> Judgement:
    """Judge any t-year risks against outcomes.

    Parameters
    ----------
    risks
        `subject_id, model, horizon_years, risk`, risks within 0–1.
    outcomes
        `subject_id, duration_years, event` with 0 censored, 1 progression, 2 death first.
    thresholds
        Risks at which one would act, for net benefit.
    reference
        Model the others are compared with; all pairs when None.
    bootstrap
        Number of replicates for the contrasts; 0 uses influence functions.
    seed, jobs, progress
        Of the bootstrap: seed, number of processes, called with the number of finished replicates.
    floor
        Smallest chance of being uncensored: no subject stands for more than 1/floor.
    level
        Confidence level of all intervals, within 0–1.
    subgroups
        `subject_id` and one column per characteristic.
    acts
        `subject_id` and one column per strategy that is no threshold on a risk, such as treating a
        published score's high group: 1 act, 0 do not, empty not known.
    min_events
        People who progress by the horizon that a subgroup needs to be judged.
    cluster_column
        Column of `outcomes` naming the person, when `subject_id` names a person at a landmark.
    with_concordance
        Whether to add Wolbers' C.

    Raises
    ------
    InputError
        A table cannot be used; the message names table, row and column.
    """
    settings = Settings(
        thresholds,
        reference,
        bootstrap,
        seed,
        jobs,
        floor,
        level,
        min_events,
        with_concordance,
        progress,
    )
    given = panel(risks, outcomes, cluster_column=cluster_column)
    return judge_panel(given, settings, subgroups, strategies(given, acts))


def judge_panel(
    given: Panel,
    settings: Settings,
    subgroups: pd.DataFrame | None = None,
    chosen: list[Strategy] | None = None,
) -> Judgement:
    """Judge risks that are checked and aligned already, beside strategies; treat-all when None."""
    if settings.reference is not None and settings.reference not in given.models:
        known = ", ".join(given.models)
        raise InputError("reference", f"expected one of the models in the risks: {known}")
    rows: list[Performance] = []
    contrasts: list[ContrastRow] = []
    rankings: dict[tuple[bytes, str], Ranking] = {}
    for horizon in given.horizons_years:
        bench = _Bench(given, horizon, settings, rankings)
        rows += bench.rows()
        contrasts += bench.contrasts()
    parts = tuple(_subgroups(given, settings, subgroups)) if subgroups is not None else ()
    rows.sort(key=lambda row: (given.models.index(row.model), row.horizon_years))
    acting = tuple(strategy_rows(given, chosen or strategies(given, None), settings))
    return Judgement(tuple(rows), tuple(contrasts), parts, acting, settings.level, settings.floor)


class _Bench:
    """All models at one horizon, and what they share."""

    def __init__(
        self,
        given: Panel,
        horizon_years: float,
        settings: Settings,
        rankings: dict[tuple[bytes, str], Ranking],
    ) -> None:
        self._rankings = rankings
        self._given = given
        self._horizon = horizon_years
        self._settings = settings
        self._samples: dict[bytes, Sample] = {}
        self._scores: dict[tuple[bytes, str], Scores] = {}
        self._cells = {
            model: given.cells[model, horizon_years]
            for model in given.models
            if (model, horizon_years) in given.cells
        }

    def rows(self) -> Iterator[Performance]:
        """Performance of every model that has risks at this horizon."""
        for model, cell in self._cells.items():
            sample = self._sample(cell.rows)
            yield performance_of(model, sample, cell.risk, self._score(model, cell.rows))

    def contrasts(self) -> Iterator[ContrastRow]:
        """Differences of the pairs asked for."""
        for reference, model in self._pairs():
            rows = common_rows(self._cells[reference], self._cells[model])
            if rows is not None and rows.size == 0:
                continue
            yield self._contrast(model, reference, rows)

    def _pairs(self) -> list[tuple[str, str]]:
        chosen = self._settings.reference
        if chosen is None:
            return list(combinations(self._cells, 2))
        if chosen not in self._cells:
            return []
        return [(chosen, model) for model in self._cells if model != chosen]

    def _sample(self, rows: IntArray | None) -> Sample:
        key = b"" if rows is None else rows.tobytes()
        if key not in self._samples:
            line = self._given.timeline_of(rows)
            cluster = self._given.cluster_of(rows)
            self._samples[key] = sample_of(line, self._horizon, cluster, self._settings)
        return self._samples[key]

    def _score(self, model: str, rows: IntArray | None) -> Scores:
        key = (b"" if rows is None else rows.tobytes(), model)
        if key not in self._scores:
            risk = self._cells[model].at(rows)
            compared = len(self._cells) > 1
            self._scores[key] = scores_of(
                self._sample(rows), risk, with_influence=compared, like=self._rankings.get(key)
            )
            self._rankings[key] = self._scores[key].ranking
        return self._scores[key]

    def _contrast(self, model: str, reference: str, rows: IntArray | None) -> ContrastRow:
        settings, sample = self._settings, self._sample(rows)
        one, other = self._score(model, rows), self._score(reference, rows)

        def against(first: Estimate, second: Estimate) -> Contrast:
            found = contrast(first, second, level=settings.level, cluster=sample.cluster)
            return replace(found, delta=replace(found.delta, influence=None))

        result = ContrastRow(
            model=model,
            reference=reference,
            horizon_years=self._horizon,
            n=sample.line.size,
            interval="influence",
            delta_auc=against(one.auc, other.auc),
            delta_brier=against(one.brier.brier, other.brier.brier),
            delta_net_benefit={
                key: against(value, other.net_benefit[key])
                for key, value in one.net_benefit.items()
            },
        )
        if settings.bootstrap == 0:
            return result
        risks = {name: self._cells[name].at(rows) for name in (model, reference)}
        return _bootstrapped(result, _replicates(sample, risks), settings)


def _replicates(sample: Sample, risks: dict[str, FloatArray]) -> Replicates:
    settings = sample.settings
    return paired_bootstrap(
        sample.line,
        risks,
        sample.horizon_years,
        replicates=settings.bootstrap,
        seed=settings.seed,
        thresholds=settings.thresholds,
        cluster=sample.cluster,
        floor=settings.floor,
        jobs=settings.jobs,
        progress=settings.progress,
    )


def _bootstrapped(row: ContrastRow, drawn: Replicates, settings: Settings) -> ContrastRow:
    level = settings.level
    benefit = {
        key: bootstrap_contrast(
            drawn.net_benefit[:, 0, k], drawn.net_benefit[:, 1, k], found, level=level
        )
        for k, (key, found) in enumerate(row.delta_net_benefit.items())
    }
    return replace(
        row,
        interval="bootstrap",
        delta_auc=bootstrap_contrast(drawn.auc[:, 0], drawn.auc[:, 1], row.delta_auc, level=level),
        delta_brier=bootstrap_contrast(
            drawn.brier[:, 0], drawn.brier[:, 1], row.delta_brier, level=level
        ),
        delta_net_benefit=benefit,
    )


def _subgroups(given: Panel, settings: Settings, table: pd.DataFrame) -> Iterator[SubgroupRow]:
    # Replicates for every part would cost more than all the rest, for parts mostly too small.
    settings = replace(settings, bootstrap=0)
    for name, level, chosen in subgroup_masks(given, table):
        for (model, horizon), cell in given.cells.items():
            members = np.flatnonzero(chosen) if cell.rows is None else cell.rows[chosen[cell.rows]]
            if members.size == 0:
                continue
            row = _part(given, settings, model, horizon, cell, members)
            yield SubgroupRow(name, level, row)


def _part(
    given: Panel,
    settings: Settings,
    model: str,
    horizon: float,
    cell: Cell,
    members: IntArray,
) -> Performance:
    sample = sample_of(given.timeline_of(members), horizon, given.cluster_of(members), settings)
    risk = cell.at(members)
    row = performance_of(model, sample, risk, scores_of(sample, risk, with_influence=False))
    # Landmarks of one person are no new progressions.
    if row.people_progressed >= settings.min_events:
        return row
    reason = (
        f"{row.people_progressed} progressions by {horizon:g} years; "
        f"a subgroup needs {settings.min_events}"
    )
    return row.withheld(reason)
