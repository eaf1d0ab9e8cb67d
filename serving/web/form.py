"""The form: fields from the analyte catalogue, and from what was typed to a request document.

Fields are named by their JSON path, so a problem of the request is a problem of that field.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from features.analytes import ANALYTES, Analyte
from features.errors import FieldProblem
from features.history import HEAVY_CHAINS
from serving.request import LIGHT_CHAINS, SEXES
from serving.web import days
from serving.web.typed_numbers import has_decimal_comma, typed_number

__all__ = ["EXAMPLE", "GATE", "GROUPS", "MOST_COLUMNS", "Form", "read_form"]

MAIN = (
    "m_protein",
    "kappa_flc",
    "lambda_flc",
    "bmpc",
    "hemoglobin",
    "creatinine",
    "calcium",
    "albumin",
)
"""Tests that any model or the staging usually asks for."""

GROUPS: Mapping[str, tuple[Analyte, ...]] = {
    "main": tuple(ANALYTES[name] for name in MAIN),
    "more": tuple(a for a in ANALYTES.values() if a.kind == "lab" and a.name not in MAIN),
    "findings": tuple(a for a in ANALYTES.values() if a.kind == "flag"),
    "limits": tuple(a for a in ANALYTES.values() if a.kind == "limit"),
}
"""Rows of the visits grid; every analyte of the catalogue is in one group."""

CHOICES: Mapping[str, tuple[str, ...]] = {
    "sex": tuple(SEXES),
    "heavy_chain": HEAVY_CHAINS,
    "light_chain": tuple(LIGHT_CHAINS),
}
FEWEST_COLUMNS, MOST_COLUMNS = 3, 40

GATE = ("myeloma", "plasmacytoma", "amyloidosis", "igm", "treated")
"""What none of the models is for, asked first."""

OUT_OF_SCOPE = "no model here is for this; untick it if it does not apply"

CELL = re.compile(r"visits\[[^.]*\.labs\.([^.]*)\.[^.]*$")
VISIT = re.compile(r"visits\[(\d{1,3})\]", re.ASCII)


@dataclass(frozen=True, slots=True)
class Form:
    """What was typed.

    Parameters
    ----------
    typed
        Field name to text, as typed.
    columns
        Visits shown.
    document
        The request it stands for; visits left empty are not in it.
    problems
        What could not be read, by field name.
    places
        Which of the visits shown each visit of the document is.
    tests
        Those with anything typed in, readable or not.
    """

    typed: Mapping[str, str]
    columns: int
    document: dict[str, Any]
    problems: tuple[FieldProblem, ...] = ()
    places: tuple[int, ...] = ()
    tests: frozenset[str] = frozenset()

    def row(self, name: str) -> list[str]:
        """What was typed for a test at every visit shown."""
        return [self.typed.get(f"visits[{i}].labs.{name}.value", "") for i in range(self.columns)]

    def unit(self, analyte: Analyte) -> str:
        """Unit chosen for a row."""
        return self.typed.get(f"units.{analyte.name}") or analyte.unit

    @property
    def units(self) -> dict[str, str]:
        """Test to the unit it was typed in."""
        chosen = {name: self.unit(ANALYTES[name]) for name in self.tests if name in ANALYTES}
        return {name: unit for name, unit in chosen.items() if unit in ANALYTES[name].units}

    def filled(self, group: str) -> bool:
        """Whether anything was typed into a group of rows."""
        return any(analyte.name in self.tests for analyte in GROUPS[group])

    def named(self, problem: FieldProblem) -> FieldProblem:
        """A problem of the document as a problem of the form: places count shown columns."""

        def shown(found: re.Match[str]) -> str:
            return f"visits[{self.places[int(found[1])]}]"

        field = VISIT.sub(shown, problem.field) if self.places else problem.field
        unit = re.fullmatch(r"visits\[\d+\]\.labs\.(\w+)\.unit", field)
        expected = problem.expected
        if field in self._dates():
            expected = days.EXPECTED if self.typed.get(field, "").strip() else "is required"
        # The API takes a year of birth instead of an age; the form has no such field.
        expected = expected.removesuffix(", or birth_year")
        return FieldProblem(f"units.{unit[1]}" if unit else field, expected)

    def _dates(self) -> set[str]:
        """Fields that hold a day nobody could read."""
        return {
            field
            for field, text in self.typed.items()
            if ("date" in field or field == "as_of") and days.iso(text) is None
        }


def read_form(typed: Mapping[str, str]) -> Form:
    """Request that a form stands for.

    Examples
    --------
    >>> form = read_form({"subject.sex": "female", "subject.age": "61",
    ...                   "visits[0].date": "2026-03-01",
    ...                   "visits[0].labs.m_protein.value": "24", "units.m_protein": "g/L"})
    >>> form.document["visits"][0]["labs"]
    {'m_protein': {'value': 24.0, 'unit': 'g/L'}}
    """
    problems: list[FieldProblem] = []
    columns, tests = _columns(typed), _tests(typed)
    commas = any(has_decimal_comma(text) for name, text in typed.items() if _is_number(name))
    subject: dict[str, Any] = {
        name: text
        for name in ("sex", "heavy_chain", "light_chain")
        if (text := typed.get(f"subject.{name}", "").strip())
    }
    if diagnosed := _day(typed, "subject.diagnosis_date"):
        subject["diagnosis_date"] = diagnosed
    age = _number(typed, "subject.age", problems, commas=commas)
    if age is not None:
        subject["age"] = age
    visits, places = [], []
    for i in range(columns):
        visit = _visit(typed, i, tests, problems, commas=commas)
        if visit is not None:
            visits.append(visit)
            places.append(i)
    document: dict[str, Any] = {"subject": subject, "visits": visits}
    if as_of := _day(typed, "as_of"):
        document["as_of"] = as_of
    problems += [
        FieldProblem(f"gate.{name}", OUT_OF_SCOPE) for name in GATE if typed.get(f"gate.{name}")
    ]
    return Form(typed, columns, document, tuple(problems), tuple(places), tests)


def _is_number(name: str) -> bool:
    return name == "subject.age" or name.endswith(".value")


def _tests(typed: Mapping[str, str]) -> frozenset[str]:
    return frozenset(
        found[1] for field, text in typed.items() if (found := CELL.match(field)) and text.strip()
    )


def _columns(typed: Mapping[str, str]) -> int:
    """Visits to show: those with a field, and one more when asked for."""
    seen = [int(found[1]) for name in typed if (found := VISIT.match(name))]
    wanted = max(seen, default=-1) + 1 + (typed.get("action") == "add")
    return min(max(wanted, FEWEST_COLUMNS), MOST_COLUMNS)


def _visit(
    typed: Mapping[str, str],
    i: int,
    tests: frozenset[str],
    problems: list[FieldProblem],
    *,
    commas: bool,
) -> dict[str, Any] | None:
    labs: dict[str, Any] = {}
    broken = False
    for name, analyte in ANALYTES.items():
        if name not in tests:
            continue
        field = f"visits[{i}].labs.{name}.value"
        before = len(problems)
        value = _number(typed, field, problems, commas=commas)
        broken = broken or len(problems) > before
        if value is not None:
            labs[name] = {"value": value, "unit": typed.get(f"units.{name}", analyte.unit)}
    day = _day(typed, f"visits[{i}].date")
    if not day and not labs and not broken:
        return None
    return {"date": day, "labs": labs}


def _day(typed: Mapping[str, str], field: str) -> str:
    """A day as YYYY-MM-DD; what cannot be read stays as typed and is refused with the request."""
    text = typed.get(field, "").strip()
    return days.iso(text) or text


def _number(
    typed: Mapping[str, str], field: str, problems: list[FieldProblem], *, commas: bool
) -> float | None:
    text = typed.get(field, "").strip()
    if not text:
        return None
    read = typed_number(text, commas=commas)
    if isinstance(read, str):
        problems.append(FieldProblem(field, read))
        return None
    return read


def _typed(rows: Mapping[str, tuple[str, Sequence[str]]], dates: Sequence[str]) -> dict[str, str]:
    typed = {f"visits[{i}].date": day for i, day in enumerate(dates)}
    for name, (unit, values) in rows.items():
        typed[f"units.{name}"] = unit
        for i, value in enumerate(values):
            typed[f"visits[{i}].labs.{name}.value"] = value
    return typed


EXAMPLE: Mapping[str, str] = {
    "subject.sex": "female",
    "subject.age": "61",
    "subject.heavy_chain": "IgG",
    "subject.light_chain": "kappa",
    "subject.diagnosis_date": "2024-09-17",
    **_typed(
        {
            "m_protein": ("g/L", ("19", "21", "24")),
            "kappa_flc": ("mg/L", ("174", "221", "312")),
            "lambda_flc": ("mg/L", ("12.1", "11.8", "11.4")),
            "bmpc": ("%", ("18", "", "22")),
            "hemoglobin": ("g/L", ("134", "131", "124")),
            "creatinine": ("umol/L", ("74", "76", "80")),
            "calcium": ("mmol/L", ("2.31", "2.28", "2.34")),
            "albumin": ("g/L", ("41", "40", "39")),
        },
        ("2024-09-17", "2025-03-04", "2025-09-09"),
    ),
}
"""A made-up person, typed in SI units."""
