"""A file of visits in, a file of risks out: every chosen model for every subject or visit.

Rows keep their order and identifiers; a row that cannot be scored stays, with its reason. The
output appears whole, by rename, or not at all.
"""

import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
from numpy.typing import NDArray

from features.criteria import STAGES, Staging, stage
from features.errors import InputError
from features.history import Codes, Floats, History, Ints
from features.labs import DAYS_PER_YEAR, LabRows
from features.landmark import LandmarkFeatures
from features.visits import Visits, check
from models.risk import STATUSES, Estimates, RiskModel

__all__ = ["At", "score", "write_table"]

At = Literal["last", "first", "every"]

PART_VISITS = 2**16
"""Visits worked through at once: half a megabyte for each quantity."""


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
        ``last`` and ``first``: one row per subject, at that visit of it; ``every``: one per row of
        the source.
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
    answered = _Answered.of(rows, visits, source, landmark)
    parts = [
        _answers(features, models, answered.part(of))
        for of, features in _parts(visits.history, landmark)
    ]
    answers = pa.concat_tables(parts).unify_dictionaries()
    columns: dict[str, object] = {
        "subject_id": _words(rows.subject_ids, rows.subject[source]),
        **_time_column(rows, source),
        **{name: answers[name] for name in answers.column_names},
    }
    return pa.table(columns), visits


def _parts(history: History, landmark: Ints) -> Iterator[tuple[slice, LandmarkFeatures]]:
    """Runs of rows of the output, and the landmarks they are answered at."""
    answered = np.flatnonzero(landmark >= 0)
    at = landmark[answered]
    if not at.size or not np.array_equal(at, np.arange(history.visits)):
        everything = slice(0, landmark.size)
        yield everything, LandmarkFeatures(history, history.subject[at], history.time_years[at])
        return
    # Every visit in its order: run after run, each with the refused rows that follow it.
    start, done = 0, 0
    for part in history.parts(PART_VISITS):
        done += part.visits
        stop = int(answered[done]) if done < answered.size else landmark.size
        yield slice(start, stop), LandmarkFeatures(part)
        start = stop


def _answers(
    features: LandmarkFeatures, models: Sequence[RiskModel], answered: "_Answered"
) -> pa.Table:
    columns = _stage_columns(stage(features), answered)
    for model in models:
        columns |= _model_columns(model, model.estimate(features), answered)
    return pa.table(columns)


@dataclass(frozen=True, slots=True)
class _Answered:
    """Which of the n rows of the output have an answer, and why the others have none.

    Parameters
    ----------
    rows : (n,) array
        Whether there is an answer.
    reasons
        Why not.
    reason_of : (n,) array
        Index into `reasons`; 0 where there is an answer.
    """

    rows: NDArray[np.bool_]
    reasons: tuple[str, ...]
    reason_of: Ints

    @classmethod
    def of(cls, rows: LabRows, visits: Visits, source: Ints, landmark: Ints) -> "_Answered":
        refusals = visits.refusals()
        reasons = tuple(dict.fromkeys(["no visit", *refusals.values()]))
        place = {reason: i for i, reason in enumerate(reasons)}
        of_subject = np.zeros(len(rows.subject_ids), dtype=np.int64)
        for subject, reason in refusals.items():
            of_subject[subject] = place[reason]
        answered = landmark >= 0
        return cls(answered, reasons, np.where(answered, 0, of_subject[rows.subject[source]]))

    def part(self, rows: slice) -> "_Answered":
        """The same for a run of rows."""
        return _Answered(self.rows[rows], self.reasons, self.reason_of[rows])

    @property
    def all(self) -> bool:
        """Whether every row has an answer."""
        return bool(self.rows.all())

    def words(
        self, texts: Sequence[str], which: Ints | Codes, otherwise: str | None = None
    ) -> pa.Array:
        """Texts of the answers at their rows; elsewhere the reason, or another text."""
        if self.all:
            return _words(texts, which)
        others = self.reasons if otherwise is None else (otherwise,)
        code = self.reason_of.copy() if otherwise is None else np.zeros_like(self.reason_of)
        code[self.rows] = which
        code[self.rows] += len(others)
        return _words([*others, *texts], code)

    def numbers(self, values: Floats) -> pa.Array:
        """Numbers of the answers at their rows; null elsewhere and where there is none."""
        if self.all:
            return pa.array(values, from_pandas=True)
        at_rows = np.full(self.rows.size, np.nan)
        at_rows[self.rows] = values
        return pa.array(at_rows, from_pandas=True)

    def numbers_of_kinds(self, values: Floats, kind: Ints) -> pa.Array:
        """The same from one number for each kind of answer, of which few differ."""
        known, place = np.unique(values, return_inverse=True)
        absent = np.isnan(values)
        known = known[~np.isnan(known)] if not absent.all() else np.zeros(1)
        place = np.where(absent, 0, place)
        if self.all:
            code, no_number = place[kind], absent[kind]
        else:
            code = np.zeros(self.rows.size, dtype=np.int64)
            no_number = np.ones(self.rows.size, dtype=bool)
            code[self.rows], no_number[self.rows] = place[kind], absent[kind]
        codes = pa.array(code.astype(np.int32), mask=no_number)
        return pa.DictionaryArray.from_arrays(codes, pa.array(known))


