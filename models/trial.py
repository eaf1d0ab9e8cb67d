"""A trial's eligibility criteria at one date, read from data.

A TOML file holds the registration number, the date of the criteria, their source, and conditions to
include and to exclude (`models.conditions`). The trials carried along lie in ``models/trials``; a
file of one's own has the same form.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from features.errors import InputError
from models.conditions import Condition, read_condition

__all__ = ["TRIALS", "Rule", "Treatment", "Trial", "load_trial", "read_trial"]

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
