"""The resources in a file of FHIR's JSON: a Bundle, a list, one resource, or one a line."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from features.errors import InputError
from features.sources.printed import printed

__all__ = ["Entry", "Json", "entries_of", "resources_of"]

Json = Mapping[str, object]


class Entry(NamedTuple):
    """One resource of a source.

    Parameters
    ----------
    row
        Entry of the Bundle, place in the list, or line of NDJSON, from 1. What a Bundle within a
        Bundle holds has the row of that Bundle.
    url
        Full URL, or empty.
    resource
        As decoded.
    path
        Where it stands in the document: ``entry[0].resource``.
    """

    row: int
    url: str
    resource: Json
    path: str = ""


def resources_of(path: Path) -> Iterator[Entry]:
    """Every resource of a file.

    Raises
    ------
    InputError
        If the file is missing, empty, not UTF-8 or not JSON.
    """
    if not path.is_file():
        raise InputError("file", "does not exist", source=path.name)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError("file", "is not UTF-8; FHIR's JSON always is", source=path.name) from error
    if not text.strip():
        raise InputError("file", "is empty", source=path.name)
    try:
        whole = json.loads(text, parse_float=printed)
    except RecursionError:
        raise InputError("file", "is nested too deeply for FHIR", source=path.name) from None
    except ValueError:
        yield from _lines(text, path.name)
        return
    yield from entries_of(whole, path.name)


def _lines(text: str, source: str) -> Iterator[Entry]:
    for row, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            resource = json.loads(line, parse_float=printed)
        except (ValueError, RecursionError):
            message = "is neither a JSON document nor a line of NDJSON; is the file cut short?"
            raise InputError("resource", message, row=row, source=source) from None
        yield from _with_held(Entry(row, "", _object(resource, "resource", row, source)), source)


def entries_of(whole: object, source: str) -> Iterator[Entry]:
    """Every resource of a decoded Bundle, list or resource; a Bundle before what it holds.

    A Bundle may hold others: each answer to a batch of searches is a Bundle of its own.

    Raises
    ------
    InputError
        At the first entry that is not an object; for a history.
    """
    if isinstance(whole, list):
        for row, resource in enumerate(whole, start=1):
            entry = Entry(row, "", _object(resource, "resource", row, source), f"[{row - 1}]")
            yield from _with_held(entry, source)
        return
    resource = _object(whole, "resource", 1, source)
    row = 0 if resource.get("resourceType") == "Bundle" else 1
    yield from _with_held(Entry(row, "", resource), source)


def _with_held(first: Entry, source: str) -> Iterator[Entry]:
    """A resource and, if it is a Bundle, all that it holds, however deep."""
    open_bundles = [iter((first,))]
    while open_bundles:
        entry = next(open_bundles[-1], None)
        if entry is None:
            open_bundles.pop()
            continue
        yield entry
        if entry.resource.get("resourceType") == "Bundle":
            open_bundles.append(_held(entry, source))


def _held(bundle: Entry, source: str) -> Iterator[Entry]:
    inside = f"{bundle.path}." if bundle.path else ""
    row = bundle.row or None
    if bundle.resource.get("type") == "history":
        expected = "is history, which holds results since corrected or withdrawn; give a search"
        raise InputError(f"{inside}type", expected, row=row, source=source)
    entries = bundle.resource.get("entry", [])
    if not isinstance(entries, list):
        raise InputError(f"{inside}entry", "is not a list", row=row, source=source)
    for i, entry in enumerate(entries):
        path = f"{inside}entry[{i}]"
        given = _object(entry, path, row, source)
        resource = given.get("resource")
        if resource is None:
            # The answer to a deletion or to a search that failed: `features.sources.gaps`.
            continue
        resource = _object(resource, f"{path}.resource", row, source)
        url = given.get("fullUrl")
        yield Entry(
            bundle.row or i + 1,
            url if isinstance(url, str) else "",
            resource,
            f"{path}.resource",
        )


def _object(value: object, field: str, row: int | None, source: str) -> Json:
    if not isinstance(value, dict):
        raise InputError(field, "is not a JSON object", row=row, source=source)
    return value
