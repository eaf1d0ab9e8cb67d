"""A file of visits in, a file of risks out: every chosen model for every subject or visit.

Rows keep their order and identifiers; a row that cannot be scored stays, with its reason. The
output appears whole, by rename, or not at all.
"""

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
from numpy.typing import NDArray

from features.criteria import STAGES, Staging, stage
from features.errors import InputError
from features.history import Ints
from features.labs import DAYS_PER_YEAR, LabRows
from features.landmark import LandmarkFeatures
from features.visits import Visits, check
from models.risk import STATUSES, Estimates, RiskModel

__all__ = ["At", "score", "write_table"]

At = Literal["last", "every"]
Texts = NDArray[np.object_]


def score(
    rows: LabRows, models: Sequence[RiskModel], *, at: At = "last", as_of_years: float | None = None
) -> tuple[pa.Table, Visits]:
    """Risks of every chosen model as one table.

    Parameters
    ----------
    rows
        From any reader.
    models
        In the order of the columns.
    at
        ``last``: one row per subject, at its last visit; ``every``: one per row of the source.
    as_of_years
        Today on the clock of dated visits; later visits are refused.

    Returns
    -------
    table
        ``subject_id``, ``date`` or ``years``, ``stage``, ``stage_reason`` and each model's columns.
    visits
        With every finding about the input.
    """
    visits = check(rows, as_of_years=as_of_years)
    source, landmark = _rows_out(rows, visits, at)
    history = visits.history
    subject = history.subject[landmark[landmark >= 0]]
    time = history.time_years[landmark[landmark >= 0]]
    features = LandmarkFeatures(history, subject, time)
    refusals = visits.refusals()
    reason = np.array(
        [refusals.get(int(s), "no visit") for s in rows.subject[source]], dtype=object
    )
    reason[landmark >= 0] = ""
    columns: dict[str, object] = {
        "subject_id": np.array(rows.subject_ids, dtype=object)[rows.subject[source]],
        **_time_column(rows, source),
        **_stage_columns(stage(features), reason, landmark >= 0),
    }
    for model in models:
        columns |= _model_columns(model, model.estimate(features), reason, landmark >= 0)
    return pa.table(columns), visits


def _rows_out(rows: LabRows, visits: Visits, at: At) -> tuple[Ints, Ints]:
    """Source row of every output row, and the visit it is scored at (-1: refused)."""
    if at == "every":
        return np.arange(rows.subject.size), visits.visit_of_row
    first = np.full(len(rows.subject_ids), rows.subject.size)
    np.minimum.at(first, rows.subject, np.arange(rows.subject.size))
    last = np.full(len(rows.subject_ids), -1)
    last[visits.history.subject[visits.history.last_visits()]] = visits.history.last_visits()
    shown = first.copy()
    placed = np.flatnonzero(visits.visit_of_row >= 0)
    row_of_visit = np.zeros(visits.history.visits, dtype=np.int64)
    row_of_visit[visits.visit_of_row[placed]] = placed
    shown[last >= 0] = row_of_visit[last[last >= 0]]
    order = np.argsort(first, kind="stable")
    return shown[order], last[order]


def _time_column(rows: LabRows, source: Ints) -> dict[str, object]:
    time = rows.time_years[source]
    if not rows.dated:
        return {"years": time}
    days = np.full(time.size, np.datetime64("NaT"), dtype="datetime64[D]")
    known = ~np.isnan(time)
    whole = np.round(time[known] * DAYS_PER_YEAR).astype(np.int64)
    days[known] = whole.astype("datetime64[D]")
    return {"date": days}


def _stage_columns(staging: Staging, reason: Texts, scored: NDArray[np.bool_]) -> dict[str, object]:
    stages, why = np.full(scored.size, "", dtype=object), reason.copy()
    texts, which = staging.reasons()
    stages[scored] = np.array(STAGES, dtype=object)[staging.stage]
    why[scored] = np.array(texts, dtype=object)[which]
    return {"stage": stages, "stage_reason": why}


def _model_columns(
    model: RiskModel, estimates: Estimates, reason: Texts, scored: NDArray[np.bool_]
) -> dict[str, object]:
    status, why, group = (np.full(scored.size, "", dtype=object) for _ in range(3))
    status[:], why[:] = STATUSES[-1], reason
    status[scored] = np.array(STATUSES, dtype=object)[estimates.status]
    why[scored], group[scored] = _texts(estimates)
    name = model.name
    columns: dict[str, object] = {
        f"{name}.status": status,
        f"{name}.reason": why,
        f"{name}.group": group,
    }
    for j, horizon in enumerate(model.horizons_years):
        for end, table in (
            ("", estimates.risk),
            ("_lower", estimates.lower),
            ("_upper", estimates.upper),
        ):
            values = np.full(scored.size, np.nan)
            values[scored] = table[:, j]
            columns[f"{name}.risk_{horizon:g}y{end}"] = pa.array(values, from_pandas=True)
    return columns


def _texts(estimates: Estimates) -> tuple[Texts, Texts]:
    """Reason and groups of every landmark; rows alike in all that decides them share one text."""
    deciding = [estimates.status, *estimates.missing.values(), *estimates.refusals.values()]
    if estimates.groups:
        deciding += list(estimates.possible.T)
    pattern = np.stack([np.asarray(part, dtype=np.int8) for part in deciding], axis=1)
    _, first, which = np.unique(pattern, axis=0, return_index=True, return_inverse=True)
    reasons = np.array([estimates.reason_at(int(i)) or "" for i in first], dtype=object)
    groups = np.array(["|".join(estimates.groups_at(int(i))) for i in first], dtype=object)
    which = which.reshape(-1)
    return reasons[which], groups[which]


def write_table(table: pa.Table, path: Path) -> None:
    """Write a table as CSV or Parquet, by the file's name; it appears whole or not at all.

    Raises
    ------
    InputError
        If the name is neither, or the folder does not exist.
    """
    suffix = path.suffix.lower()
    if suffix not in (".csv", ".parquet"):
        raise InputError(str(path), "expected a name that ends in .csv or .parquet")
    if not path.parent.is_dir():
        raise InputError(str(path), "its folder does not exist; create it first")
    handle, unfinished = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    os.close(handle)
    try:
        if suffix == ".csv":
            pa.csv.write_csv(table, unfinished)
        else:
            pa.parquet.write_table(table, unfinished)
        # mkstemp makes files private; an output has the permissions any new file has.
        mask = os.umask(0)
        os.umask(mask)
        Path(unfinished).chmod(0o666 & ~mask)
        Path(unfinished).replace(path)
    except BaseException:
        Path(unfinished).unlink(missing_ok=True)
        raise
