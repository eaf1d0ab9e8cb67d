"""Readers, one per format, all to the same lab rows."""

from pathlib import Path
from typing import Literal

from features.errors import InputError
from features.labs import LabRows
from features.sources.csv import read_table

__all__ = ["Format", "read_visits"]

Format = Literal["auto", "csv", "pangea", "fhir", "omop"]


def read_visits(path: Path | str, *, format: Format = "auto") -> LabRows:  # noqa: A002
    """Lab rows of a file, a folder or a database, in the order of the source.

    Parameters
    ----------
    path
        What to read.
    format
        How it is laid out; ``auto`` looks at the name and the first bytes.
    """
    if format in ("auto", "csv"):
        return read_table(path)
    raise InputError("format", "is not read; expected csv")
