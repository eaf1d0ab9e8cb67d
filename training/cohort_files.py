"""A cohort in files: a folder of visits and outcomes, or the PANGEA collaborators' file.

A folder holds ``visits`` (one row per subject and date), ``outcomes`` (``subject_id,
duration_years, event``: 0 censored, 1 progression, 2 death first; from diagnosis; and, where it is
known, ``treated_years``), for a simulated cohort ``truth`` (true risks), each as CSV or Parquet
alike, and ``cohort.json`` with name and kind, and the tables' own column names if they have such.
"""

import json
import shutil
import tempfile
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import csv as arrow_csv

from features.errors import ColumnError, DuplicateError, InputError, ValueRangeError
from features.sources.headers import guess_columns
from features.sources.names import Part, columns_of, every_name, json_object
from features.sources.pangea import WIDE_COLUMNS, is_pangea, pangea_outcomes
from features.sources.table import normal_name
from features.sources.tables import Names, header_of
from training.cohorts import Cohort, Kind
from training.csv_files import csv_columns, csv_frame

__all__ = ["read_cohort", "refuse_occupied", "write_cohort"]

Format = Literal["csv", "parquet"]

TEXT_COLUMNS = (
    *("subject_id", "participant_id", "centre", "sex", "heavy_chain", "light_chain", "date"),
)
PARTS = ("visits", "outcomes", "truth")
SUFFIXES = {".csv", ".parquet"}
SHOWN = 20
"""Columns of a header that a message lists."""

A_COHORT = "a folder with visits and outcomes, or a PANGEA file"


def read_cohort(path: Path) -> Cohort:
    """Cohort in a folder or in a PANGEA file, checked for what every use of it relies on.

    Parameters
    ----------
    path
        A folder with ``visits`` and ``outcomes``, a PANGEA file, or a folder of PANGEA files, one
        for each centre.

    Raises
    ------
    InputError
        A file is missing, given twice or unreadable, a column is missing, an outcome is impossible,
        a subject with visits has none or stands in two files.
    """
    path = Path(path)
    if path.is_file():
        return _of_pangea([path], path.stem, "real")
    if not path.is_dir():
        raise InputError(str(path), f"expected {A_COHORT}")
    own = _tables_of(path)
    if own and not any(file.stem in PARTS for file in own):
        name, kind, names = _read_identity(path, has_truth=False)
        if names:
            problem = "are of visits and outcomes; a PANGEA file is read by its own names"
            raise InputError("columns", problem, source="cohort.json")
        return _of_pangea(own, name, kind)
    return _of_folder(path)


def _tables_of(directory: Path) -> list[Path]:
    """CSV and Parquet files of a folder; a second file of visits or outcomes is refused."""
    files = sorted(f for f in directory.iterdir() if f.suffix.lower() in SUFFIXES and f.is_file())
    for file in files:
        part = next((name for name in PARTS if file.stem.lower().startswith(name)), None)
        if part is not None and file.stem != part:
            raise InputError(str(file), f"is not read; put all {part} in one file {part}.csv")
    return files


def _of_pangea(files: list[Path], name: str, kind: Kind) -> Cohort:
    """PANGEA files as they are, each visits and outcomes at once; of several, each is a centre."""
    visits: list[pd.DataFrame] = []
    outcomes: list[pd.DataFrame] = []
    for file in files:
        if not is_pangea(header_of(file)):
            raise InputError(str(file), f"is no PANGEA file; expected {A_COHORT}")
        ended = pangea_outcomes(file)
        _refuse_twice(file, ended, outcomes)
        given = _load(file).rename(columns=lambda column: normal_name(str(column)))
        seen = given[[c for c in WIDE_COLUMNS if c in given]].rename(columns=WIDE_COLUMNS)
        visits.append(seen.assign(centre=file.stem) if len(files) > 1 else seen)
        outcomes.append(ended)
    every = (pd.concat(tables, ignore_index=True) for tables in (visits, outcomes))
    return Cohort(name, kind, *every)


