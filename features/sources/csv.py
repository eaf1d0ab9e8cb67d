"""The wide layout, CSV or Parquet: one row per visit, one column per analyte and unit.

``subject_id``, then ``date`` (ISO) or ``years`` (since diagnosis), ``age`` at the visit or
``birth_year``, ``sex``, ``heavy_chain``, ``light_chain``, ``diagnosis_date``, and analytes by
catalogue name with the unit in the name: ``m_protein_g_dl``, ``kappa_flc_mg_l``.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from features.analytes import ANALYTES, column_name
from features.errors import ColumnError, UnitError
from features.labs import LabColumn, LabRows
from features.sources.reading import SUBJECT_COLUMNS, Reading
from features.sources.table import Cells, Table, checked_header
from features.sources.tables import Names, header_of, table_from_frame, table_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["LAB_COLUMNS", "read_table", "rows_from_frame", "unit_fault"]

LAB_COLUMNS = {
    column_name(analyte.name, unit): (analyte.name, unit)
    for analyte in ANALYTES.values()
    for unit in reversed(tuple(analyte.units))
}
"""Column of the wide layout to analyte and unit."""


def read_table(path: Path | str, *, names: Names | None = None) -> LabRows:
    """Lab rows of a wide CSV or Parquet file, in the order of the file.

    Parameters
    ----------
    path
        CSV (UTF-8, commas, decimal points; or as Excel saves it with decimal commas) or Parquet.
    names
        The file's own column names to those of this layout; other columns are not read.

    Raises
    ------
    InputError
        If the file as a whole cannot be used; a cell that cannot is a problem of its subject.
    """
    path = Path(path)
    header = header_of(path, names)
    notes = check_header(header, source=path.name)
    return _rows(table_of(path, _known(header), names=names), notes)


def rows_from_frame(frame: "pd.DataFrame", *, source: str) -> LabRows:
    """Lab rows of a frame in the wide layout, in its order.

    Parameters
    ----------
    frame
        One row per visit.
    source
        What messages call it.
    """
    header = checked_header(map(str, frame.columns), source=source)
    notes = check_header(header, source=source)
    return _rows(table_from_frame(frame, _known(header), source=source), notes)


def check_header(header: Iterable[str], *, source: str) -> tuple[str, ...]:
    """Refuse a header that cannot be the wide layout's; what is passed over, one line each.

    Raises
    ------
    ColumnError
        If the column of subjects, of times, or any test is missing.
    UnitError
        If a column names a test of the catalogue without a unit or with an unknown one.
    """
    header = tuple(header)
    for name in header:
        fault = unit_fault(name)
        if fault is not None:
            raise UnitError(name[:60], fault, row=1, source=source)
    if "subject_id" not in header:
        message = "has no column 'subject_id'; it is required"
        raise ColumnError("header", message, row=1, source=source)
    if not {"date", "years"} & set(header):
        message = "has neither 'date' (YYYY-MM-DD) nor 'years' (since diagnosis); one is required"
        raise ColumnError("header", message, row=1, source=source)
    if not any(name in LAB_COLUMNS for name in header):
        message = "has no laboratory test; expected columns such as m_protein_g_dl"
        raise ColumnError("header", message, row=1, source=source)
    passed_over = [name for name in header if name not in _known(header)]
    if {"date", "years"} <= set(header):
        passed_over.append("years")
    return tuple(f"column {name[:60]!r} is not used" for name in passed_over)


def unit_fault(name: str) -> str | None:
    """What is wrong with the unit of a column that a test of the catalogue begins; None if nothing.

    Examples
    --------
    >>> unit_fault("albumin")
    'has no unit; expected one of albumin_g_dl, albumin_g_l'
    """
    if name in LAB_COLUMNS or name in SUBJECT_COLUMNS:
        return None
    known = [
        analyte
        for analyte in ANALYTES.values()
        if analyte.unit != "1" and (name == analyte.name or name.startswith(f"{analyte.name}_"))
    ]
    if not known:
        return None
    analyte = max(known, key=lambda found: len(found.name))
    names = ", ".join(dict.fromkeys(column_name(analyte.name, unit) for unit in analyte.units))
    wrong = "has no unit" if name == analyte.name else "has a unit that is not understood"
    return f"{wrong}; expected one of {names}"


def _known(header: Iterable[str]) -> dict[str, Cells]:
    known: dict[str, Cells] = dict.fromkeys(LAB_COLUMNS, "number")
    known.update(SUBJECT_COLUMNS)
    return {name: known[name] for name in header if name in known}


def _rows(table: Table, notes: tuple[str, ...]) -> LabRows:
    reading = Reading(table)
    reading.notes += notes
    every = np.arange(len(table), dtype=np.int64)
    columns = []
    for name in table.columns:
        if name in LAB_COLUMNS:
            analyte, unit = LAB_COLUMNS[name]
            columns.append(LabColumn(analyte, unit, every, reading.numbers(name), name))
    return reading.lab_rows(tuple(columns))
