"""OMOP CDM 5.4: `person`, `measurement` and `observation`, from a folder or a database.

The `concept` table, where it is there, names tests (LOINC) and units (UCUM); without it a LOINC
code in the source value, a site's own codes and the standard concepts below do. Only `=` makes a
value: a row with another operator holds a bound.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from features.analytes import ANALYTES, Analyte, analyte_for_loinc
from features.errors import InputError
from features.history import Ints
from features.labs import CellFault, LabRows
from features.sources.cdm import TableReader, cdm_tables
from features.sources.cells import numbers, texts
from features.sources.codes import read_codes
from features.sources.long import distinct, measured_rows
from features.sources.reading import Reading
from features.sources.table import Table

__all__ = ["read_omop"]

UNIT_OF_CONCEPT = {
    "8713": "g/dL",
    "8636": "g/L",
    "8840": "mg/dL",
    "8751": "mg/L",
    "8749": "umol/L",
    "8753": "mmol/L",
    "8554": "%",
    "8645": "U/L",
    "8909": "mg/(24.h)",
    "8807": "g/(24.h)",
}
"""Standard unit concepts of the OMOP vocabulary, as UCUM."""

LOINC_OF_CONCEPT = {
    "3000963": "718-7",
    "3016723": "2160-0",
    "3020564": "14682-9",
    "3006906": "17861-6",
}
"""Standard concepts of the commonest tests; the others need the concept table or own codes."""

SEX_OF_CONCEPT = {"8507": "male", "8532": "female"}
EQUALS = frozenset({"", "0", "4172703"})
"""Operator concepts that make a value exact: none, no matching concept, and ``=``."""

Objects = NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class Facts:
    """One table of facts: its name, and the columns that hold test, day and source value."""

    table: str
    concept: str
    day: str
    source_value: str


FACTS = (
    Facts("measurement", "measurement_concept_id", "measurement_date", "measurement_source_value"),
    Facts("observation", "observation_concept_id", "observation_date", "observation_source_value"),
)


def read_omop(source: Path | str, *, codes: Path | str | None = None) -> LabRows:
    """Lab rows of the tests of the catalogue, `measurement` first, then `observation`.

    Parameters
    ----------
    source
        Folder of CSV or Parquet files named after the tables, or an SQLAlchemy URL.
    codes
        CSV file ``code,analyte``; a code is a concept id or a source value.

    Raises
    ------
    InputError
        If a table or column that is needed is missing, or the database does not answer.
    """
    own = read_codes(codes)
    read = cdm_tables(source)
    person = read("person", ("person_id",), ("gender_concept_id", "year_of_birth"), {})
    if person is None:
        raise InputError("person", "is missing; the CDM's table of people is needed")
    loinc, units = _vocabulary(read)
    parts, notes = [], []
    for facts in FACTS:
        part = _facts(read, facts, own, loinc, units)
        if part is not None:
            parts.append(part)
            passed_over = int(np.count_nonzero(part.analyte == ""))
            if passed_over:
                notes.append(
                    f"{facts.table}: tests outside the catalogue are not used: {passed_over}"
                )
    if not parts:
        raise InputError("measurement", "is missing; tests are read from it")
    return _lab_rows(person, parts, notes)


@dataclass(frozen=True, slots=True)
class Part:
    """The columns of one table of facts, and the analyte of every row (empty: not used)."""

    table: Table
    facts: Facts
    analyte: Objects
    unit: Objects


def _facts(
    read: TableReader,
    facts: Facts,
    own: Mapping[str, Analyte],
    loinc: Mapping[str, str],
    units: Mapping[str, str],
) -> Part | None:
    needed = ("person_id", facts.concept, facts.day, "value_as_number")
    optional = (facts.source_value, "operator_concept_id", "unit_concept_id", "unit_source_value")
    codes = {*own, *(code for analyte in ANALYTES.values() for code in analyte.loinc)}
    tests = (key for key, code in loinc.items() if analyte_for_loinc(code) is not None)
    wanted = {facts.concept: {*own, *tests}, facts.source_value: codes}
    table = read(facts.table, needed, optional, wanted)
    if table is None:
        return None
    analyte = _named(table, facts.concept, lambda code: _of_concept(code, own, loinc))
    by_source = _named(table, facts.source_value, lambda code: _of_source(code, own))
    unit = _named(table, "unit_concept_id", lambda code: units.get(code, ""))
    written = _named(table, "unit_source_value", str)
    analyte = np.where(analyte == "", by_source, analyte)
    return Part(table, facts, analyte, np.where(unit == "", written, unit))


def _of_concept(code: str, own: Mapping[str, Analyte], loinc: Mapping[str, str]) -> str:
    found = own.get(code) or analyte_for_loinc(loinc.get(code, ""))
    return found.name if found is not None else ""


def _of_source(code: str, own: Mapping[str, Analyte]) -> str:
    found = own.get(code) or analyte_for_loinc(code)
    return found.name if found is not None else ""


def _named(table: Table, name: str, meaning: Callable[[str], str]) -> Objects:
    """(n,) meaning of the cells of a column; empty without the column."""
    if name not in table:
        return np.full(len(table), "", dtype=object)
    index, cells = distinct(_ids(table.columns[name]))
    return np.array([meaning(cell) for cell in cells], dtype=object)[index]


def _ids(column: pa.Array) -> pa.Array:
    """Cells as text; an id that passed through a column of floats loses its ``.0``."""
    return pc.replace_substring_regex(texts(column), r"^(\d+)\.0+$", r"\1")


def _vocabulary(read: TableReader) -> tuple[dict[str, str], dict[str, str]]:
    """Concept id to LOINC code, and concept id to UCUM unit."""
    wanted = {code for analyte in ANALYTES.values() for code in (*analyte.loinc, *analyte.units)}
    needed = ("concept_id", "vocabulary_id", "concept_code")
    concept = read("concept", needed, (), {"concept_code": wanted})
    loinc, units = dict(LOINC_OF_CONCEPT), dict(UNIT_OF_CONCEPT)
    if concept is not None:
        cells = (_ids(concept.columns[n]).to_pylist() for n in concept.columns)
        by_name = dict(zip(concept.columns, cells, strict=True))
        for key, vocabulary, code in zip(
            by_name["concept_id"],
            by_name["vocabulary_id"],
            by_name["concept_code"],
            strict=True,
        ):
            if vocabulary == "LOINC":
                loinc[key] = code
            elif vocabulary == "UCUM":
                units[key] = code
    return loinc, units


def _lab_rows(person: Table, parts: Iterable[Part], notes: list[str]) -> LabRows:
    gathered: dict[str, list[pa.Array]] = {}
    rows: list[Ints] = []
    bounds: list[int] = []
    offset = 0
    for part in parts:
        used = np.flatnonzero(part.analyte != "")
        take = pa.array(used)
        columns = part.table.columns
        found = {
            "subject_id": _ids(columns["person_id"]).take(take),
            "date": pc.cast(columns[part.facts.day], pa.string()).take(take),
            "value": columns["value_as_number"].take(take),
            "analyte": pa.array(part.analyte[used], pa.string()),
            "unit": pa.array(part.unit[used], pa.string()),
        }
        found["value"] = pc.cast(found["value"], pa.string())
        for name, column in found.items():
            gathered.setdefault(name, []).append(column)
        rows.append(part.table.row[used])
        if "operator_concept_id" in part.table:
            operator = _ids(columns["operator_concept_id"]).take(take).to_pylist()
            bounds += [offset + i for i, code in enumerate(operator) if code not in EQUALS]
        offset += used.size
    if offset == 0:
        raise InputError("measurement", "holds no test of the catalogue; give codes, or concept")
    merged = {name: pa.concat_arrays(columns) for name, columns in gathered.items()}
    merged |= _of_person(person, merged["subject_id"])
    if bounds:
        exact = np.ones(offset, dtype=bool)
        exact[bounds] = False
        merged["value"] = pc.if_else(pa.array(exact), merged["value"], pa.scalar(None, pa.string()))
    reading = Reading(Table(person.source, merged, np.concatenate(rows), {}))
    expected = "makes the value a bound; it was left out"
    reading.add("operator_concept_id", [CellFault(i, expected, "doubted") for i in bounds])
    reading.notes += notes
    return measured_rows(reading)


def _of_person(person: Table, subject: pa.Array) -> dict[str, pa.Array]:
    """Sex and year of birth of the person of every row."""
    place = pc.index_in(subject, _ids(person.columns["person_id"]))
    sex = _named(person, "gender_concept_id", lambda code: SEX_OF_CONCEPT.get(code, ""))
    born = np.full(len(person), np.nan)
    if "year_of_birth" in person:
        born = numbers(person.columns["year_of_birth"])[0]
    return {
        "sex": pc.fill_null(pa.array(sex, pa.string()).take(place), ""),
        "birth_year": pa.array(born, from_pandas=True).take(place),
    }
