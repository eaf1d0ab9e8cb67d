"""An answer as a file: the JSON of the API, a table for a spreadsheet, FHIR for a record."""

import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import msgspec

from serving.fhir.assessment import FHIR_JSON, risk_assessments
from serving.values import Json

__all__ = ["DOWNLOADS", "Asked", "Download", "as_csv", "as_fhir", "as_json", "plain_cell"]

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


@dataclass(frozen=True, slots=True)
class Asked:
    """What a file says beside the answer.

    Parameters
    ----------
    request_id
        Of the request that was answered.
    populations
        ``smm`` or ``mgus`` by model.
    """

    request_id: str
    populations: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Download:
    """One kind of file: its ending, its media type and how an answer is written."""

    ending: str
    media_type: str
    write: Callable[[Json, Asked], bytes]


def as_json(document: Json) -> bytes:
    """The answer as the API gives it, indented."""
    return msgspec.json.format(msgspec.json.encode(document), indent=2)


def as_fhir(document: Json, asked: Asked) -> bytes:
    """A Bundle with one RiskAssessment per model."""
    bundle = risk_assessments(document, request_id=asked.request_id, populations=asked.populations)
    return msgspec.json.format(msgspec.json.encode(bundle), indent=2)


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


DOWNLOADS: Mapping[str, Download] = {
    "json": Download("json", "application/json", lambda told, _: as_json(told)),
    "csv": Download("csv", "text/csv; charset=utf-8", lambda told, _: as_csv(told)),
    "fhir": Download("fhir.json", FHIR_JSON, as_fhir),
}
"""Kinds of file by the name of their button."""
