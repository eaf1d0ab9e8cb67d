"""Risks and outcomes in files, judged: what `smoulder evaluate` does.

Risks come long (`subject_id, model, horizon_years, risk`) or as `smoulder score` writes them
(`MODEL.risk_2y`, one column per model and horizon); CSV, Parquet or an Excel sheet alike.
"""

import json
import re
from collections.abc import Callable, Collection, Sequence
from functools import partial
from pathlib import Path
from tempfile import NamedTemporaryFile
from zipfile import BadZipFile

import pandas as pd

from features.errors import InputError
from features.sources.names import every_name, read_names
from features.sources.table import normal_name
from features.sources.tables import Names, header_of
from training.csv_files import csv_frame
from training.diagnosis import Diagnosis
from training.judge import judge_panel
from training.judgement import Judgement
from training.panel import RISK_COLUMNS, Panel, panel
from training.performance import THRESHOLDS, Settings
from training.report.by_tenth import ByTenth
from training.report.page import report_contents, report_page
from training.report.plain import plain
from training.strategies import strategies

HIGH = "high"
TEXTS = ("subject_id", "model")
TIMES = {"date", "years"}
_WIDE = re.compile(r"(?P<model>.+)\.risk_(?P<years>\d+(?:\.\d+)?)y")


def evaluate_files(
    risks_path: Path,
    outcomes_path: Path,
    *,
    thresholds: tuple[float, ...] = THRESHOLDS,
    reference: str | None = None,
    bootstrap: int = 0,
    seed: int = 0,
    jobs: int = 1,
    subgroups_path: Path | None = None,
    strategies_path: Path | None = None,
    columns_path: Path | None = None,
    out: Path | None = None,
    report: Path | None = None,
    title: str | None = None,
    progress: Callable[[int], None] | None = None,
) -> Judgement:
    """Judge the risks in one file against the outcomes in another.

    Parameters
    ----------
    risks_path, outcomes_path
        CSV, Parquet or Excel files.
    thresholds
        Risks at which one would act, for net benefit.
    reference
        Model the others are compared with; all pairs when None.
    bootstrap, seed, jobs, progress
        Replicates for the contrasts (0: influence functions), their seed, number of processes, and
        what is called with the number of finished ones.
    subgroups_path
        A table with `subject_id` and one column per characteristic.
    strategies_path
        A table with `subject_id` and one column per strategy: 1 act, 0 do not. Of a score table,
        acting on each model's high group is judged without it.
    columns_path
        The outcomes' own column names, as `features.sources.names` reads them.
    out
        Where to write the judgement as JSON.
    report
        Where to write the report as one HTML file.
    title
        Heading of the report; the name of the risks file when None.

    Raises
    ------
    InputError
        A file cannot be used; one line names file, row and column. Nothing is written then.
    """
    settings = Settings(
        thresholds=thresholds,
        reference=reference,
        bootstrap=bootstrap,
        seed=seed,
        jobs=jobs,
        progress=progress,
    )
    named = {} if columns_path is None else read_names(columns_path)
    risks, outcomes = read_table(risks_path), _named_outcomes(outcomes_path, named)
    groups = None if subgroups_path is None else read_table(subgroups_path)
    acts = high_groups(risks) if strategies_path is None else read_table(strategies_path)
    given_by = {
        "risks": risks_path,
        "outcomes": outcomes_path,
        "subgroups": subgroups_path,
        "strategies": strategies_path or risks_path,
    }
    names = {table: path.name for table, path in given_by.items() if path is not None}
    try:
        given = panel(long_risks(risks), outcomes)
        judgement = judge_panel(given, settings, groups, strategies(given, acts))
    except InputError as error:
        raise _naming_file(error, names) from error
    write_judgement(
        judgement, given, out=out, report=report, title=title or risks_path.stem, settings=settings
    )
    return judgement


def write_judgement(
    judgement: Judgement,
    given: Panel,
    *,
    title: str,
    settings: Settings | None = None,
    out: Path | None = None,
    report: Path | None = None,
    diagnosis: Diagnosis | None = None,
    instability: Sequence[ByTenth] = (),
) -> None:
    """Write a judgement as JSON, as an HTML report or both; each appears whole or not at all.

    With a report, the JSON has the numbers behind its figures too.

    Parameters
    ----------
    judgement
        What to write.
    given
        The risks and outcomes it is about, for the report's figures.
    title
        Heading of the report.
    settings
        How it was judged; defaults when None.
    out, report
        The files; None leaves one out.
    diagnosis
        Of the training whose risks these are, for the report.
    instability
        Instability of models that were refitted, for the report.
    """
    page = None
    written = judgement.to_dict()
    if report is not None:
        drawn = report_contents(given, settings or Settings(), judgement, instability)
        page = report_page(judgement, given, title=title, drawn=drawn, diagnosis=diagnosis)
        written["figures"] = plain(drawn)
    if out is not None:
        write_whole(out, json.dumps(written, indent=2, allow_nan=False) + "\n")
    if report is not None and page is not None:
        write_whole(report, page)


