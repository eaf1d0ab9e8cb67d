"""What the reader of an answer must know about the input behind it."""

from dataclasses import dataclass

import numpy as np

from features.labs import LabRows, Severity

__all__ = ["Finding", "found_at"]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about one subject's input that its reader must know.

    Parameters
    ----------
    subject
        Index of the subject.
    row
        Row of the source, or None.
    field
        Column or path, as the caller named it.
    message
        What was expected, and what to do; never the value.
    severity
        ``refused`` subjects are not answered; ``doubted`` ones are, and want confirming.
    """

    subject: int
    row: int | None
    field: str
    message: str
    severity: Severity

    def __str__(self) -> str:
        place = f"row {self.row}, " if self.row is not None else ""
        return f"{place}{self.field}: {self.message}"


def found_at(
    rows: LabRows, visit: int | np.int64, field: str, message: str, severity: Severity = "refused"
) -> Finding:
    """Finding on a visit, by the subject and the row that it is of."""
    return Finding(int(rows.subject[visit]), int(rows.row[visit]), field, message, severity)
