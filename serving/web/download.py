"""An answer as a file: the JSON of the API, or a table for a spreadsheet."""

import csv
import io
from collections.abc import Callable, Mapping

import msgspec

from serving.values import Json

__all__ = ["DOWNLOADS", "as_csv", "as_json", "plain_cell"]

COLUMNS = (
    "as_of",
    "stage",
    "model",
    "version",
    "status",
    "reason",
    "group",
    "horizon_years",
    "risk",
    "lower",
    "upper",
    "interval",
)


def as_json(document: Json) -> bytes:
    """The answer as the API gives it, indented."""
    return msgspec.json.format(msgspec.json.encode(document), indent=2)


def as_csv(document: Json) -> bytes:
    """One row per model and horizon; a model that was refused has one row with its reason."""
    sink = io.StringIO(newline="")
    table = csv.writer(sink)
    table.writerow(COLUMNS)
    for entry in document["estimates"]:
        about = (
            document["as_of"],
            document["staging"]["stage"],
            entry["model"],
            entry["version"],
            entry["status"],
            entry.get("reason") or "",
            "|".join(entry.get("groups", [])),
        )
        for row in entry["risks"] or [{}]:
            risks = [row.get(key) for key in ("horizon_years", "risk", "lower", "upper")]
            table.writerow([plain_cell(cell) for cell in (*about, *risks, entry["interval"])])
    return sink.getvalue().encode("utf-8")


FORMULA_SIGNS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


def plain_cell(cell: object) -> object:
    """A cell that no spreadsheet takes for a formula: what could begin one has an apostrophe.

    Blanks before the sign do not help; some programs drop them, and take full-width signs as well
    (OWASP, CSV injection).

    Examples
    --------
    >>> plain_cell("=1+1"), plain_cell("＠SUM(A1)"), plain_cell("S-1"), plain_cell(-1.5)
    ("'=1+1", "'＠SUM(A1)", 'S-1', -1.5)
    """
    if cell is None:
        return ""
    if not isinstance(cell, str):
        return cell
    risky = cell.lstrip().startswith(FORMULA_SIGNS) or cell.startswith(("\t", "\r", "\n"))
    return f"'{cell}" if risky else cell


DOWNLOADS: Mapping[str, tuple[Callable[[Json], bytes], str]] = {
    "json": (as_json, "application/json"),
    "csv": (as_csv, "text/csv; charset=utf-8"),
}
"""Kinds of file: how an answer is written, and its media type."""
