"""What is said about a set of risks, typed, and its form in JSON."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, TypeAlias

import pandas as pd

from training.metrics.censoring import FLOOR
from training.metrics.contrasts import Contrast
from training.metrics.estimate import Estimate

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
_ALWAYS_WITH_INTERVAL = ("observed", "oe", "auc", "brier", "ipa")


@dataclass(frozen=True, slots=True)
class Performance:
    """One model at one horizon.

    Parameters
    ----------
    model, horizon_years
        Which model, at which horizon.
    n, people
        Rows with a risk, and whose they are: a person at several landmarks has a row at each.
    events, competing, censored
        Progressions, deaths first and censorings by the horizon, by row.
    people_progressed
        People with a progression by the horizon of any of their rows.
    observed
        Risk of progression (Aalen–Johansen).
    predicted
        Mean predicted risk.
    oe
        Observed over expected.
    auc
        AUC(t) against everyone without progression by the horizon.
    brier, brier_null, ipa
        Brier score, that of the average risk, and scaled Brier score.
    concordance
        Wolbers' C truncated at the horizon; None when not asked for.
    calibration_intercept, calibration_slope
        On the complementary log-log scale.
    calibration_intercept_logit, calibration_slope_logit
        On the logit scale.
    ici, e50, e90
        Distance of the smooth calibration curve from the diagonal.
    net_benefit, net_benefit_standardised
        By threshold, written as in the request: `"0.05"`; standardised as a share of the most
        there is to gain, which is the observed risk.
    max_weight, effective_sample_size, trimmed
        Largest censoring weight, size of an uncensored sample as informative, number of weights
        limited by the floor.
    """

    model: str
    horizon_years: float
    n: int
    people: int
    events: int
    people_progressed: int
    competing: int
    censored: int
    observed: Estimate
    predicted: float
    oe: Estimate
    auc: Estimate
    brier: Estimate
    brier_null: Estimate
    ipa: Estimate
    concordance: Estimate
    calibration_intercept: Estimate
    calibration_slope: Estimate
    calibration_intercept_logit: Estimate
    calibration_slope_logit: Estimate
    ici: Estimate
    e50: Estimate
    e90: Estimate
    net_benefit: Mapping[str, Estimate]
    net_benefit_standardised: Mapping[str, Estimate]
    max_weight: float
    effective_sample_size: float
    trimmed: int

    def to_dict(self) -> dict[str, Json]:
        """The row as it is written to JSON: estimates with their ends, reasons apart."""
        return _flat(self)

    def withheld(self, reason: str) -> "Performance":
        """The same counts with every estimate but the observed risk replaced by a reason."""
        none = Estimate.none(reason)
        kept: dict[str, Any] = {
            each.name: none
            for each in fields(self)
            if each.name != "observed" and isinstance(getattr(self, each.name), Estimate)
        }
        benefit = dict.fromkeys(self.net_benefit, none)
        return replace(self, net_benefit=benefit, net_benefit_standardised=benefit, **kept)


@dataclass(frozen=True, slots=True)
class ContrastRow:
    """Model minus reference at one horizon, on the subjects both have.

    Parameters
    ----------
    model, reference, horizon_years
        What is compared.
    n
        Subjects with a risk from both.
    interval
        `influence` or `bootstrap`: where intervals and p-values come from.
    delta_auc, delta_brier
        Differences; for the Brier score below 0 is better.
    delta_net_benefit
        By threshold.
    """

    model: str
    reference: str
    horizon_years: float
    n: int
    interval: str
    delta_auc: Contrast
    delta_brier: Contrast
    delta_net_benefit: Mapping[str, Contrast]

    def to_dict(self) -> dict[str, Json]:
        """The row as it is written to JSON; `lower`, `upper` and `p` belong to `delta_auc`."""
        reasons: dict[str, Json] = {}
        brier = _contrast_dict("delta_brier", self.delta_brier, reasons)
        main = _contrast_dict("delta_auc", self.delta_auc, reasons)
        benefit: dict[str, Json] = {
            key: _contrast_dict("delta", value, reasons)
            for key, value in self.delta_net_benefit.items()
        }
        return {
            "model": self.model,
            "reference": self.reference,
            "horizon_years": self.horizon_years,
            "n": self.n,
            "interval": self.interval,
            "delta_auc": main["delta_auc"],
            "lower": main["delta_auc_lower"],
            "upper": main["delta_auc_upper"],
            "p": main["delta_auc_p"],
            **brier,
            "delta_net_benefit": benefit,
            "not_estimable": reasons,
        }


@dataclass(frozen=True, slots=True)
class SubgroupRow:
    """Performance of one model at one horizon in part of the subjects.

    Parameters
    ----------
    subgroup, level
        Which characteristic, and which value of it.
    performance
        Estimates; below the minimum number of progressions each says so instead.
    """

    subgroup: str
    level: str
    performance: Performance

    def to_dict(self) -> dict[str, Json]:
        """The row as it is written to JSON."""
        return {"subgroup": self.subgroup, "level": self.level, **self.performance.to_dict()}


@dataclass(frozen=True, slots=True)
class StrategyRow:
    """Acting on a given group, such as everybody or a published score's high-risk group.

    Parameters
    ----------
    strategy, horizon_years
        Whom one acts on, judged at which horizon.
    n, flagged
        Subjects that the strategy knows, and those it acts on.
    observed
        Risk of progression among those it acts on (Aalen–Johansen).
    net_benefit, net_benefit_standardised
        By threshold, as of a model.
    """

    strategy: str
    horizon_years: float
    n: int
    flagged: int
    observed: Estimate
    net_benefit: Mapping[str, Estimate]
    net_benefit_standardised: Mapping[str, Estimate]

    def to_dict(self) -> dict[str, Json]:
        """The row as it is written to JSON."""
        return _flat(self)


@dataclass(frozen=True, slots=True)
class Judgement:
    """Everything that is said about a set of risks.

    Parameters
    ----------
    rows
        Models × horizons.
    contrasts
        Paired differences.
    subgroups
        Models × horizons × levels.
    strategies
        Treat-all and given groups × horizons.
    level
        Confidence level of all intervals.
    floor
        Smallest chance of being uncensored that weights were made with.
    """

    rows: tuple[Performance, ...]
    contrasts: tuple[ContrastRow, ...]
    subgroups: tuple[SubgroupRow, ...] = ()
    strategies: tuple[StrategyRow, ...] = ()
    level: float = 0.95
    floor: float = FLOOR

    def row(self, model: str, horizon_years: float) -> Performance:
        """The row of one model and horizon."""
        for row in self.rows:
            if row.model == model and row.horizon_years == horizon_years:
                return row
        raise KeyError(f"{model} at {horizon_years:g} years was not judged")

    def to_dict(self) -> dict[str, Json]:
        """The judgement as plain values, without NaN."""
        return {
            "level": self.level,
            "censoring_floor": self.floor,
            "rows": [row.to_dict() for row in self.rows],
            "contrasts": [row.to_dict() for row in self.contrasts],
            "subgroups": [row.to_dict() for row in self.subgroups],
            "strategies": [row.to_dict() for row in self.strategies],
        }

    def to_json(self) -> str:
        """The judgement as JSON text."""
        return json.dumps(self.to_dict(), indent=2, allow_nan=False) + "\n"

    def to_frame(self) -> pd.DataFrame:
        """Rows as a table, one column per number."""
        plain = [row.to_dict() for row in self.rows]
        flat = (
            {key: value for key, value in row.items() if not isinstance(value, dict)}
            for row in plain
        )
        return pd.DataFrame(list(flat))


def _flat(row: Performance | StrategyRow) -> dict[str, Json]:
    result: dict[str, Json] = {}
    reasons: dict[str, Json] = {}
    for each in fields(row):
        value = getattr(row, each.name)
        if isinstance(value, Estimate):
            result |= _with_ends(each.name, value, reasons)
        elif isinstance(value, Mapping):
            result |= _by_threshold(each.name, value, reasons)
        else:
            result[each.name] = value
    return {**result, "not_estimable": reasons}


def _with_ends(name: str, estimate: Estimate, reasons: dict[str, Json]) -> dict[str, Json]:
    if estimate.reason is not None:
        reasons[name] = estimate.reason
    ends: dict[str, Json] = {name: estimate.value}
    if estimate.lower is not None or name in _ALWAYS_WITH_INTERVAL:
        ends |= {f"{name}_lower": estimate.lower, f"{name}_upper": estimate.upper}
    if estimate.standard_error is not None:
        ends[f"{name}_se"] = estimate.standard_error
    return ends


def _by_threshold(
    name: str, values: Mapping[str, Estimate], reasons: dict[str, Json]
) -> dict[str, Json]:
    for key, estimate in values.items():
        if estimate.reason is not None:
            reasons[f"{name}.{key}"] = estimate.reason
    told: dict[str, Json] = {name: {key: found.value for key, found in values.items()}}
    if any(found.lower is not None for found in values.values()):
        told[f"{name}_lower"] = {key: found.lower for key, found in values.items()}
        told[f"{name}_upper"] = {key: found.upper for key, found in values.items()}
    return told


def _contrast_dict(name: str, difference: Contrast, reasons: dict[str, Json]) -> dict[str, Json]:
    delta = difference.delta
    if delta.reason is not None:
        reasons[name] = delta.reason
    return {
        name: delta.value,
        f"{name}_lower": delta.lower,
        f"{name}_upper": delta.upper,
        f"{name}_p": difference.p,
    }
