"""Eligibility for a trial by its rules: eligible, excluded by, or unknown until.

Rules are data: a TOML file with the trial's registration number, the date of the criteria, their
source, and conditions to include and to exclude (`models.conditions`). The trials carried along lie
in ``models/trials``; a file of one's own has the same form.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from features.criteria import MET, NOT_MET, UNKNOWN
from features.errors import InputError
from features.history import Codes
from features.landmark import LandmarkFeatures
from models.conditions import Condition, Counted, Subjects, read_condition

__all__ = [
    "ELIGIBILITIES",
    "TRIALS",
    "Eligibility",
    "Rule",
    "Treatment",
    "Trial",
    "evaluate",
    "load_trial",
]

ELIGIBLE, UNDECIDED, EXCLUDED = 0, 1, 2
ELIGIBILITIES = ("eligible", "unknown", "excluded")

TRIALS = ("AQUILA", "DETER-SMM", "ITHACA", "E3A06", "GEM-CESAR")
"""Trials whose rules are carried along."""

_KEYS = {"trial", "nct", "version", "citation", "note", "include", "exclude", "treatment"}
_RULE_KEYS = {"text", "unknown"}


@dataclass(frozen=True, slots=True)
class Rule:
    """One criterion of a trial.

    Parameters
    ----------
    text
        As a screener reads it.
    condition
        What must hold, or must not.
    excludes
        Whether holding excludes.
    gates
        Whether an unknown condition leaves eligibility unknown; otherwise it is listed to check by
        hand, as imaging and performance status are at every screening visit.
    """

    text: str
    condition: Condition
    excludes: bool
    gates: bool


@dataclass(frozen=True, slots=True)
class Treatment:
    """What a randomised trial found its drug to do.

    Parameters
    ----------
    drug, outcome, population, citation
        Of the trial.
    hazard_ratio
        Of the outcome, against observation.
    interval
        95 % confidence interval of the hazard ratio.
    """

    drug: str
    outcome: str
    population: str
    hazard_ratio: float
    interval: tuple[float, float]
    citation: str


@dataclass(frozen=True, slots=True)
class Trial:
    """A trial's eligibility criteria at one date.

    Parameters
    ----------
    name, nct, version, citation, note
        Name, registration, date of the criteria, source, and what a reader must know.
    rules
        In the order of the file.
    treatment
        Where the trial has reported, else None.
    """

    name: str
    nct: str
    version: str
    citation: str
    note: str
    rules: tuple[Rule, ...]
    treatment: Treatment | None = None


@dataclass(frozen=True, slots=True)
class Eligibility:
    """Eligibility of k landmarks.

    Parameters
    ----------
    trial
        Whose rules.
    status : (k,) array
        Index into `ELIGIBILITIES`.
    states : (r, k) array
        State of every rule's condition.
    reasons : tuple of distinct reasons
        ``excluded by …``, ``unknown until …``, or empty.
    checks : tuple as long
        What is left to check by hand, for each reason.
    reason_of : (k,) array
        Index into `reasons` and `checks`.
    """

    trial: Trial
    status: Codes
    states: Codes
    reasons: tuple[str, ...]
    checks: tuple[str, ...]
    reason_of: NDArray[np.intp]

    def status_at(self, i: int) -> str:
        """Eligible, unknown or excluded."""
        return ELIGIBILITIES[self.status[i]]

    def reason_at(self, i: int) -> str:
        """What excludes landmark i, or what must be known first; empty when eligible."""
        return self.reasons[int(self.reason_of[i])]

    def to_check_at(self, i: int) -> str:
        """What a screener still checks by hand for landmark i."""
        return self.checks[int(self.reason_of[i])]


def load_trial(name: str | Path) -> Trial:
    """Rules of a trial carried along, by its name, or of a TOML file of one's own.

    Raises
    ------
    InputError
        When there is no such trial or file, or the file is not of this form.

    Examples
    --------
    >>> load_trial("AQUILA").nct
    'NCT03301220'
    """
    known = {trial.lower(): trial for trial in TRIALS}
    if str(name).lower() in known:
        file = resources.files("models").joinpath("trials", f"{str(name).lower()}.toml")
        return read_trial(file.read_text("utf-8"), source=known[str(name).lower()])
    path = Path(name)
    if not path.is_file():
        raise InputError("trial", f"must be one of {', '.join(TRIALS)}, or a TOML file of rules")
    try:
        return read_trial(path.read_text("utf-8"), source=path.name)
    except UnicodeDecodeError:
        raise InputError(path.name, "must be UTF-8 text") from None


def read_trial(text: str, *, source: str) -> Trial:
    """Rules from TOML text; `source` names it in errors."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(source, f"is not valid TOML: {error}") from None
    if surplus := sorted(set(data) - _KEYS):
        raise InputError(source, f"'{surplus[0]}' is not understood")
    if lacking := [key for key in ("trial", "nct", "version", "citation") if key not in data]:
        raise InputError(source, f"lacks '{lacking[0]}'")
    rules = tuple(_rules(data, source))
    if not rules:
        raise InputError(source, "holds no [[include]] and no [[exclude]]")
    name, nct, version, citation, note = (
        str(data.get(key, "")) for key in ("trial", "nct", "version", "citation", "note")
    )
    treatment = _treatment(data["treatment"], source) if "treatment" in data else None
    return Trial(name, nct, version, citation, note, rules, treatment)


