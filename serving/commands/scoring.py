"""Commands that answer for a file of visits: score it, or rank it for a trial."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from features.errors import InputError
from features.terminal import RUNS, ColumnNames, Json, Runs, working

if TYPE_CHECKING:
    from features.labs import LabRows
    from features.sources import Format
    from features.visits import Visits
    from models.risk import RiskModel

__all__ = ["score", "screen"]

FileFormat = Annotated[
    Literal["auto", "csv", "pangea", "fhir", "omop"],
    typer.Option("--format", help="How the file is laid out; auto looks at it."),
]
VisitsSource = Annotated[
    str,
    typer.Argument(help="Visits: CSV or Parquet, PANGEA, FHIR, OMOP folder or database URL."),
]
SiteCodes = Annotated[
    Path | None, typer.Option(help="CSV of a site's own codes: code,analyte (FHIR and OMOP).")
]
OnError = Annotated[
    Literal["keep", "stop"],
    typer.Option(help="keep: refuse the subject, answer the others; stop: write nothing, exit 2."),
]
MOST_LINES = 20


def score(
    file: VisitsSource,
    out: Annotated[Path, typer.Option("--out", "-o", help="scores.csv or scores.parquet.")],
    models: Annotated[str | None, typer.Option(help="Identifiers, separated by commas.")] = None,
    at: Annotated[
        Literal["last", "first", "every"],
        typer.Option(help="Which visits to score; first to judge by outcomes since diagnosis."),
    ] = "last",
    format_: FileFormat = "auto",
    codes: SiteCodes = None,
    columns: ColumnNames = None,
    on_error: OnError = "keep",
    runs: Runs = RUNS,
) -> None:
    """Score every subject (last or first visit) or every visit with every chosen model."""
    from serving.scoring import score as score_rows
    from serving.scoring import write_table

    chosen = _models(models, runs)
    with working(f"Scoring {Path(file).name}"):
        rows = _rows(file, format_, codes, columns)
        table, visits = score_rows(rows, chosen, at=at, as_of_years=_today_years())
        _stop_at_refusals(Path(file).name, visits, on_error)
        write_table(table, out)
    _tell_findings(Path(file).name, rows, visits)
    typer.echo(f"{table.num_rows} rows in {out}; {len(visits.refusals())} subjects refused")


def screen(
    file: VisitsSource,
    trial: Annotated[str, typer.Option(help="AQUILA, DETER-SMM, … or a file of rules.toml.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="list.csv or list.parquet.")],
    model: Annotated[str, typer.Option(help="Whose two-year risk ranks.")] = "pangea-smm",
    format_: FileFormat = "auto",
    codes: SiteCodes = None,
    columns: ColumnNames = None,
    on_error: OnError = "keep",
    runs: Runs = RUNS,
    as_json: Json = False,
) -> None:
    """Rank a list of patients against a trial's versioned eligibility rules."""
    import pandas as pd
    import pyarrow as pa

    from features.visits import check
    from models.screening import screen as screen_history
    from serving.scoring import write_table

    rows = _rows(file, format_, codes, columns)
    visits = check(rows, as_of_years=_today_years())
    _stop_at_refusals(Path(file).name, visits, on_error)
    (ranking,) = _models(model, runs)
    screening = screen_history(visits.history, trial, model=ranking)
    refusals = visits.refusals()
    refused = pd.DataFrame(
        [(rows.subject_ids[s], "refused", reason) for s, reason in refusals.items()],
        columns=["subject_id", "eligibility", "reason"],
    )
    ranked = pd.concat([screening.table(), refused]) if refusals else screening.table()
    write_table(pa.Table.from_pandas(ranked, preserve_index=False), out)
    _tell_findings(Path(file).name, rows, visits)
    counts = screening.counts() | {"refused": len(refusals)}
    expected = screening.expected_events_per_100()
    if as_json:
        known = expected if expected["subjects"] else None
        typer.echo(json.dumps({"trial": trial, "counts": counts, "per_100": known}, indent=1))
        return
    typer.echo(", ".join(f"{count} {status}" for status, count in counts.items()))
    if expected["subjects"]:
        typer.echo(
            f"{expected['events']:.1f} progressions expected within 2 years per 100 enrolled, by "
            f"{model} (means of the ends of their ranges: {expected['lower']:.1f} and "
            f"{expected['upper']:.1f})"
        )


def _rows(file: str, format_: "Format", codes: Path | None, columns: Path | None) -> "LabRows":
    """Lab rows of a source, by a table's own column names where a file says them."""
    from features.sources import detected_format, read_visits

    if columns is None:
        return read_visits(file, format=format_, codes=codes)
    from features.sources.names import every_name, read_names
    from features.sources.tables import header_of

    names = read_names(columns)
    layout = detected_format(file) if format_ == "auto" else format_
    if layout != "csv":
        told = f"are of CSV and Parquet; {Path(file).name} is read as {layout}, by its own names"
        raise InputError("--columns", told)
    path = Path(file)
    return read_visits(
        path, names=every_name(header_of(path), names, part="visits", source=path.name)
    )


def _models(names: str | None, runs: Path) -> list["RiskModel"]:
    """Models by identifier; registered ones are read from the bundles laid out for serving."""
    from models.catalogue import PUBLISHED, choose
    from serving.lifecycle import trusted_beside
    from serving.lineup import CHALLENGER
    from serving.published import published_directories, read_published

    wanted = None if names is None else [name.strip() for name in names.split(",") if name.strip()]
    if wanted == []:
        raise InputError("--models", "expected identifiers separated by commas, such as 20-2-20")
    serving = runs / "serving"
    registered = {directory.name: directory for directory in published_directories(serving)}
    for name in wanted or ():
        if name not in registered and name not in PUBLISHED:
            known = ", ".join((*registered, *PUBLISHED))
            expected = (
                f"'{name[:40]}' is not one of {known}; registered ones are those in {serving}"
            )
            raise InputError("--models", expected)
    learned: dict[str, RiskModel] = {
        name: read_published(directory, trusted_beside(serving)).model
        for name, directory in registered.items()
        if (CHALLENGER not in name if wanted is None else name in wanted)
    }
    return choose(wanted, learned)


def _stop_at_refusals(source: str, visits: "Visits", on_error: str) -> None:
    refused = [finding for finding in visits.findings if finding.severity == "refused"]
    if refused and on_error == "stop":
        first = refused[0]
        raise InputError(first.field, first.message, row=first.row, source=source)


def _tell_findings(source: str, rows: "LabRows", visits: "Visits") -> None:
    """One line on stderr for each of the first findings; never a value."""
    lines = [*rows.notes, *(f"{f.severity}: {f}" for f in visits.findings)]
    for line in lines[:MOST_LINES]:
        typer.echo(f"{source}: {line}", err=True)
    if len(lines) > MOST_LINES:
        typer.echo(f"{source}: and {len(lines) - MOST_LINES} more", err=True)


def _today_years() -> float:
    from datetime import date

    from features.labs import DAYS_PER_YEAR

    return (date.today() - date(1970, 1, 1)).days / DAYS_PER_YEAR
