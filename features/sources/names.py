"""Names of one's own: a small JSON file that says what the columns of a hospital's tables are.

``{"columns": {"Pat_ID": "subject_id", "HB": "hemoglobin_g_dl"}}``; a ``cohort.json`` may be that
file. Columns that are not named there keep their names. The name that a column is read by carries
its unit, so that none is guessed.
"""

import json
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from features.errors import ColumnError, InputError, UnitError
from features.sources.csv import unit_fault
from features.sources.headers import COLUMNS, guess_columns
from features.sources.table import normal_name, shown_name
from features.sources.tables import Names

__all__ = ["Part", "columns_of", "every_name", "json_object", "read_names"]

Part = Literal["visits", "outcomes"]

SUBJECT = "subject_id"
PARTS: Mapping[Part, tuple[str, ...]] = MappingProxyType(
    {
        "visits": (*COLUMNS, "centre"),
        "outcomes": (SUBJECT, "duration_years", "event", "treated_years"),
    }
)
"""What a column of either table may be read by."""

EVERY = tuple(dict.fromkeys(name for part in PARTS.values() for name in part))
A_FILE = 'columns, such as {"columns": {"HB": "hemoglobin_g_dl"}}'


def read_names(file: Path) -> dict[str, str]:
    """Column names as the file of names writes them to those that they are read by.

    Raises
    ------
    InputError
        If the file is not there or is no such file; if it names a column twice, one that no table
        has, or two columns as the same.
    """
    if not file.is_file():
        raise InputError("file", "does not exist", source=file.name)
    found = json_object(file, A_FILE)
    if "columns" not in found:
        raise InputError("file", f"expected a JSON object with {A_FILE}", source=file.name)
    return columns_of(found, file.name)


def json_object(file: Path, holds: str) -> dict[str, object]:
    """Object of a JSON file in which no name is repeated.

    Parameters
    ----------
    file
        To be read.
    holds
        What the object has, for the message where there is none.
    """

    def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
        names = [name for name, _ in pairs]
        for name in names:
            if names.count(name) > 1:
                raise _named_twice(name, file.name)
        return dict(pairs)

    try:
        found = json.loads(file.read_bytes(), object_pairs_hook=once)
    except (ValueError, RecursionError) as error:
        raise InputError(str(file), f"expected a JSON object with {holds}") from error
    if not isinstance(found, dict):
        raise InputError(str(file), f"expected a JSON object with {holds}")
    return found


def columns_of(found: Mapping[str, object], source: str) -> dict[str, str]:
    """The checked ``columns`` of an object, none where it has none; as `read_names`."""
    given = found.get("columns", {})
    if not isinstance(given, dict) or not all(isinstance(name, str) for name in given.values()):
        raise InputError("columns", f"expected {A_FILE}", source=source)
    names: dict[str, str] = {}
    own_of: dict[str, str] = {}
    for own, name in given.items():
        read_by = normal_name(name)
        if normal_name(own) in map(normal_name, names):
            raise _named_twice(own, source)
        _refuse_unknown(own, read_by, source)
        if read_by in own_of:
            both = f"{shown_name(own_of[read_by])!r} and {shown_name(own)!r}"
            raise ColumnError(read_by, f"is named for both {both}; keep one", source=source)
        names[own], own_of[read_by] = read_by, own
    return names


def every_name(header: Iterable[str], names: Names, *, part: Part, source: str) -> Names:
    """Each column of a header to the name that it is read by, its own where it has no other.

    Parameters
    ----------
    header
        Normalised.
    names
        From `read_names`; those that only the other table can have are passed over.
    part
        Which table the header is of.
    source
        What messages call it.

    Raises
    ------
    ColumnError
        If a named column is not there, or another one has its name. Where subjects are called
        ``subject_id`` already, as the outcomes of a cohort often are, nothing is missing.

    Examples
    --------
    >>> names = {"Pat_ID": "subject_id", "HB": "hemoglobin_g_dl"}
    >>> every_name(["pat_id", "hb", "age"], names, part="visits", source="visits.csv")
    {'pat_id': 'subject_id', 'hb': 'hemoglobin_g_dl', 'age': 'age'}
    """
    read_by = {name: name for name in header}
    here = {own: name for own, name in names.items() if name in PARTS[part]}
    for own, name in here.items():
        if normal_name(own) in read_by:
            read_by[normal_name(own)] = name
        elif name != SUBJECT or SUBJECT not in read_by:
            close = get_close_matches(normal_name(own), read_by, n=1)
            close = close or [n for n, may_be in guess_columns(read_by).items() if name in may_be]
            problem = f"is no column of the file{_meant(close)}"
            raise ColumnError(shown_name(own), problem, source=source)
    given = list(read_by.values())
    for own, name in here.items():
        if given.count(name) > 1:
            problem = f"is a column of the file, and {shown_name(own)!r} is named for it; keep one"
            raise ColumnError(name, problem, source=source)
    return read_by


def _refuse_unknown(own: str, name: str, source: str) -> None:
    """Refuse a name that no column is read by, a test without its unit above all."""
    if name in EVERY:
        return
    fault = unit_fault(name)
    if fault is not None:
        raise UnitError(shown_name(own), f"{shown_name(name)!r} {fault}", source=source)
    close = guess_columns([name])[name] or get_close_matches(name, EVERY, n=1)
    problem = f"{shown_name(name)!r} is no column that is read{_meant(close)}"
    raise ColumnError(shown_name(own), problem, source=source)


def _meant(names: Iterable[str]) -> str:
    found = " or ".join(repr(shown_name(name)) for name in names)
    return f"; is {found} meant?" if found else ""


def _named_twice(name: str, source: str) -> ColumnError:
    return ColumnError(shown_name(name), "is named twice; keep one", source=source)
