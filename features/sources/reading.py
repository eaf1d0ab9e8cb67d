"""A table on its way to lab rows: subjects, times, ages and what is true of a subject throughout.

What cannot be understood in a cell becomes a problem of its subject, so that others are answered;
what makes the whole file unusable is raised.
"""

from collections.abc import Mapping

import numpy as np
import pyarrow.compute as pc

from features.errors import ColumnError, DateError
from features.history import (
    FEMALE,
    HEAVY_CHAINS,
    KAPPA,
    LAMBDA,
    MALE,
    UNKNOWN,
    Codes,
    Floats,
    Ints,
)
from features.labs import (
    CellFault,
    LabColumn,
    LabRows,
    Problem,
    age_from_birth_year,
    unknown_codes,
    years_from_days,
)
from features.sources.cells import MISSING_DAY, SERIAL_DATE, codes, days, numbers, texts
from features.sources.table import Cells, Table

__all__ = ["CHAINS", "SEXES", "SUBJECT_COLUMNS", "Reading"]

SUBJECT_COLUMNS: Mapping[str, Cells] = {
    "subject_id": "text",
    "date": "day",
    "years": "number",
    "age": "number",
    "birth_year": "number",
    "sex": "word",
    "heavy_chain": "word",
    "light_chain": "word",
    "diagnosis_date": "day",
}
"""Columns of a table of visits that hold no test, and what their cells are."""

WHOLE_ROW = ("row", "Observation", "Patient")
"""Fields of problems that say all there is to say about a row."""

SEXES = {
    "F": FEMALE,
    "M": MALE,
    "female": FEMALE,
    "male": MALE,
    "weiblich": FEMALE,
    "männlich": MALE,
    "unknown": UNKNOWN,
}
HEAVY = {name: code for code, name in enumerate(HEAVY_CHAINS)} | {"unknown": UNKNOWN}
CHAINS = {"kappa": KAPPA, "lambda": LAMBDA, "κ": KAPPA, "λ": LAMBDA, "unknown": UNKNOWN}


