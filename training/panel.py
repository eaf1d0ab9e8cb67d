"""Risks and outcomes of the same subjects, checked and aligned: what judging starts from."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from features.errors import ColumnError, DuplicateError, InputError, ValueRangeError
from training.metrics.clusters import codes_of, people_of
from training.metrics.estimate import BoolArray, FloatArray, IntArray
from training.metrics.timeline import Places, Timeline

RISK_COLUMNS = ("subject_id", "model", "horizon_years", "risk")
OUTCOME_COLUMNS = ("subject_id", "duration_years", "event")
# Row 1 of a table, as a person counts it, holds the column names.
FIRST_ROW = 2


@dataclass(frozen=True, slots=True)
class Cell:
    """Risks of one model at one horizon.

    Parameters
    ----------
    risk
        (m,) risks within 0–1, in the order of the panel.
    rows
        (m,) positions of their subjects in the panel, ascending; None for all of them.
    """

    risk: FloatArray
    rows: IntArray | None

    def key(self) -> bytes:
        """Equal for cells on the same subjects."""
        return b"" if self.rows is None else self.rows.tobytes()

    def at(self, rows: IntArray | None) -> FloatArray:
        """Risks of these subjects, which must all be among the cell's own."""
        if rows is None or self.rows is rows:
            return self.risk
        return self.risk[rows if self.rows is None else np.searchsorted(self.rows, rows)]


@dataclass(frozen=True, slots=True)
class Panel:
    """Risks of models × horizons on the subjects of one table of outcomes.

    Parameters
    ----------
    timeline
        Outcomes of all subjects, in the order of their durations: walking along time then walks
        along memory, which halves the time on large cohorts.
    subjects
        Their identifiers, in that order.
    models
        Names in the order they first appear.
    horizons_years
        Ascending.
    cells
        Risks by model and horizon; a model need not have every horizon, nor every subject.
    cluster
        (n,) codes of rows that belong together, or None when every row is a subject of its own.
    """

    timeline: Timeline
    subjects: pd.Index
    models: tuple[str, ...]
    horizons_years: tuple[float, ...]
    cells: Mapping[tuple[str, float], Cell]
    cluster: IntArray | None = None

    def timeline_of(self, rows: IntArray | None) -> Timeline:
        """Outcomes of some of the subjects."""
        if rows is None:
            return self.timeline
        return self.timeline.part(rows)

    def people(self, rows: BoolArray) -> int:
        """How many people some of the rows are of."""
        return people_of(self.cluster, rows)

    def cluster_of(self, rows: IntArray | None) -> IntArray | None:
        """Cluster codes of some of the subjects, without gaps."""
        return self.cluster if rows is None else codes_of(self.cluster, rows)


def panel(
    risks: pd.DataFrame, outcomes: pd.DataFrame, *, cluster_column: str | None = None
) -> Panel:
    """Check and align two tables.

    Parameters
    ----------
    risks
        `subject_id, model, horizon_years, risk`, one row per subject, model and horizon.
    outcomes
        `subject_id, duration_years, event`, one row per subject.
    cluster_column
        Column of `outcomes` that says which rows belong to one person, when `subject_id` names
        something smaller, such as a person at a landmark.

    Raises
    ------
    InputError
        A column is missing, a value is impossible, a subject is given twice or has no outcome.
    """
    _require(risks, RISK_COLUMNS, "risks")
    _require(outcomes, OUTCOME_COLUMNS, "outcomes")
    duration, event = _outcomes(outcomes)
    subjects = _subjects(outcomes["subject_id"])
    order = _arranged(duration)
    cells, models, horizons = _cells(risks, subjects, order)
    timeline = Timeline.of(duration[order], event[order])
    cluster = _cluster(outcomes, cluster_column)
    return Panel(
        timeline,
        subjects[order],
        models,
        horizons,
        cells,
        None if cluster is None else cluster[order],
    )


def common_rows(first: Cell, second: Cell) -> IntArray | None:
    """Positions of the subjects that both cells have; None for all."""
    if first.rows is None or second.rows is None:
        return second.rows if first.rows is None else first.rows
    if first.key() == second.key():
        return first.rows
    return np.intersect1d(first.rows, second.rows, assume_unique=True)


def _require(table: pd.DataFrame, columns: tuple[str, ...], name: str) -> None:
    for column in columns:
        found = int((table.columns == column).sum())
        if found != 1:
            problem = "missing" if found == 0 else "given more than once"
            raise ColumnError(
                column, f"{problem}; {name} need the columns {', '.join(columns)}", source=name
            )
    if table.empty:
        raise InputError("subject_id", "expected at least one row", source=name)


def _outcomes(outcomes: pd.DataFrame) -> tuple[FloatArray, IntArray]:
    duration = _numbers(outcomes["duration_years"], "duration_years", "outcomes")
    event = _numbers(outcomes["event"], "event", "outcomes")
    _refuse(
        ~(np.isfinite(duration) & (duration >= 0)),
        "duration_years",
        "expected a number of years of 0 or more",
        "outcomes",
    )
    _refuse(
        ~np.isin(event, (0, 1, 2)),
        "event",
        "expected 0 (censored), 1 (progression) or 2 (death first)",
        "outcomes",
    )
    return duration, event.astype(np.int64)


def _arranged(duration: FloatArray) -> IntArray:
    # Sorting without ties in mind is twice as fast, and the same where there are none.
    order = np.argsort(duration)
    if (np.diff(duration[order]) == 0).any():
        return np.argsort(duration, kind="stable")
    return order


def _subjects(column: "pd.Series[str]") -> pd.Index:
    _refuse(column.isna().to_numpy(), "subject_id", "every row needs a subject", "outcomes")
    subjects = pd.Index(column)
    repeated = subjects.duplicated()
    if repeated.any():
        raise DuplicateError(
            "subject_id",
            "given twice; expected one row per subject",
            row=_first(repeated),
            source="outcomes",
        )
    return subjects


