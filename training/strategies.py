"""Ways to act that are not a threshold on a risk: everybody, or a published score's high group."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from features.errors import ColumnError, DuplicateError, ValueRangeError
from training.judgement import StrategyRow
from training.metrics.aalen_johansen import observed_risk
from training.metrics.clusters import codes_of
from training.metrics.estimate import BoolArray, Estimate, IntArray
from training.metrics.net_benefit import net_benefit_of_rule, standardised
from training.metrics.timeline import Timeline
from training.panel import FIRST_ROW, Panel
from training.performance import Settings

TREAT_ALL = "treat all"


@dataclass(frozen=True, slots=True)
class Strategy:
    """Whom one would act on.

    Parameters
    ----------
    name
        Of the strategy.
    rows
        (m,) positions in the panel of the subjects it knows, ascending; None for all.
    acts
        (m,) whether one would act.
    """

    name: str
    rows: IntArray | None
    acts: BoolArray


def strategies(given: Panel, table: pd.DataFrame | None) -> list[Strategy]:
    """Treat-all, and the strategies of a table.

    Parameters
    ----------
    given
        The subjects.
    table
        `subject_id` and one column per strategy: 1 act, 0 do not, empty not known.

    Raises
    ------
    InputError
        No `subject_id`, a subject twice, or a value that is neither 0 nor 1.
    """
    everybody = Strategy(TREAT_ALL, None, np.ones(given.subjects.size, dtype=np.bool_))
    return [everybody, *_of_table(given, table)] if table is not None else [everybody]


def strategy_rows(
    given: Panel, chosen: list[Strategy], settings: Settings
) -> Iterator[StrategyRow]:
    """What each strategy is worth at every horizon and threshold."""
    for strategy in chosen:
        line = given.timeline_of(strategy.rows)
        cluster = given.cluster_of(strategy.rows)
        for horizon in given.horizons_years:
            yield _row(strategy, line, cluster, horizon, settings)


def _row(
    strategy: Strategy,
    line: Timeline,
    cluster: IntArray | None,
    horizon: float,
    settings: Settings,
) -> StrategyRow:
    acts = strategy.acts
    observed = Estimate.none("nobody is flagged")
    if acts.any():
        flagged = line if acts.all() else line.part(acts)
        own = codes_of(cluster, acts)
        observed = observed_risk(flagged, horizon, level=settings.level, cluster=own)
    benefit = {
        f"{threshold:g}": net_benefit_of_rule(
            line.times, line.event, acts, horizon,
            threshold=threshold, timeline=line, observed=observed, level=settings.level,
            cluster=cluster,
        )
        for threshold in settings.thresholds
    }  # fmt: skip
    everybody = observed if acts.all() else observed_risk(line, horizon)
    return StrategyRow(
        strategy=strategy.name,
        horizon_years=horizon,
        n=line.size,
        flagged=int(acts.sum()),
        observed=observed,
        net_benefit=benefit,
        net_benefit_standardised={
            key: standardised(value, everybody) for key, value in benefit.items()
        },
    )


def _of_table(given: Panel, table: pd.DataFrame) -> Iterator[Strategy]:
    if "subject_id" not in table.columns:
        raise ColumnError("subject_id", "missing; strategies need it", source="strategies")
    index = pd.Index(table["subject_id"])
    repeated = index.duplicated()
    if repeated.any():
        row = int(np.flatnonzero(repeated)[0]) + FIRST_ROW
        raise DuplicateError("subject_id", "given twice", row=row, source="strategies")
    columns = [name for name in table.columns if name != "subject_id"]
    for name in columns:
        values = pd.to_numeric(table[name], errors="coerce")
        bad = (table[name].notna() & ~values.isin((0, 1))).to_numpy()
        if bad.any():
            raise ValueRangeError(
                str(name),
                "expected 1 (act), 0 (do not) or nothing",
                row=int(np.flatnonzero(bad)[0]) + FIRST_ROW,
                source="strategies",
            )
        aligned = pd.Series(values.to_numpy(), index=index).reindex(given.subjects).to_numpy()
        known = np.flatnonzero(~np.isnan(aligned))
        if known.size:
            yield Strategy(str(name), known, aligned[known] == 1)


__all__ = ["TREAT_ALL", "Strategy", "strategies", "strategy_rows"]