class Reading:
    """A table of visits whose subjects are known and whose problems are being gathered.

    Parameters
    ----------
    table
        With a column of subject ids.
    key
        Name of that column.
    """

    def __init__(self, table: Table, *, key: str = "subject_id") -> None:
        self.table = table
        self.problems: list[Problem] = []
        self.notes: list[str] = list(table.notes)
        encoded = pc.dictionary_encode(texts(table.columns[key]))
        self.subject_ids: tuple[str, ...] = tuple(encoded.dictionary.to_pylist())
        self.subject: Ints = encoded.indices.to_numpy().astype(np.int64)
        for index, fault in table.ragged.items():
            self.add("row", [CellFault(index, fault)])
        if "" in self.subject_ids:
            nameless = np.flatnonzero(self.subject == self.subject_ids.index(""))
            self.add(
                key, [CellFault(int(i), "is empty; every row names its subject") for i in nameless]
            )

    def add(self, field: str, faults: list[CellFault]) -> None:
        """Note faults of a column's cells as problems of their subjects."""
        row, subject = self.table.row, self.subject
        self.problems += [
            Problem(int(subject[f.index]), int(row[f.index]), field, f.expected, f.severity)
            for f in faults
        ]

    def numbers(self, name: str) -> Floats:
        """(n,) numbers of a column, NaN where missing; all NaN without the column."""
        if name not in self.table:
            return np.full(len(self.table), np.nan)
        values, faults = numbers(self.table.columns[name])
        self.add(name, faults)
        return values

    def dates(self, name: str) -> Floats:
        """(n,) years since 1970-01-01 of a column of dates, NaN where missing or faulty."""
        if name not in self.table:
            return np.full(len(self.table), np.nan)
        found, faults = days(self.table.columns[name])
        given = int(np.count_nonzero(found != MISSING_DAY)) + len(faults)
        if faults and len(faults) == given and all(f.expected == SERIAL_DATE for f in faults):
            row = int(self.table.row[faults[0].index])
            raise DateError(name, SERIAL_DATE, row=row, source=self.table.source)
        self.add(name, faults)
        return np.where(found == MISSING_DAY, np.nan, years_from_days(found))

    def required(self, name: str, values: Floats) -> Floats:
        """The values, with a problem wherever one is missing that no other problem explains."""
        explained = {
            problem.row for problem in self.problems if problem.field in (name, *WHOLE_ROW)
        }
        missing = np.flatnonzero(np.isnan(values))
        self.add(
            name,
            [
                CellFault(int(i), "is missing; every row needs one")
                for i in missing
                if int(self.table.row[i]) not in explained
            ],
        )
        return values

    def times(self) -> tuple[Floats, bool]:
        """(n,) years on the subjects' clock, and whether it is the calendar's."""
        if "date" in self.table:
            return self.required("date", self.dates("date")), True
        if "years" in self.table:
            return self.required("years", self.numbers("years")), False
        expected = "has neither 'date' (YYYY-MM-DD) nor 'years' (since diagnosis); one is required"
        raise ColumnError("header", expected, row=1, source=self.table.source)

    def ages(self, time_years: Floats, *, dated: bool) -> Floats:
        """(n,) age at each visit, from `age` or else from `birth_year`."""
        age, birth_year = self.numbers("age"), self.numbers("birth_year")
        if "birth_year" not in self.table:
            return age
        calendar = time_years if dated else time_years + self.dates("diagnosis_date")
        return np.where(np.isnan(age), age_from_birth_year(calendar, birth_year), age)

    def diagnosis(self, *, dated: bool) -> Floats:
        """(s,) time of diagnosis on the subjects' clock."""
        if not dated:
            return np.zeros(len(self.subject_ids))
        return self._throughout("diagnosis_date", self.dates("diagnosis_date"), np.nan)

    def code(self, name: str, words: Mapping[str, int]) -> Codes:
        """(s,) codes of a column that says one thing of a subject throughout."""
        if name not in self.table:
            return unknown_codes(len(self.subject_ids))
        found, faults = codes(self.table.columns[name], words)
        self.add(name, faults)
        given = np.where(found == UNKNOWN, np.nan, found.astype(np.float64))
        return self._throughout(name, given, UNKNOWN).astype(np.int8)

    def _throughout(self, name: str, values: Floats, missing: float) -> Floats:
        """(s,) first value given for each subject; a later one that differs is a problem."""
        known = np.flatnonzero(~np.isnan(values))
        first = np.full(len(self.subject_ids), missing, dtype=np.float64)
        first[self.subject[known[::-1]]] = values[known[::-1]]
        other = known[values[known] != first[self.subject[known]]]
        expected = "differs from an earlier row of this subject; it is one for all rows"
        self.add(name, [CellFault(int(i), expected) for i in other])
        return first

    def lab_rows(self, columns: tuple[LabColumn, ...]) -> LabRows:
        """Lab rows with the values of these columns and the subjects of this table."""
        time_years, dated = self.times()
        age_years = self.ages(time_years, dated=dated)
        sex = self.code("sex", SEXES)
        heavy_chain = self.code("heavy_chain", HEAVY)
        light_chain = self.code("light_chain", CHAINS)
        diagnosis_years = self.diagnosis(dated=dated)
        return LabRows(
            subject_ids=self.subject_ids,
            subject=self.subject,
            time_years=time_years,
            row=self.table.row,
            age_years=age_years,
            sex=sex,
            heavy_chain=heavy_chain,
            light_chain=light_chain,
            diagnosis_years=diagnosis_years,
            columns=columns,
            dated=dated,
            problems=tuple(sorted(dict.fromkeys(self.problems), key=lambda p: p.row or 0)),
            notes=tuple(self.notes),
        )
