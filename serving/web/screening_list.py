"""A screened list: everybody in a file at the last visit, as models and trials see them.

It is held by column, in few bytes, because it travels: nothing of a list stays on the server, so
the page carries it and hands it back to be sorted, filtered or written as a file.
"""

import zlib

import msgspec
import numpy as np

from features.history import Floats, Ints
from features.labs import DAYS_PER_YEAR
from models.eligibility import ELIGIBILITIES
from serving.values import iso_day

__all__ = [
    "NOT_ANSWERED",
    "NO_RISK",
    "SCALE",
    "ListedModel",
    "ListedTrial",
    "PatientList",
    "codes",
    "floats",
    "pack",
    "risks",
    "time_label",
    "unpack",
]

NOT_ANSWERED = len(ELIGIBILITIES)
"""Eligibility of a subject whose input was refused."""

SCALE = 60_000
"""Risks travel as whole numbers of this many: every risk of four decimals stays exact."""
NO_RISK = 2**16 - 1


class ListedTrial(msgspec.Struct, frozen=True):
    """Eligibility of s subjects for one trial.

    Parameters
    ----------
    name, nct, version, citation, note
        Of its rules.
    reasons, checks
        Distinct reasons, and what is left to check by hand for each.
    status, reason : s codes
        Into `ELIGIBILITIES` and `NOT_ANSWERED`, and into `reasons`.
    """

    name: str
    nct: str
    version: str
    citation: str
    note: str
    reasons: tuple[str, ...]
    checks: tuple[str, ...]
    status: bytes
    reason: bytes


class ListedModel(msgspec.Struct, frozen=True):
    """What one model says of s subjects.

    Parameters
    ----------
    name, label, version, kind, population
        Of the model.
    notice
        What a reader must know of it; empty for most.
    ranges
        What its interval is, for complete answers.
    ranks
        Whether it gives a risk at `HORIZON_YEARS`.
    groups, reasons
        Texts of each kind of answer; possible groups are joined by ``|``.
    status, answer : s codes
        Into `STATUSES`, and into `groups` and `reasons`; no answer (-1) for a refused subject.
    risk, lower, upper : s numbers
        At `HORIZON_YEARS`, in `SCALE` parts.
    """

    name: str
    label: str
    version: str
    kind: str
    population: str
    notice: str
    ranges: str
    ranks: bool
    groups: tuple[str, ...]
    reasons: tuple[str, ...]
    status: bytes
    answer: bytes
    risk: bytes
    lower: bytes
    upper: bytes


class PatientList(msgspec.Struct, frozen=True):
    """What is said of s subjects, in the order of their file.

    Parameters
    ----------
    file
        Its name.
    dated
        Whether visits have dates; otherwise times are years since diagnosis.
    subject_ids
        As the file names them.
    time_years : s numbers
        Of the last visit; NaN for a subject that was refused.
    stage, stage_reason : s codes
        Into `STAGES` and `stage_reasons`; -1 for a subject that was refused.
    trials, models
        What they say.
    least, most : s codes
        Models that say least and most where two part; -1 where none do.
    refusals, doubts
        Subject to why it was refused, or what wants confirming.
    notes
        What was passed over in the file.
    """

    file: str
    dated: bool
    subject_ids: tuple[str, ...]
    time_years: bytes
    stage: bytes
    stage_reasons: tuple[str, ...]
    stage_reason: bytes
    trials: tuple[ListedTrial, ...]
    models: tuple[ListedModel, ...]
    least: bytes
    most: bytes
    refusals: dict[int, str]
    doubts: dict[int, str]
    notes: tuple[str, ...]


def time_label(time_years: float, *, dated: bool) -> str:
    """Day of a visit, or its years since diagnosis; empty where there is none."""
    if np.isnan(time_years):
        return ""
    return iso_day(round(time_years * DAYS_PER_YEAR)) if dated else f"{time_years:.2f}"


def pack(found: PatientList) -> bytes:
    """The list in few bytes."""
    return zlib.compress(msgspec.msgpack.encode(found), 6)


def unpack(packed: bytes) -> PatientList:
    """The list again; only for bytes that are known to come from `pack`."""
    return msgspec.msgpack.decode(zlib.decompress(packed), type=PatientList)


def codes(packed: bytes) -> Ints:
    """Codes of s subjects."""
    return np.frombuffer(packed, dtype="<i2").astype(np.int64)


def floats(packed: bytes) -> Floats:
    """Numbers of s subjects."""
    return np.frombuffer(packed, dtype="<f8")


def risks(packed: bytes) -> Floats:
    """Risks of s subjects, 0-1; NaN where there is none."""
    parts = np.frombuffer(packed, dtype="<u2")
    return np.where(parts == NO_RISK, np.nan, parts / SCALE)
