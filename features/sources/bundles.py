"""The resources in a file of FHIR's JSON: a Bundle, a list, one resource, or one a line."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from features.errors import InputError

__all__ = ["Json", "entries_of", "resources_of"]

Json = Mapping[str, object]


def resources_of(path: Path) -> Iterator[tuple[int, str, Json]]:
    """Row, full URL (or empty) and content of every resource of a file.

    The row is the entry of a Bundle, the place in a list, or the line of NDJSON, from 1.

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
        whole = json.loads(text)
    except RecursionError:
        raise InputError("file", "is nested too deeply for FHIR", source=path.name) from None
    except ValueError:
        yield from _lines(text, path.name)
        return
    yield from entries_of(whole, path.name)


def _lines(text: str, source: str) -> Iterator[tuple[int, str, Json]]:
    for row, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            resource = json.loads(line)
        except (ValueError, RecursionError):
            message = "is neither a JSON document nor a line of NDJSON; is the file cut short?"
            raise InputError("resource", message, row=row, source=source) from None
        yield row, "", _object(resource, row, source)


def entries_of(whole: object, source: str) -> Iterator[tuple[int, str, Json]]:
    """Row, full URL and content of every resource of a decoded Bundle, list or resource.

    Raises
    ------
    InputError
        At the first entry that is not an object; for a history.
    """
    if isinstance(whole, dict) and whole.get("resourceType") == "Bundle":
        if whole.get("type") == "history":
            expected = "is history, which holds results since corrected or withdrawn; give a search"
            raise InputError("type", expected, source=source)
        entries = whole.get("entry", [])
        if not isinstance(entries, list):
            raise InputError("entry", "is not a list", source=source)
        for row, entry in enumerate(entries, start=1):
            given = _object(entry, row, source)
            url = given.get("fullUrl")
            resource = _object(given.get("resource", {}), row, source)
            yield row, url if isinstance(url, str) else "", resource
        return
    for row, resource in enumerate(whole if isinstance(whole, list) else [whole], start=1):
        yield row, "", _object(resource, row, source)


def _object(value: object, row: int, source: str) -> Json:
    if not isinstance(value, dict):
        raise InputError("resource", "is not a JSON object", row=row, source=source)
    return value