def _rules(data: Mapping[str, object], source: str) -> Iterator[Rule]:
    for kind in ("include", "exclude"):
        tables = data.get(kind, [])
        if not isinstance(tables, list):
            raise InputError(source, f"'{kind}' must be written [[{kind}]]")
        for i, table in enumerate(tables, 1):
            place = f"{source}, {kind} {i}"
            if "text" not in table:
                raise InputError(place, "lacks 'text'")
            if table.get("unknown", "waits") not in ("waits", "check"):
                raise InputError(place, "'unknown' must be waits or check")
            condition = {key: value for key, value in table.items() if key not in _RULE_KEYS}
            yield Rule(
                text=str(table["text"]),
                condition=read_condition(condition, place=place),
                excludes=kind == "exclude",
                gates=table.get("unknown") != "check",
            )


def _treatment(table: Mapping[str, object], source: str) -> Treatment:
    try:
        low, high = (float(end) for end in table["interval"])  # type: ignore[attr-defined]
        ratio = float(str(table["hazard_ratio"]))
        texts = [str(table[key]) for key in ("drug", "outcome", "population", "citation")]
    except (KeyError, TypeError, ValueError):
        expected = "needs drug, outcome, population, citation, hazard_ratio and interval = [a, b]"
        raise InputError(f"{source}, treatment", expected) from None
    drug, outcome, population, citation = texts
    if not 0 < low <= ratio <= high:
        raise InputError(f"{source}, treatment", "interval must hold the hazard ratio")
    return Treatment(drug, outcome, population, ratio, (low, high), citation)


def evaluate(trial: Trial, features: LandmarkFeatures) -> Eligibility:
    """Eligibility at every landmark.

    Parameters
    ----------
    trial
        From `load_trial`.
    features
        Of k landmarks.
    """
    subjects = Subjects(features)
    leaves: list[tuple[tuple[str, ...], Codes]] = []
    spans = []
    states = np.empty((len(trial.rules), len(features)), dtype=np.int8)
    for i, rule in enumerate(trial.rules):
        before = len(leaves)
        states[i] = _state(rule.condition, subjects, leaves)
        spans.append(slice(before, len(leaves)))
    status = _status(trial, states)
    pattern = np.vstack([states, *(found for _, found in leaves)])
    first, which = _distinct(pattern)
    reasons, checks = [], []
    for i in first:
        at = [[(needs, int(found[i])) for needs, found in leaves[span]] for span in spans]
        reasons.append(_reason(trial, int(status[i]), states[:, i], at))
        checks.append(_open(trial, states[:, i], at, gates=False))
    return Eligibility(trial, status, states, tuple(reasons), tuple(checks), which)


def _state(
    condition: Condition, subjects: Subjects, leaves: list[tuple[tuple[str, ...], Codes]]
) -> Codes:
    if not isinstance(condition, Counted):
        found = condition.state(subjects).astype(np.int8)
        leaves.append((condition.needs, found))
        return found
    met, perhaps = np.zeros((2, len(subjects)), dtype=np.int8)
    for each in condition.of:
        found = _state(each, subjects, leaves)
        met += found == MET
        perhaps += found == UNKNOWN
    surely, possibly = met >= condition.least, met + perhaps >= condition.least
    return np.where(surely, MET, np.where(possibly, UNKNOWN, NOT_MET)).astype(np.int8)


def _status(trial: Trial, states: Codes) -> Codes:
    excluded = np.zeros(states.shape[1], dtype=bool)
    open_ = np.zeros(states.shape[1], dtype=bool)
    for rule, found in zip(trial.rules, states, strict=True):
        excluded |= found == (MET if rule.excludes else NOT_MET)
        if rule.gates:
            open_ |= found == UNKNOWN
    return np.where(excluded, EXCLUDED, np.where(open_, UNDECIDED, ELIGIBLE)).astype(np.int8)


def _distinct(pattern: Codes) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """First column of each distinct pattern of states, and which one every column has."""
    code, codes = np.zeros(pattern.shape[1], dtype=np.int64), 1
    for row in pattern:
        if codes > _MOST_CODES:
            found, code = np.unique(code, return_inverse=True)
            codes = found.size
        code, codes = code * 3 + row, codes * 3
    _, first, which = np.unique(code, return_index=True, return_inverse=True)
    return first, which


_MOST_CODES = 2**61
"""A further row of three states still fits 64 bits."""

_Leaves = list[list[tuple[tuple[str, ...], int]]]


def _reason(trial: Trial, status: int, states: Codes, at: _Leaves) -> str:
    if status == EXCLUDED:
        by = [
            ("" if rule.excludes else "not ") + rule.text
            for rule, found in zip(trial.rules, states, strict=True)
            if found == (MET if rule.excludes else NOT_MET)
        ]
        return f"excluded by: {'; '.join(by)}"
    if status == UNDECIDED:
        return f"unknown until: {_open(trial, states, at, gates=True)}"
    return ""


def _open(trial: Trial, states: Codes, at: _Leaves, *, gates: bool) -> str:
    """What would settle the rules that are unknown, of those that gate or of those that do not."""
    needs = dict.fromkeys(
        need
        for rule, found, leaves in zip(trial.rules, states, at, strict=True)
        if found == UNKNOWN and rule.gates == gates
        for names, leaf in leaves
        if leaf == UNKNOWN
        for need in names
    )
    return ", ".join(needs)
