"""Scenarios: the simulated law as data, one TOML file each, checked before anything is drawn."""

import itertools
import tomllib
from dataclasses import MISSING, fields, is_dataclass
from importlib import resources
from typing import Annotated, cast, get_args, get_origin, get_type_hints

from features.errors import ColumnError, InputError, ValueRangeError
from training.simulation.hazards import MONTHS, STEP_YEARS
from training.simulation.law import FISH, Centre, Levels, Limits, Scenario
from training.simulation.subjects import DAYS_PER_YEAR

__all__ = ["SCENARIOS", "scenario_from", "scenario_named"]

SCENARIOS = (
    "referral",
    "screened",
    "trial",
    "shifted-assay",
    "shifted-hazard",
    "informative-censoring",
    "small-site",
)

Table = dict[str, object]


def scenario_named(name: str) -> Scenario:
    """Scenario of this package.

    Raises
    ------
    InputError
        The name is not one of ``SCENARIOS``.
    """
    return scenario_from(name, _table(name))


def scenario_from(name: str, changes: Table) -> Scenario:
    """Scenario of a table as in the TOML files; what it leaves out comes from what it extends.

    Raises
    ------
    ColumnError
        A key is unknown or missing.
    ValueRangeError
        A value is of the wrong kind or impossible.
    """
    table = dict(changes)
    base = table.pop("extends", None)
    if base is not None:
        inherited = _table(str(base))
        inherited.pop("extends", None)
        table = _overlaid(inherited, table)
    scenario = cast("Scenario", _typed(Scenario, {"name": name, **table}, where=name))
    _check(scenario)
    return scenario


def _table(name: str) -> Table:
    if name not in SCENARIOS:
        raise InputError("scenario", f"expected one of {', '.join(SCENARIOS)}")
    file = resources.files("training.simulation").joinpath("scenarios", f"{name}.toml")
    return cast("Table", tomllib.loads(file.read_text("utf-8")))


def _overlaid(base: Table, changes: Table) -> Table:
    result = dict(base)
    for key, value in changes.items():
        old = result.get(key)
        if isinstance(old, dict) and isinstance(value, dict):
            result[key] = _overlaid(old, value)
        else:
            result[key] = value
    return result


def _typed(kind: type, table: object, *, where: str) -> object:
    if not isinstance(table, dict):
        raise ValueRangeError(where, "expected a table")
    hints = get_type_hints(kind, include_extras=True)
    known = {each.name: each for each in fields(kind)}
    for key in table:
        if key not in known:
            raise ColumnError(f"{where}.{key}", f"unknown; expected one of {', '.join(known)}")
    values: Table = {}
    for key, each in known.items():
        if key in table:
            values[key] = _value(hints[key], table[key], where=f"{where}.{key}")
        elif each.default is MISSING and each.default_factory is MISSING:
            raise ColumnError(f"{where}.{key}", "missing")
    return cast("object", kind(**values))


def _value(hint: object, value: object, *, where: str) -> object:
    if get_origin(hint) is Annotated:
        return _numbers(value, cast("Limits", get_args(hint)[1]), where=where)
    if isinstance(hint, type) and is_dataclass(hint):
        return _typed(hint, value, where=where)
    if hint == tuple[Centre, ...]:
        rows = value if isinstance(value, list) else []
        return tuple(_typed(Centre, row, where=f"{where}[{i}]") for i, row in enumerate(rows))
    if hint == dict[str, float]:
        return _by_abnormality(value, where=where)
    if type(value) is not hint:
        raise ValueRangeError(where, "expected text" if hint is str else "expected a date")
    return value


def _by_abnormality(value: object, *, where: str) -> dict[str, float]:
    if not isinstance(value, dict) or set(value) != set(FISH):
        raise ColumnError(where, f"expected exactly {', '.join(FISH)}")
    limits = Limits(0.0, 1.0) if where.endswith("shares") else Limits(-10.0, 10.0)
    return {key: _number(value[key], limits, where=f"{where}.{key}") for key in FISH}


def _numbers(value: object, limits: Limits, *, where: str) -> float | tuple[float, ...]:
    if not limits.length:
        return _number(value, limits, where=where)
    if not isinstance(value, list) or len(value) != limits.length:
        raise ValueRangeError(where, f"expected {limits.length} numbers")
    return tuple(_number(each, limits, where=where) for each in value)


def _number(value: object, limits: Limits, *, where: str) -> float:
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not limits.low <= value <= limits.high
    ):
        raise ValueRangeError(where, f"expected a number from {limits.low:g} to {limits.high:g}")
    return float(value)


def _check(scenario: Scenario) -> None:
    """Refuse what is possible field by field and impossible together."""
    name, population = scenario.name, scenario.population
    if not population.first_diagnosis <= population.last_diagnosis < population.data_cut:
        raise ValueRangeError(
            f"{name}.population", "expected first_diagnosis <= last_diagnosis < data_cut"
        )
    longest = (population.data_cut - population.first_diagnosis).days / DAYS_PER_YEAR
    if longest > MONTHS * STEP_YEARS:
        raise ValueRangeError(f"{name}.population", "expected follow-up of 22 years at most")
    if population.share_igg + population.share_iga > 1:
        raise ValueRangeError(f"{name}.population", "share_igg and share_iga exceed 1 together")
    if scenario.growth.share_slow + scenario.growth.share_evolving > 1:
        raise ValueRangeError(f"{name}.growth", "share_slow and share_evolving exceed 1 together")
    if not scenario.centres or abs(sum(c.share for c in scenario.centres) - 1) > 1e-6:
        raise ValueRangeError(f"{name}.centres", "expected shares that add to 1")
    for quantity in fields(Levels):
        knots = getattr(scenario.levels, quantity.name)
        if isinstance(knots, tuple) and any(a > b for a, b in itertools.pairwise(knots)):
            raise ValueRangeError(f"{name}.levels.{quantity.name}", "expected ascending numbers")
    _check_loadings(scenario)


def _check_loadings(scenario: Scenario) -> None:
    loadings = scenario.loadings
    for quantity in ("m_protein", "flc_ratio", "uninvolved_flc"):
        clone = getattr(loadings, f"clone_{quantity}")
        secretion = getattr(loadings, f"secretion_{quantity}")
        if clone**2 + secretion**2 > 1:
            raise ValueRangeError(
                f"{scenario.name}.loadings", f"{quantity}: squares may add to 1 at most"
            )
