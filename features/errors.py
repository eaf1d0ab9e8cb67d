"""Every error Smoulder raises on purpose, as one tree.

::

    SmoulderError                 one clear line for the person who asked
    ├── InputError                what came in cannot be understood; exit status 2, HTTP 400 or 422
    │   ├── UnitError             the unit is missing, unknown or does not fit the analyte
    │   ├── ValueRangeError       the value is impossible in the unit it was given in
    │   ├── ColumnError           a table lacks a column, repeats one or has an unknown one
    │   ├── DateError             a date that cannot be read, or one that lies where it must not
    │   └── DuplicateError        the same subject, date and analyte twice, with different values
    ├── RefusedError              understood, and refused by a rule that the message names; exit 1
    │   ├── DesignError           the study design is unsound for this cohort
    │   └── GateError             the candidate failed a limit of the clinical gate
    ├── ArtefactError             a model artefact is corrupt, altered or not of this format
    ├── RegistryError             the model registry cannot answer
    └── AuditError                an answer cannot be recorded, or the record is not readable

Messages name the field, what was expected and what to do. They never hold a patient's value, so
that an error may be logged; a value that helps the caller travels in the answer instead.
"""

from dataclasses import dataclass

__all__ = [
    "ArtefactError",
    "AuditError",
    "ColumnError",
    "DateError",
    "DesignError",
    "DuplicateError",
    "FieldProblem",
    "GateError",
    "InputError",
    "RefusedError",
    "RegistryError",
    "SmoulderError",
    "UnitError",
    "ValueRangeError",
]


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """What is wrong with one field of one input.

    Parameters
    ----------
    field
        The field as the caller names it: a column, a JSON path, a form field.
    expected
        What was expected instead, and what to do.
    row
        Row of a table as a person counts it, header included, or None.
    source
        Name of the file, or None.
    """

    field: str
    expected: str
    row: int | None = None
    source: str | None = None

    def __str__(self) -> str:
        file = f"{self.source}, " if self.source is not None else ""
        place = f"row {self.row}, " if self.row is not None else ""
        return f"{file}{place}{self.field}: {self.expected}"


class SmoulderError(Exception):
    """Base of all errors raised on purpose; its text is one line for a person."""


class InputError(SmoulderError):
    """What came in cannot be used.

    Parameters
    ----------
    field
        The field as the caller names it.
    expected
        What was expected, and what to do.
    row
        Row of a table as a person counts it, or None.
    source
        Name of the file, or None.
    """

    def __init__(
        self, field: str, expected: str, *, row: int | None = None, source: str | None = None
    ) -> None:
        self.problem = FieldProblem(field, expected, row, source)
        # Its own arguments, so that it comes whole from another process.
        super().__init__(field, expected)

    def __str__(self) -> str:
        return str(self.problem)


class UnitError(InputError):
    """A unit is missing, unknown or does not fit the analyte."""


class ValueRangeError(InputError):
    """A value is impossible in the unit it was given in."""


class ColumnError(InputError):
    """A table lacks a column, repeats one or has one that is not understood."""


class DateError(InputError):
    """A date cannot be read, or lies where it must not."""


class DuplicateError(InputError):
    """The same subject, date and analyte are given twice with different values."""


class RefusedError(SmoulderError):
    """Understood, and refused by a rule that the message names."""


class DesignError(RefusedError):
    """The study design is unsound for this cohort."""


class GateError(RefusedError):
    """A candidate failed a limit of the clinical gate."""


class ArtefactError(SmoulderError):
    """A model artefact is corrupt, altered or not of this format."""


class RegistryError(SmoulderError):
    """The model registry cannot answer."""


class AuditError(SmoulderError):
    """An answer could not be recorded, or there is no readable record."""