def _words(texts: Sequence[str], which: Ints | Codes) -> pa.Array:
    """Column of texts of which few differ, built without an object for each row."""
    place = {text: i for i, text in enumerate(dict.fromkeys(texts))}
    if len(place) < len(texts):
        which = np.array([place[text] for text in texts])[which]
    codes = pa.array(which.astype(np.int32))
    return pa.DictionaryArray.from_arrays(codes, pa.array(list(place), pa.string()))


def _rows_out(rows: LabRows, visits: Visits, at: At) -> tuple[Ints, Ints]:
    """Source row of every output row, and the visit it is scored at (-1: refused)."""
    if at == "every":
        return np.arange(rows.subject.size), visits.visit_of_row
    named = np.full(len(rows.subject_ids), rows.subject.size)
    np.minimum.at(named, rows.subject, np.arange(rows.subject.size))
    history = visits.history
    chosen = history.last_visits() if at == "last" else history.first_visits()
    visit = np.full(len(rows.subject_ids), -1)
    visit[history.subject[chosen]] = chosen
    shown = named.copy()
    placed = np.flatnonzero(visits.visit_of_row >= 0)
    row_of_visit = np.zeros(history.visits, dtype=np.int64)
    row_of_visit[visits.visit_of_row[placed]] = placed
    shown[visit >= 0] = row_of_visit[visit[visit >= 0]]
    order = np.argsort(named, kind="stable")
    return shown[order], visit[order]


def _time_column(rows: LabRows, source: Ints) -> dict[str, object]:
    time = rows.time_years[source]
    if not rows.dated:
        return {"years": time}
    days = np.full(time.size, np.datetime64("NaT"), dtype="datetime64[D]")
    known = ~np.isnan(time)
    whole = np.round(time[known] * DAYS_PER_YEAR).astype(np.int64)
    days[known] = whole.astype("datetime64[D]")
    return {"date": days}


def _stage_columns(staging: Staging, answered: _Answered) -> dict[str, object]:
    return {
        "stage": answered.words(STAGES, staging.stage, otherwise=""),
        "stage_reason": answered.words(*staging.reasons()),
    }


def _model_columns(
    model: RiskModel, estimates: Estimates, answered: _Answered
) -> dict[str, object]:
    first, kind = estimates.alike()
    reasons = [estimates.reason_at(int(i)) or "" for i in first]
    groups = ["|".join(estimates.groups_at(int(i))) for i in first]
    name = model.name
    columns: dict[str, object] = {
        f"{name}.status": answered.words(STATUSES, estimates.status, otherwise=STATUSES[-1]),
        f"{name}.reason": answered.words(reasons, kind),
        f"{name}.group": answered.words(groups, kind, otherwise=""),
    }
    tables = {"": estimates.risk, "_lower": estimates.lower, "_upper": estimates.upper}
    for j, horizon in enumerate(model.horizons_years):
        for end, table in tables.items():
            # A group's answers of one kind carry one risk: few numbers, written as few.
            columns[f"{name}.risk_{horizon:g}y{end}"] = (
                answered.numbers_of_kinds(table[first, j], kind)
                if estimates.groups
                else answered.numbers(table[:, j])
            )
    return columns


def write_table(table: pa.Table, path: Path) -> None:
    """Write a table as CSV or Parquet, by the file's name; it appears whole or not at all.

    Raises
    ------
    InputError
        If the name is neither, or nothing can be written there.
    """
    suffix = path.suffix.lower()
    if suffix not in (".csv", ".parquet"):
        raise InputError(str(path), "expected a name that ends in .csv or .parquet")
    if not path.parent.is_dir():
        raise InputError(str(path), "its folder does not exist; create it first")
    try:
        _write_whole(table, path, suffix)
    except OSError as error:
        raise InputError(str(path), f"cannot be written: {error.strerror or error}") from error


def _write_whole(table: pa.Table, path: Path, suffix: str) -> None:
    handle, unfinished = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    os.close(handle)
    try:
        if suffix == ".csv":
            pa.csv.write_csv(_spelled_out(table), unfinished)
        else:
            # Without Arrow's own schema a value is read back as such, however it is encoded.
            pa.parquet.write_table(
                table,
                unfinished,
                use_dictionary=_of_few(table),
                store_schema=False,
                write_statistics=False,
            )
        # mkstemp makes files private; an output has the permissions any new file has.
        mask = os.umask(0)
        os.umask(mask)
        Path(unfinished).chmod(0o666 & ~mask)
        Path(unfinished).replace(path)
    except BaseException:
        Path(unfinished).unlink(missing_ok=True)
        raise


def _of_few(table: pa.Table) -> list[str]:
    """Columns of few different values, kept as codes."""
    return [field.name for field in table.schema if pa.types.is_dictionary(field.type)]


def _spelled_out(table: pa.Table) -> pa.Table:
    """The same table with every value written out, as CSV has no other way."""
    few = set(_of_few(table))
    return table.cast(
        pa.schema(
            pa.field(field.name, field.type.value_type) if field.name in few else field
            for field in table.schema
        )
    )