def read_table(path: Path, *, texts: Collection[str] = TEXTS) -> pd.DataFrame:
    """Table of a CSV, Parquet or Excel file, its rows where the file has them.

    Parameters
    ----------
    path
        The file.
    texts
        Columns of a CSV file in which a comma is no decimal sign.

    Raises
    ------
    InputError
        The file is not there, not of a known kind or not a table.
    """
    readers: dict[str, Callable[[Path], pd.DataFrame]] = {
        ".csv": partial(_read_csv, texts=texts),
        ".txt": partial(_read_csv, texts=texts),
        ".parquet": pd.read_parquet,
        ".xlsx": _read_excel,
    }
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise InputError("file", "expected a .csv, .parquet or .xlsx file", source=path.name)
    if not path.is_file():
        raise InputError("file", "not found", source=path.name)
    try:
        table = reader(path)
    except (ValueError, KeyError, OSError, BadZipFile) as error:
        problem = "cannot be read as a table with one header row"
        raise InputError("file", problem, source=path.name) from error
    table.columns = [str(column).strip() for column in table.columns]
    filled = table.notna().any(axis=1).to_numpy()
    # Blank rows at the end belong to the file, not to the data; one in between is an error later.
    return table.iloc[: int(filled.nonzero()[0].max(initial=-1)) + 1]


def _named_outcomes(path: Path, names: Names) -> pd.DataFrame:
    """Outcomes by their own column names."""
    table = read_table(path, texts=(*TEXTS, *(own for own in names if names[own] in TEXTS)))
    if not names:
        return table
    header = [normal_name(name) for name in table.columns]
    named = every_name(header, names, part="outcomes", source=path.name)
    return table.rename(columns=lambda name: named[normal_name(name)])


def long_risks(table: pd.DataFrame) -> pd.DataFrame:
    """Risks one per row, from either layout.

    A subject whom a model of a score table refused has no risk from it and no row.
    """
    if set(RISK_COLUMNS[1:]) & set(table.columns):
        return table
    found = {column: _WIDE.fullmatch(column) for column in table.columns}
    parts = [
        pd.DataFrame(
            {
                "subject_id": table["subject_id"],
                "model": match["model"],
                "horizon_years": float(match["years"]),
                "risk": table[column],
            }
        ).dropna(subset="risk")
        for column, match in found.items()
        if match is not None and "subject_id" in table.columns
    ]
    return pd.concat(parts, ignore_index=True) if parts else table


def read_at_visits(path: Path) -> bool:
    """Whether a file of risks is one of `smoulder score`: each risk is as of a visit."""
    if path.suffix.lower() not in {".csv", ".parquet"}:
        return False
    try:
        header = header_of(path)
    except InputError:
        # A table of risks may have names that no table of visits could have.
        return False
    return not TIMES.isdisjoint(header) and any(_WIDE.fullmatch(name) for name in header)


def high_groups(table: pd.DataFrame) -> pd.DataFrame | None:
    """Acting on the high group of every model of a score table; None when it names no groups.

    A subject whose group stays open between several is not known to be high or not.
    """
    columns = [name for name in table.columns if name.endswith(".group")]
    if not columns or "subject_id" not in table.columns:
        return None
    acts: dict[str, pd.Series[float]] = {}
    for column in columns:
        group = table[column].astype("string").str.lower()
        known = group.notna() & ~group.str.contains("|", regex=False, na=False)
        if (group == HIGH).any():
            name = f"{column.removesuffix('.group')} {HIGH}"
            acts[name] = (group == HIGH).astype("Float64").where(known)
    return table[["subject_id"]].assign(**acts) if acts else None


def write_whole(path: Path, text: str) -> None:
    """Write a text file that appears complete, by rename, or not at all.

    Raises
    ------
    InputError
        The folder is not there.
    """
    if not path.parent.is_dir():
        raise InputError("file", "its folder does not exist", source=path.name)
    with NamedTemporaryFile(
        "w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}.", delete=False
    ) as file:
        unfinished = Path(file.name)
        try:
            file.write(text)
        except BaseException:
            unfinished.unlink()
            raise
    unfinished.chmod(0o644)
    unfinished.replace(path)


def _read_csv(path: Path, texts: Collection[str]) -> pd.DataFrame:
    return csv_frame(path, texts=texts, skip_blank_lines=False, low_memory=False)


def _read_excel(path: Path) -> pd.DataFrame:
    try:
        return pd.read_excel(path, engine="openpyxl")
    except ImportError as error:
        problem = "reading .xlsx needs openpyxl; install it or save the sheet as CSV"
        raise InputError("file", problem, source=path.name) from error


def _naming_file(error: InputError, names: dict[str, str]) -> InputError:
    problem = error.problem
    source = names.get(problem.source or "", problem.source)
    return type(error)(problem.field, problem.expected, row=problem.row, source=source)
