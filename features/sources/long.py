"""The long layout, CSV or Parquet: one row per measurement.

``subject_id``, ``date`` or ``years``, ``analyte`` (catalogue name) or ``loinc``, ``value``,
``unit``, and the columns of the wide layout that hold no test. Rows of tests outside the catalogue
are passed over; rows of one day become one visit.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from features.analytes import ANALYTES, Analyte, analyte_for_loinc
from features.errors import ColumnError, UnitError
from features.history import Floats, Ints
from features.labs import CellFault, LabColumn, LabRows
from features.loinc import LEFT_OUT, is_loinc
from features.sources.cells import texts
from features.sources.reading import SUBJECT_COLUMNS, Reading
from features.sources.table import Cells
from features.sources.tables import Names, header_of, table_of
from features.units import measured_unit

__all__ = ["LONG_COLUMNS", "lab_columns", "measured_rows", "read_long"]

LONG_COLUMNS: dict[str, Cells] = {
    "analyte": "text",
    "loinc": "text",
    "value": "number",
    "unit": "text",
}

Bools = NDArray[np.bool_]


def read_long(path: Path | str, *, names: Names | None = None) -> LabRows:
    """Lab rows of a long CSV or Parquet file; every row of the file is one row.

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
    for name in ("subject_id", "value", "unit"):
        if name not in header:
            message = f"has no column '{name}'; it is required in the long layout"
            raise ColumnError("header", message, row=1, source=path.name)
    known = {**SUBJECT_COLUMNS, **LONG_COLUMNS}
    wanted = {name: known[name] for name in header if name in known}
    reading = Reading(table_of(path, wanted, names=names))
    reading.notes += [f"column {name[:60]!r} is not used" for name in header if name not in known]
    return measured_rows(reading)


def measured_rows(reading: Reading, *, count_others: bool = True) -> LabRows:
    """Lab rows of a table in the long layout, from whatever source it was made.

    Parameters
    ----------
    reading
        Of a table with the columns of `LONG_COLUMNS`.
    count_others
        Whether a note says how many rows hold a test outside the catalogue.
    """
    analyte_index, analytes = _analytes(reading)
    passed_over = np.flatnonzero(_is_none(analytes, analyte_index))
    if passed_over.size and count_others:
        first = int(reading.table.row[passed_over[0]])
        reading.notes.append(
            f"tests outside the catalogue are not used: {passed_over.size}, first in row {first}"
        )
    unit_index, units = distinct(texts(reading.table.columns["unit"]))
    value = reading.numbers("value")
    columns, faults = lab_columns(analytes, analyte_index, units, unit_index, value)
    reading.add("unit", faults)
    return reading.lab_rows(columns)


def distinct(cells: pa.Array) -> tuple[Ints, list[str]]:
    """(n,) index of each cell into the distinct texts, and those."""
    encoded = pc.dictionary_encode(cells)
    return encoded.indices.to_numpy().astype(np.int64), encoded.dictionary.to_pylist()


def lab_columns(
    analytes: Sequence[Analyte | None],
    analyte_index: Ints,
    units: Sequence[str],
    unit_index: Ints,
    value: Floats,
) -> tuple[tuple[LabColumn, ...], list[CellFault]]:
    """Values of many rows gathered by analyte and unit, and the rows whose unit is not understood.

    Parameters
    ----------
    analytes
        Distinct analytes; None for rows to be passed over.
    analyte_index : (n,) array
        Into `analytes`.
    units
        Distinct units, as given.
    unit_index : (n,) array
        Into `units`.
    value : (n,) array
        NaN where missing; such a row needs no unit.
    """
    pair = analyte_index * len(units) + unit_index
    columns, faults = [], []
    for found in np.unique(pair[~np.isnan(value)]):
        analyte, unit = analytes[found // len(units)], units[found % len(units)]
        if analyte is None:
            continue
        rows = np.flatnonzero((pair == found) & ~np.isnan(value))
        try:
            spelled = measured_unit(analyte, unit)
        except UnitError as error:
            message = f"{analyte.name}: {error.problem.expected}"
            faults += [CellFault(int(i), message) for i in rows]
            continue
        columns.append(LabColumn(analyte.name, spelled, rows, value[rows], analyte.name))
    return tuple(columns), faults


def _analytes(reading: Reading) -> tuple[Ints, list[Analyte | None]]:
    """Analyte of every row, from its name or else from its LOINC code."""
    table = reading.table
    size = len(table)
    found: list[Analyte | None] = []
    index = np.full(size, -1, dtype=np.int64)
    if "analyte" not in table and "loinc" not in table:
        message = "has neither 'analyte' nor 'loinc'; one is required in the long layout"
        raise ColumnError("header", message, row=1, source=table.source)
    if "analyte" in table:
        index, names = distinct(pc.utf8_lower(texts(table.columns["analyte"])))
        found = [ANALYTES.get(name) for name in names]
    if "loinc" in table:
        coded, codes = distinct(texts(table.columns["loinc"]))
        unnamed = _is_none(found, index)
        index = np.where(unnamed, coded + len(found), index)
        found += [analyte_for_loinc(code) for code in codes]
        wrong = np.array([bool(code) and not is_loinc(code) for code in codes])
        faulty = np.flatnonzero(unnamed & wrong[coded])
        reading.add("loinc", [CellFault(int(i), LEFT_OUT, "doubted") for i in faulty])
    return index, found


def _is_none(found: Sequence[Analyte | None], index: Ints) -> Bools:
    none = np.array([analyte is None for analyte in found] + [True])
    return none[index]
