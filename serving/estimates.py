"""What the models say about one landmark, as JSON, and where they part."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from features.criteria import CRITERIA, Staging
from models.agreement import agreement_at
from models.risk import OK, PARTIAL, REFUSED, STATUSES, Estimates, RiskModel
from serving.lineup import Card, inputs_of, provenance
from serving.values import Json, number

__all__ = ["agreement", "contradiction", "estimate_documents"]

RANGE = "range over missing markers"
POPULATION = {"smm": "SMM", "mgus": "MGUS"}


def contradiction(population: str, staging: Staging, k: int) -> str | None:
    """Why a model for a population does not speak of landmark k; None where it may.

    Organ damage that only needs its cause confirmed does not refuse a model for SMM: the
    staging says what to confirm.

    Parameters
    ----------
    population
        ``smm`` or ``mgus``.
    """
    found = staging.stage_at(k)
    said = f"for {POPULATION[population]}; staging says {found}"
    if found in ("undetermined", POPULATION[population]):
        return None
    if found in POPULATION.values() or population == "mgus":
        return said
    events = [name for name in staging.met_at(k) if CRITERIA[name].role == "event"]
    return said if events else None


def estimate_documents(
    estimates: Sequence[tuple[RiskModel, Estimates]],
    staging: Staging,
    k: int,
    cards: Mapping[str, Card],
    explained: Mapping[str, Callable[[int], list[Json]]],
    *,
    intervals: bool,
) -> list[Json]:
    """Every model's entry at landmark k."""
    told = []
    for model, found in estimates:
        refusal = contradiction(model.population, staging, k)
        status = REFUSED if refusal else int(found.status[k])
        card = cards.get(model.name)
        entry: Json = {
            "model": model.name,
            "label": model.label,
            "version": model.version,
            "kind": model.kind,
            "status": STATUSES[status],
        }
        if card is not None:
            entry["role"] = card.role
        if status != OK:
            entry["reason"] = refusal or _reason(found, k)
        if status != REFUSED and found.groups:
            entry |= _groups(found, k)
        entry["interval"] = _interval_kind(found, k) if status != REFUSED and intervals else None
        entry["risks"] = _risks(found, k, intervals=intervals) if status != REFUSED else []
        entry["missing"] = [] if refusal else inputs_of(found.missing_at(k))
        if status != REFUSED and model.name in explained:
            entry["contributions"] = explained[model.name](k)
        entry["provenance"] = provenance(model, card)
        told.append(entry)
    return told


def _reason(found: Estimates, k: int) -> str | None:
    """Reason in the words of inputs a caller can give, not of features."""
    lacking = ", ".join(inputs_of(found.missing_at(k)))
    if any(holds[k] for holds in found.refusals.values()) or not lacking:
        return found.reason_at(k)
    if found.status[k] == PARTIAL:
        return f"{lacking} missing: the range over what it could be"
    return f"needs {lacking}"


def _groups(found: Estimates, k: int) -> Json:
    possible = found.groups_at(k)
    told: Json = {"groups": possible}
    if len(possible) == 1:
        told["group"] = possible[0]
    if found.score is not None and not np.isnan(found.score[k]):
        told["score"] = number(found.score[k])
    return told


def _interval_kind(found: Estimates, k: int) -> str | None:
    """What `lower` and `upper` are; None where there are none."""
    if np.isnan(found.lower[k]).all() and np.isnan(found.upper[k]).all():
        return None
    if found.status[k] == PARTIAL:
        return RANGE
    return None if found.ranges == "none" else found.ranges


def _risks(found: Estimates, k: int, *, intervals: bool) -> list[Json]:
    return [
        {
            "horizon_years": number(horizon),
            "risk": number(found.risk[k, j]),
            "lower": number(found.lower[k, j]) if intervals else None,
            "upper": number(found.upper[k, j]) if intervals else None,
        }
        for j, horizon in enumerate(found.horizons_years)
    ]


def agreement(
    estimates: Sequence[tuple[RiskModel, Estimates]], staging: Staging, k: int
) -> list[Json]:
    """Where the models that speak of landmark k agree and part, at every horizon of two or more.

    Returns
    -------
    list
        By horizon: whether no two part, what each leaves open (lowest first), and the pairs apart.
    """
    speaking = {
        model.name: found
        for model, found in estimates
        if found.status[k] != REFUSED and contradiction(model.population, staging, k) is None
    }
    at_horizon: dict[float, dict[str, Estimates]] = {}
    for name, found in speaking.items():
        for horizon in found.horizons_years:
            at_horizon.setdefault(horizon, {})[name] = found
    compared = [
        agreement_at(told, horizon, k)
        for horizon, told in sorted(at_horizon.items())
        if len(told) > 1
    ]
    return [
        {
            "horizon_years": found.horizon_years,
            "agree": found.agree,
            "voices": [
                {"model": v.model, "lower": v.lower, "upper": v.upper} for v in found.voices
            ],
            "apart": [list(pair) for pair in found.apart],
        }
        for found in compared
        if len(found.voices) > 1
    ]
