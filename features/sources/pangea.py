"""The PANGEA collaborators' file, exactly as it is: one row per interval between two visits.

``participant_id, tstart, tstop, prog_mm, mspike, iuratio, plasmacells, age, creatinine, hgb``, with
times in years since diagnosis (github.com/pangea-study/pangea_2.0; Chabrun F, Nat Med 2026,
doi:10.1038/s41591-026-04304-x). It holds visits, at ``tstart``, and outcomes at once.
"""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features.analytes import column_name
from features.errors import ColumnError, ValueRangeError
from features.history import Floats
from features.labs import LabColumn, LabRows
from features.sources.reading import Reading
from features.sources.table import Cells, Table
from features.sources.tables import header_of, table_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["WIDE_COLUMNS", "is_pangea", "pangea_outcomes", "read_pangea"]

Bools = NDArray[np.bool_]

LABS = {
    "mspike": ("m_protein", "g/dL"),
    "iuratio": ("flc_ratio_involved", "1"),
    "plasmacells": ("bmpc", "%"),
    "creatinine": ("creatinine", "mg/dL"),
    "hgb": ("hemoglobin", "g/dL"),
}
"""Units as the authors' code takes them."""

WIDE_COLUMNS = {
    "participant_id": "subject_id",
    "tstart": "years",
    "age": "age",
    **{name: column_name(analyte, unit) for name, (analyte, unit) in LABS.items()},
}
"""Column of this file to the same column of the wide layout."""

REQUIRED = ("participant_id", "tstart")


def is_pangea(header: tuple[str, ...]) -> bool:
    """Whether a header is this file's."""
    return set(REQUIRED) <= set(header)


def read_pangea(path: Path | str) -> LabRows:
    """Lab rows of the visits, in the order of the file; a visit's time is its ``tstart``.

    Raises
    ------
    InputError
        If the file as a whole cannot be used; a cell that cannot is a problem of its subject.
    """
    table = _table(Path(path), (*REQUIRED, "age", *LABS))
    reading = Reading(_renamed(table, {"tstart": "years"}), key="participant_id")
    every = np.arange(len(table), dtype=np.int64)
    columns = [
        LabColumn(analyte, unit, every, reading.numbers(name), name)
        for name, (analyte, unit) in LABS.items()
        if name in table
    ]
    return reading.lab_rows(tuple(columns))


def pangea_outcomes(path: Path | str) -> "pd.DataFrame":
    """Outcome of every subject: ``subject_id, duration_years, event``.

    The duration is the last ``tstop``; the event is 1 where any interval ends in progression
    (``prog_mm``), else 0. The file does not record deaths.

    Raises
    ------
    InputError
        If a time or a status is missing or impossible; outcomes are used whole or not at all.
    """
    import pandas as pd

    path = Path(path)
    table = _table(path, (*REQUIRED, "tstop", "prog_mm"))
    for name in ("tstop", "prog_mm"):
        if name not in table:
            raise ColumnError(name, "is missing; outcomes need it", row=1, source=path.name)
    reading = Reading(table, key="participant_id")
    stop = _whole(reading, "tstop")
    progressed = _whole(reading, "prog_mm")
    start = _whole(reading, "tstart")
    _refuse_rows(reading, "tstop", stop <= start, "must lie after tstart")
    _refuse_rows(reading, "prog_mm", ~np.isin(progressed, (0, 1)), "must be 0 or 1")
    subjects = len(reading.subject_ids)
    duration, event = np.zeros(subjects), np.zeros(subjects)
    np.maximum.at(duration, reading.subject, stop)
    np.maximum.at(event, reading.subject, progressed)
    return pd.DataFrame(
        {
            "subject_id": list(reading.subject_ids),
            "duration_years": duration,
            "event": event.astype(np.int64),
        }
    )


def _table(path: Path, names: tuple[str, ...]) -> Table:
    header = header_of(path)
    for name in REQUIRED:
        if name not in header:
            message = f"has no column '{name}'; the PANGEA file needs it"
            raise ColumnError("header", message, row=1, source=path.name)
    kinds: dict[str, Cells] = dict.fromkeys(names, "number")
    kinds["participant_id"] = "text"
    return table_of(path, kinds)


def _renamed(table: Table, names: dict[str, str]) -> Table:
    columns: dict[str, pa.Array] = {
        names.get(name, name): column for name, column in table.columns.items()
    }
    return replace(table, columns=columns)


def _whole(reading: Reading, name: str) -> Floats:
    """Numbers of a column that must be complete."""
    values = reading.required(name, reading.numbers(name))
    if reading.problems:
        first = min(reading.problems, key=lambda problem: problem.row or 0)
        raise ValueRangeError(
            first.field, first.expected, row=first.row, source=reading.table.source
        )
    return values


def _refuse_rows(reading: Reading, name: str, wrong: Bools, expected: str) -> None:
    if wrong.any():
        row = int(reading.table.row[np.flatnonzero(wrong)[0]])
        raise ValueRangeError(name, expected, row=row, source=reading.table.source)