def _cells(
    risks: pd.DataFrame, subjects: pd.Index, arrangement: IntArray
) -> tuple[dict[tuple[str, float], Cell], tuple[str, ...], tuple[float, ...]]:
    values = _numbers(risks["risk"], "risk", "risks")
    _refuse(
        ~((values >= 0) & (values <= 1)),
        "risk",
        "expected a probability within 0–1; leave out the row of a subject without a risk",
        "risks",
    )
    horizon = _numbers(risks["horizon_years"], "horizon_years", "risks")
    _refuse(
        ~(np.isfinite(horizon) & (horizon > 0)),
        "horizon_years",
        "expected a positive number of years",
        "risks",
    )
    _refuse(risks["model"].isna().to_numpy(), "model", "every row needs a model", "risks")
    model_code, models = pd.factorize(risks["model"])
    starts = _starts((model_code[1:] != model_code[:-1]) | (horizon[1:] != horizon[:-1]))
    horizons = np.sort(pd.unique(horizon[starts]))
    if len(models) * horizons.size > np.iinfo(np.int16).max:
        raise InputError("model", "too many models and horizons; is this a column of subjects?")
    position = _positions(risks["subject_id"], subjects)
    code = model_code[starts] * horizons.size + np.searchsorted(horizons, horizon[starts])
    cells: dict[tuple[str, float], Cell] = {}
    names = tuple(str(name) for name in models)
    for cell, chosen in _rows_by_code(code, starts, horizon.size):
        key = (names[cell // horizons.size], float(horizons[cell % horizons.size]))
        cells[key] = _cell(values[chosen], position[chosen], arrangement, chosen)
    return cells, names, tuple(float(h) for h in horizons)


def _starts(changes: BoolArray) -> IntArray:
    """First row of each run of equal rows, from whether each row but the first differs."""
    return np.concatenate(([0], np.flatnonzero(changes) + 1))


def _rows_by_code(code: IntArray, starts: IntArray, size: int) -> Iterator[tuple[int, Places]]:
    """Rows of each code in their order, from runs of rows with the same code."""
    ends = np.append(starts[1:], size)
    if np.unique(code).size == code.size:
        # The table is made of blocks, which need not be copied.
        for one, start, stop in zip(code.tolist(), starts, ends, strict=True):
            yield one, slice(start, stop)
        return
    # Small integers are sorted in linear time.
    each = np.repeat(code.astype(np.int16), ends - starts)
    rows = np.argsort(each, kind="stable")
    for chosen in np.split(rows, _starts(np.diff(each[rows]) != 0)[1:]):
        yield int(each[chosen[0]]), chosen


def _cell(risk: FloatArray, position: IntArray, arrangement: IntArray, rows: Places) -> Cell:
    n = arrangement.size
    if position.size == n and (position == np.arange(n)).all():
        return Cell(risk[arrangement], None)
    times_given = np.bincount(position, minlength=n)
    if times_given.max() > 1:
        repeated = pd.Index(position).duplicated()
        raise DuplicateError(
            "subject_id",
            "given twice for one model and horizon",
            row=_row(rows, int(np.flatnonzero(repeated)[0])) + FIRST_ROW,
            source="risks",
        )
    by_subject = np.full(n, np.nan)
    by_subject[position] = risk
    arranged = by_subject[arrangement]
    if position.size == n:
        return Cell(arranged, None)
    own = np.flatnonzero(times_given[arrangement])
    return Cell(arranged[own], own)


def _row(rows: Places, place: int) -> int:
    return int(rows.start + place if isinstance(rows, slice) else rows[place])


def _positions(column: "pd.Series[str]", subjects: pd.Index) -> IntArray:
    given = pd.Index(column)
    n = subjects.size
    # Tables made by programs repeat the outcomes' order, block after block: nothing to look up.
    if given.size % n == 0 and all(
        given[start : start + n].equals(subjects) for start in range(0, given.size, n)
    ):
        return np.tile(np.arange(n, dtype=np.int64), given.size // n)
    position = subjects.get_indexer(given)
    if (position < 0).any() and given.dtype != subjects.dtype:
        # A spreadsheet reads one table's identifiers as numbers and the other's as text.
        position = subjects.astype(str).get_indexer(given.astype(str))
    _refuse(
        position < 0,
        "subject_id",
        "has a risk but no outcome; add the subject to the outcomes or leave the row out",
        "risks",
    )
    return position.astype(np.int64)


def _cluster(outcomes: pd.DataFrame, column: str | None) -> IntArray | None:
    if column is None:
        return None
    _require(outcomes, (*OUTCOME_COLUMNS, column), "outcomes")
    codes = pd.factorize(outcomes[column])[0].astype(np.int64)
    # Where every row is a person of its own there is nothing to keep together.
    return codes if codes.max() + 1 < codes.size else None


def _numbers(column: "pd.Series[str]", field: str, source: str) -> FloatArray:
    try:
        return np.asarray(column.to_numpy(dtype=np.float64, na_value=np.nan), dtype=np.float64)
    except (TypeError, ValueError):
        numbers = pd.to_numeric(column, errors="coerce")
        _refuse(numbers.isna().to_numpy(), field, "expected a number", source)
        return np.asarray(numbers, dtype=np.float64)


def _refuse(bad: BoolArray, field: str, expected: str, source: str) -> None:
    if bad.any():
        raise ValueRangeError(field, expected, row=_first(bad), source=source)


def _first(bad: BoolArray) -> int:
    return int(np.flatnonzero(bad)[0]) + FIRST_ROW