def _refuse_twice(file: Path, ended: pd.DataFrame, others: list[pd.DataFrame]) -> None:
    twice = sum(int(ended["subject_id"].isin(other["subject_id"]).sum()) for other in others)
    if twice:
        raise DuplicateError(
            f"{file.name}: participant_id",
            f"{twice} participants are in another file of the folder too; keep each in one file",
        )


def _of_folder(directory: Path) -> Cohort:
    visits_file, outcomes_file = (_needed_file(directory, name) for name in ("visits", "outcomes"))
    truth_file = _file_of(directory, "truth")
    name, kind, names = _read_identity(directory, has_truth=truth_file is not None)
    visits = _read_table(visits_file, names, "visits")
    outcomes = _read_table(outcomes_file, names, "outcomes")
    _check_visits(visits, visits_file)
    outcomes = _checked_outcomes(outcomes, outcomes_file)
    _refuse_first(
        ~visits["subject_id"].isin(outcomes["subject_id"]).to_numpy(),
        InputError,
        "subject_id",
        f"every subject with visits needs a row in {outcomes_file.name}",
        visits_file,
    )
    return Cohort(
        name, kind, visits, outcomes, None if truth_file is None else _read_table(truth_file)
    )


def write_cohort(cohort: Cohort, directory: Path, *, file_format: Format = "csv") -> Path:
    """Folder with the cohort's files; it appears whole, by one rename, or not at all.

    Raises
    ------
    InputError
        The path is a file, or a folder that is not empty.
    """
    directory = Path(directory).resolve()
    refuse_occupied(directory)
    directory.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=f".{directory.name}-", dir=directory.parent))
    try:
        tables = {"visits": cohort.visits, "outcomes": cohort.outcomes, "truth": cohort.truth}
        for name, table in tables.items():
            if table is not None:
                _write_table(table, unfinished / f"{name}.{file_format}", file_format)
        identity = {"name": cohort.name, "kind": cohort.kind}
        (unfinished / "cohort.json").write_text(json.dumps(identity) + "\n", encoding="utf-8")
        unfinished.chmod(0o755)
        unfinished.rename(directory)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    return directory


def refuse_occupied(directory: Path) -> None:
    """Refuse an output folder that holds something, before any work is done.

    Raises
    ------
    InputError
        The path is a file or a folder that is not empty.
    """
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise InputError(str(directory), "already exists and is not empty; choose a new folder")


def _needed_file(directory: Path, name: str) -> Path:
    file = _file_of(directory, name)
    if file is None:
        message = f"not found; expected {name}.csv or {name}.parquet"
        raise InputError(str(directory / f"{name}.csv"), message)
    return file


def _file_of(directory: Path, name: str) -> Path | None:
    files = [directory / f"{name}.{suffix}" for suffix in ("csv", "parquet")]
    found = [file for file in files if file.is_file()]
    if len(found) > 1:
        raise InputError(str(directory / name), "given as CSV and as Parquet; keep one of them")
    return found[0] if found else None


def _read_table(file: Path, names: Names | None = None, part: Part = "visits") -> pd.DataFrame:
    """Table with its subjects, by the cohort's own column names where it has such."""
    try:
        named = every_name(header_of(file), names, part=part, source=file.name) if names else {}
        table = _load(file, named).rename(
            columns=lambda column: named.get(normal_name(str(column)), column)
        )
    except (ValueError, UnicodeDecodeError, OSError, pa.ArrowInvalid) as error:
        raise InputError(str(file), "cannot be read as a table with a header row") from error
    _require_columns(table, file, ("subject_id",))
    _refuse_first(
        table["subject_id"].isna().to_numpy(),
        InputError,
        "subject_id",
        "every row needs a subject",
        file,
    )
    return table.assign(subject_id=table["subject_id"].astype(str))


def _load(file: Path, named: Names | None = None) -> pd.DataFrame:
    if file.suffix == ".parquet":
        return pd.read_parquet(file)
    texts = _texts_of(file, named) if named else TEXT_COLUMNS
    return csv_frame(
        file,
        texts=texts,
        dtype=dict.fromkeys(texts, str),
        keep_default_na=False,
        na_values=["", "NA", "NaN", "nan"],
    )


