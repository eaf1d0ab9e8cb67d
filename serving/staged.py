"""The staging of each landmark as JSON, and which models it keeps from speaking."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from features.criteria import CRITERIA, Staging
from features.history import Ints
from features.patterns import distinct
from serving.values import Json

__all__ = ["Staged", "contradiction", "contradictions", "staged_landmarks"]

POPULATION = {"smm": "SMM", "mgus": "MGUS"}

MOST_KNOWN = 4096
"""Patterns of criteria that are kept; those that patients have are far fewer."""


@dataclass(frozen=True, slots=True)
class Staged:
    """Diagnosis at one landmark.

    Parameters
    ----------
    document
        With the criteria it rests on. Landmarks that are alike share it: it must not be altered.
    refusals
        Population to the reason why models for it do not speak; None where they may.
    """

    document: Json
    refusals: Mapping[str, str | None]


def staged_landmarks(staging: Staging) -> list[Staged]:
    """Diagnosis at every landmark; a pattern of criteria is put into words once."""
    codes = np.array([staging.stage, staging.heavy_chain, *staging.states.values()], dtype=np.int8)
    told = []
    for k, column in enumerate(codes.T):
        pattern = column.tobytes()
        one = _KNOWN.get(pattern)
        if one is None:
            if len(_KNOWN) >= MOST_KNOWN:
                _KNOWN.clear()
            one = _KNOWN[pattern] = _staged(staging, k)
        told.append(one)
    return told


_KNOWN: dict[bytes, Staged] = {}


def _staged(staging: Staging, k: int) -> Staged:
    document: Json = {
        "stage": staging.stage_at(k),
        "met": staging.met_at(k),
        "to_confirm": staging.to_confirm_at(k),
        "unknown": staging.unknown_at(k),
        "reason": staging.reason_at(k),
    }
    refusals = {population: contradiction(population, staging, k) for population in POPULATION}
    return Staged(document, refusals)


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


def contradictions(population: str, staging: Staging) -> tuple[tuple[str, ...], Ints]:
    """Distinct contradictions, "" for none, and which of them applies to each of k landmarks."""
    first, which = distinct([staging.stage, *staging.states.values()])
    return tuple(contradiction(population, staging, int(k)) or "" for k in first), which
