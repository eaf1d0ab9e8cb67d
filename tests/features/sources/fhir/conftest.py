"""Resources of FHIR as the tests write them, and what is read out of them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from features.labs import LabRows
from features.sources.fhir import read_fhir

Json = dict[str, Any]
Read = Callable[..., LabRows]


def _loinc(code: str) -> Json:
    return {"coding": [{"system": "http://loinc.org", "code": code}]}


def _quantity(value: float, unit: str, **more: Any) -> Json:
    return {"value": value, "system": "http://unitsofmeasure.org", "code": unit, **more}


@pytest.fixture
def patient() -> Json:
    return {"resourceType": "Patient", "id": "p1", "gender": "female", "birthDate": "1955-03-10"}


@pytest.fixture
def loinc() -> Callable[[str], Json]:
    """A code of LOINC's."""
    return _loinc


@pytest.fixture
def quantity() -> Callable[..., Json]:
    """A value with its unit of UCUM."""
    return _quantity


@pytest.fixture
def observation() -> Callable[..., Json]:
    """An M-protein of 24 g/L in the night of 5 January 2024, unless told otherwise."""

    def observation(
        code: str = "33358-3",
        value: float = 24,
        unit: str = "g/L",
        subject: str = "Patient/p1",
        **more: Any,
    ) -> Json:
        return {
            "resourceType": "Observation",
            "status": "final",
            "code": _loinc(code),
            "subject": {"reference": subject},
            "effectiveDateTime": "2024-01-05T23:30:00-05:00",
            "valueQuantity": _quantity(value, unit),
            **more,
        }

    return observation


@pytest.fixture
def entry() -> Callable[[str, Json], Json]:
    """A resource as the entry of a Bundle, with its full URL if it has one."""

    def entry(url: str, resource: Json) -> Json:
        return {"fullUrl": url, "resource": resource} if url else {"resource": resource}

    return entry


@pytest.fixture
def read_entries(written: Callable[..., Path]) -> Read:
    """What is read out of a Bundle of these entries."""

    def read(*entries: Json, **options: Any) -> LabRows:
        bundle = {"resourceType": "Bundle", "type": "collection", "entry": list(entries)}
        return read_fhir(written(json.dumps(bundle), "bundle.json"), **options)

    return read


@pytest.fixture
def read(read_entries: Read) -> Read:
    """What is read out of a Bundle of these resources, without full URLs."""

    def read(*resources: Json, **options: Any) -> LabRows:
        return read_entries(*({"resource": resource} for resource in resources), **options)

    return read


@pytest.fixture
def values() -> Callable[[LabRows], Json]:
    """Values by analyte and unit."""

    def values(rows: LabRows) -> Json:
        return {(c.analyte, c.unit): c.value.tolist() for c in rows.columns}

    return values


@pytest.fixture
def people() -> Callable[[LabRows], Json]:
    """Sex and M-protein by subject."""

    def people(rows: LabRows) -> Json:
        (column,) = rows.columns
        whose = rows.subject[column.visit].tolist()
        of_each = zip(whose, column.value.tolist(), strict=True)
        return {rows.subject_ids[who]: (rows.sex[who], value) for who, value in of_each}

    return people