def _texts_of(file: Path, named: Names) -> tuple[str, ...]:
    """Columns that hold text, as the file writes their names and as it does without blanks."""
    found = [name for name in csv_columns(file) if named.get(normal_name(name)) in TEXT_COLUMNS]
    return (*found, *(name.strip() for name in found))


def _write_table(table: pd.DataFrame, file: Path, file_format: Format) -> None:
    if file_format == "parquet":
        table.to_parquet(file, index=False)
        return
    # Arrow writes shortest exact decimals, twenty times faster than pandas.
    arrow_csv.write_csv(
        pa.Table.from_pandas(table, preserve_index=False),
        file,
        arrow_csv.WriteOptions(quoting_style="needed", quoting_header="needed"),
    )


def _read_identity(directory: Path, *, has_truth: bool) -> tuple[str, Kind, Names]:
    """Name and kind of a cohort, and its tables' own column names."""
    file = directory / "cohort.json"
    if not file.is_file():
        return directory.resolve().name, "simulated" if has_truth else "real", {}
    identity = json_object(file, "name and kind")
    if not {"name", "kind"} <= set(identity):
        raise InputError(str(file), "expected a JSON object with name and kind")
    name, kind, names = str(identity["name"]), identity["kind"], columns_of(identity, file.name)
    if kind == "real":
        return name, "real", names
    if kind == "simulated":
        return name, "simulated", names
    raise InputError(f"{file}: kind", "expected real or simulated")


def _check_visits(visits: pd.DataFrame, file: Path) -> None:
    if "years" not in visits.columns:
        _require_columns(visits, file, ("date",), "date, or years since diagnosis, is needed")


def _checked_outcomes(outcomes: pd.DataFrame, file: Path) -> pd.DataFrame:
    _require_columns(outcomes, file, ("duration_years", "event"))
    duration = pd.to_numeric(outcomes["duration_years"], errors="coerce").to_numpy(float)
    event = pd.to_numeric(outcomes["event"], errors="coerce").to_numpy(float)
    _refuse_first(
        ~(np.isfinite(duration) & (duration >= 0)),
        ValueRangeError,
        "duration_years",
        "expected years from diagnosis, 0 or more",
        file,
    )
    _refuse_first(
        ~np.isin(event, (0, 1, 2)),
        ValueRangeError,
        "event",
        "expected 0 censored, 1 progression or 2 death first",
        file,
    )
    _refuse_first(
        outcomes["subject_id"].duplicated().to_numpy(),
        DuplicateError,
        "subject_id",
        "expected one row per subject",
        file,
    )
    checked = outcomes.assign(duration_years=duration, event=event.astype(np.int64))
    if "treated_years" not in outcomes.columns:
        return checked
    treated = pd.to_numeric(outcomes["treated_years"], errors="coerce").to_numpy(float)
    given = outcomes["treated_years"].notna().to_numpy()
    _refuse_first(
        given & ~(np.isfinite(treated) & (treated >= 0)),
        ValueRangeError,
        "treated_years",
        "expected years from diagnosis to the first treatment, 0 or more, or nothing",
        file,
    )
    return checked.assign(treated_years=treated)


def _refuse_first(
    bad: np.ndarray, kind: type[InputError], field: str, expected: str, file: Path
) -> None:
    if bad.any():
        raise kind(field, expected, row=int(np.flatnonzero(bad)[0]) + 2, source=file.name)


def _require_columns(
    table: pd.DataFrame, file: Path, columns: tuple[str, ...], needed: str = "is needed"
) -> None:
    for column in columns:
        if column not in table.columns:
            found = _instead_of(column, [str(name)[:60] for name in table.columns])
            raise ColumnError(column, f"{needed} and missing; {found}", row=1, source=file.name)


def _instead_of(column: str, header: list[str]) -> str:
    """What a header has where a column is missing, for the person who is to rename it."""
    guesses = guess_columns(header)
    alike = [name for name in header if guesses[name] == (column,)]
    alike = alike or get_close_matches(column, header, n=1)
    if alike:
        return f"is {alike[0]!r} meant? name it in cohort.json, or rename it"
    return f"the columns are {', '.join(header[:SHOWN])}{', …' if len(header) > SHOWN else ''}"
