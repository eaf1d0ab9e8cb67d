"""FHIR R4: Patient and Observation resources in a Bundle, a list or NDJSON.

A row is an Observation or one of its components; its number is the entry of the Bundle (of the
outermost one, where a Bundle holds others) or the line of the file. LOINC codes and a site's own
ones name the analyte, UCUM the unit. Withdrawn results and absent values are counted in the notes,
never used, and so is what the source says is missing from it.
"""

import importlib.util
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa

from features.analytes import Analyte
from features.errors import InputError
from features.labs import LabRows
from features.sources.bundles import Entry, resources_of
from features.sources.codes import read_codes
from features.sources.gathered import Gathered, Measured
from features.sources.long import measured_rows
from features.sources.patients import age_on, birth_of
from features.sources.reading import Reading
from features.sources.resources import gather
from features.sources.table import Table

__all__ = ["read_fhir", "rows_from_resources"]


def read_fhir(path: Path | str, *, codes: Path | str | None = None) -> LabRows:
    """Lab rows of a FHIR R4 Bundle (JSON) or of resources one a line (NDJSON).

    Parameters
    ----------
    path
        File in UTF-8.
    codes
        CSV file of a site's own codes: ``code,analyte``.

    Raises
    ------
    InputError
        If the file is not JSON, holds no resource, or the extra ``serve`` is not installed.
    """
    path = Path(path)
    return rows_from_resources(resources_of(path), codes=read_codes(codes), source=path.name)


def rows_from_resources(
    resources: Iterator[Entry],
    *,
    codes: Mapping[str, Analyte] | None = None,
    source: str = "bundle",
) -> LabRows:
    """Lab rows of the resources of a source.

    Parameters
    ----------
    resources
        Of the whole source.
    codes
        A site's own code to analyte.
    source
        What messages call it.
    """
    if importlib.util.find_spec("fhir") is None:
        raise InputError("FHIR", "needs the extra: pip install 'smoulder[serve]'", source=source)
    found = gather(resources, codes)
    _add_patients_without_values(found)
    if not found.measured:
        raise InputError(
            "file", "holds no Patient and no Observation of a test in the catalogue", source=source
        )
    return _lab_rows(found, source)


def _add_patients_without_values(found: Gathered) -> None:
    seen = {measured.subject for measured in found.measured}
    for subject, row in found.patient_row.items():
        if subject not in seen:
            found.measured.append(Measured(subject, "", "", np.nan, "", row))
            found.fault("Patient", "has no Observation that can be used")


def _lab_rows(found: Gathered, source: str) -> LabRows:
    measured = found.measured
    sexes = {s: str(patient.gender or "") for s, patient in found.patients.items()}
    births = {s: birth_of(patient) for s, patient in found.patients.items()}
    table = Table(
        source,
        {
            "subject_id": pa.array([m.subject for m in measured], pa.string()),
            "date": pa.array([m.day for m in measured], pa.string()),
            "sex": pa.array([_sex(sexes.get(m.subject, "")) for m in measured], pa.string()),
            "age": pa.array([age_on(m.day, births.get(m.subject)) for m in measured], pa.float64()),
            "analyte": pa.array([m.analyte for m in measured], pa.string()),
            "value": pa.array([m.value for m in measured], pa.float64()),
            "unit": pa.array([m.unit for m in measured], pa.string()),
        },
        np.array([m.row for m in measured], dtype=np.int64),
        {},
    )
    reading = Reading(table)
    for name, fault in found.faults:
        reading.add(name, [fault])
    reading.notes += found.notes()
    reading.notes += _doubts(found)
    return measured_rows(reading, count_others=False)


def _doubts(found: Gathered) -> list[str]:
    """A line for everything said that is of no subject alone; alike ones are counted."""
    times = Counter(doubt.said for doubt in found.doubts)
    first = {doubt.said: doubt for doubt in reversed(found.doubts)}
    lines = []
    for said, n in times.items():
        row = f"row {first[said].row}" if first[said].row else ""
        at = ", ".join(part for part in (row, first[said].place) if part)
        lines.append(f"{at}: {said}" + (f" ({n} times)" if n > 1 else ""))
    return lines


def _sex(gender: str) -> str:
    return gender if gender in ("female", "male") else ""
