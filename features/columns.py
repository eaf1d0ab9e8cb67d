"""Lab columns at their visits: canonical, each value judged, what stands there twice said.

Most columns hold nothing worth a word. Few values are looked at all at once, many column by column,
and only where something is to be said is it looked for which.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from features.analytes import ANALYTES, Analyte
from features.findings import Finding, found_at
from features.history import Floats, Ints
from features.labs import LabColumn, LabRows
from features.units import conversion, likely_unit, spelled_unit, to_canonical

__all__ = ["place_columns"]

Bools = NDArray[np.bool_]

SMALL = 4096
"""Values up to which all columns are looked at together; more fill the processor's cache alone."""


def place_columns(
    rows: LabRows, visit_of_row: Ints, visits: int
) -> tuple[dict[str, Floats], list[Finding]]:
    """Values of every analyte at the visits, and what is to be said of them.

    Parameters
    ----------
    rows
        From any reader.
    visit_of_row : (n,) array
        Visit that each row became.
    visits
        Their number.

    Returns
    -------
    labs : mapping of analyte to (visits,) array
        In canonical units; NaN where not measured.
    findings
        Column after column.
    """
    if sum(column.value.size for column in rows.columns) < SMALL:
        plain = _unremarkable(rows, visit_of_row, visits)
        if plain is not None:
            return plain, []
    labs: dict[str, Floats] = {}
    findings: list[Finding] = []
    for column in rows.columns:
        canonical, found = _check_column(rows, column)
        findings += found
        findings += _place(labs, rows, column, canonical, visit_of_row, visits)
    return labs, findings


def _unremarkable(rows: LabRows, visit_of_row: Ints, visits: int) -> dict[str, Floats] | None:
    """Values at the visits where there is nothing to say of any; None where there may be."""
    columns = rows.columns
    names = [column.analyte for column in columns]
    if not columns or len(set(names)) < len(names) or visits < rows.subject.size:
        return None
    sizes = [column.value.size for column in columns]
    which = np.arange(len(columns)).repeat(sizes)
    bounds = _conversions_and_usual(tuple([(column.analyte, column.unit) for column in columns]))
    divisor, factor, low, high = bounds.take(which, axis=1)
    value = np.concatenate([column.value for column in columns]) / divisor * factor
    at = np.concatenate([column.visit for column in columns])
    place = which * visits + at
    # An empty cell is not within the range either.
    if not ((low <= value) & (value <= high)).all() or not (place[1:] > place[:-1]).all():
        return None
    table = np.empty((len(columns), visits))
    table.fill(np.nan)
    table[which, visit_of_row[at]] = value
    return dict(zip(names, table, strict=True))


@lru_cache(maxsize=1024)
def _conversions_and_usual(given: tuple[tuple[str, str], ...]) -> Floats:
    """(4, c) divisors, factors and usual ranges of analytes in units."""
    found = [(*conversion(ANALYTES[name], unit), *_usual(ANALYTES[name])) for name, unit in given]
    return np.array(found).T


def _usual(analyte: Analyte) -> tuple[float, float]:
    """The usual range; where there is none on a side, the possible one."""
    low, high = (
        error if warn is None else warn
        for warn, error in zip(analyte.warn, analyte.error, strict=True)
    )
    return low, high


def _check_column(rows: LabRows, column: LabColumn) -> tuple[Floats, list[Finding]]:
    """Canonical values of one column, and what is impossible or unusual among them."""
    analyte = ANALYTES[column.analyte]
    canonical = to_canonical(analyte, column.value, column.unit)
    if _all_usual(analyte, canonical):
        return canonical, []
    low, high = analyte.error
    impossible = (canonical < low) | (canonical > high)
    findings = [
        found_at(rows, column.visit[i], column.field, _impossible(analyte, column, int(i)))
        for i in np.flatnonzero(impossible)
    ]
    unusual = ~impossible & _outside(canonical, analyte.warn)
    findings += [
        found_at(rows, column.visit[i], column.field, _unusual(analyte), "doubted")
        for i in np.flatnonzero(unusual)
    ]
    return canonical, findings


def _all_usual(analyte: Analyte, values: Floats) -> bool:
    """Whether every value, those not there aside, lies in the usual range; most columns do."""
    if not values.size:
        return False
    low, high = _usual(analyte)
    return bool(low <= np.fmin.reduce(values) and np.fmax.reduce(values) <= high)


def _outside(values: Floats, bounds: tuple[float | None, float | None]) -> Bools:
    low, high = bounds
    outside = np.zeros(values.shape, dtype=bool)
    if low is not None:
        outside |= values < low
    if high is not None:
        outside |= values > high
    return outside


def _unusual(analyte: Analyte) -> str:
    """What to say of an unusual value, for an analyte with a usual range."""
    low, high = analyte.warn
    if low is None:
        return f"is unusual (above {high:g} {analyte.unit}); confirm it"
    return f"is unusual (outside {low:g}-{high:g} {analyte.unit}); confirm it"


def _impossible(analyte: Analyte, column: LabColumn, i: int) -> str:
    """What to say of an impossible value: the possible range, and the unit it may have been in."""
    factor = analyte.units[spelled_unit(column.unit)]
    low, high = (bound / factor for bound in analyte.error)
    unit = "" if column.unit == "1" else f" {column.unit}"
    message = f"must lie within {low:g}-{high:g}{unit}"
    other = likely_unit(analyte, float(column.value[i]), column.unit)
    return message if other is None else f"{message}; it looks like a value in {other}"


def _place(
    labs: dict[str, Floats],
    rows: LabRows,
    column: LabColumn,
    canonical: Floats,
    visit_of_row: Ints,
    visits: int,
) -> list[Finding]:
    """Put a column's values at their visits; two different ones at one visit are refused."""
    fresh = column.analyte not in labs
    target = labs.setdefault(column.analyte, np.full(visits, np.nan))
    if fresh and visits == rows.subject.size and np.all(column.visit[1:] > column.visit[:-1]):
        target[visit_of_row[column.visit]] = canonical
        return []
    given = np.flatnonzero(~np.isnan(canonical))
    at, value = visit_of_row[column.visit[given]], canonical[given]
    free = np.flatnonzero(np.isnan(target[at]))
    first = np.full(visits, -1)
    first[at[free[::-1]]] = free[::-1]
    target[at[free]] = value[first[at[free]]]
    again = np.flatnonzero(first[at] != np.arange(given.size))
    # The same value through two units may differ in its last binary digits.
    same = np.isclose(value[again], target[at[again]], rtol=1e-9, atol=0)
    row = column.visit[given[again]]
    twice = "is given twice for this day"
    return [
        *(
            found_at(rows, i, column.field, f"{twice} with different values; keep one")
            for i in row[~same]
        ),
        *(
            found_at(
                rows, i, column.field, f"{twice} with the same value; it counts once", "doubted"
            )
            for i in row[same]
        ),
    ]
