"""Diagnosis by IMWG 2014: MGUS, SMM, or a myeloma-defining event met.

Rajkumar SV et al., Lancet Oncol 2014;15:e538, doi:10.1016/S1470-2045(14)70442-5. Every criterion is
met, not met or unknown at a landmark, from the latest value known there. Raised calcium, kidney
failure, anaemia and bone lesions count only when the plasma-cell disorder causes them, which no
laboratory value can say: they are "to confirm" and never asserted. Events not looked for stay
unknown and are listed. IgM disease, plasmacytoma and amyloidosis are out of scope.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from features.cuts import tabulate
from features.history import UNKNOWN as UNTYPED
from features.history import Codes, Floats, Ints
from features.imwg_2014 import (
    CRITERIA,
    HEAVY_STATES,
    IGM,
    LIGHT_CHAIN_ONLY,
    MET,
    NOT_MET,
    UNKNOWN,
    Criterion,
    Role,
    criterion_states,
    latest_values,
)
from features.landmark import LandmarkFeatures
from features.patterns import distinct

__all__ = ["CRITERIA", "MET", "NOT_MET", "STAGES", "UNKNOWN", "Criterion", "Staging", "stage"]

STAGES = ("undetermined", "MGUS", "SMM", "meets a myeloma-defining event")
UNDETERMINED, MGUS, SMM, EVENT = range(4)


@dataclass(frozen=True, slots=True)
class Staging:
    """Diagnosis at k landmarks.

    Parameters
    ----------
    stage : (k,) array
        Index into `STAGES`.
    states : mapping of criterion to (k,) array
        ``NOT_MET``, ``MET`` or ``UNKNOWN``.
    values : mapping of quantity to (k,) array
        The latest values behind the criteria, in canonical units; quantities that nobody measured
        are left out.
    heavy_chain : (k,) array
        Codes of `features.history`.
    """

    stage: Codes
    states: Mapping[str, Codes]
    values: Mapping[str, Floats]
    heavy_chain: Codes

    def __len__(self) -> int:
        return int(self.stage.size)

    def stage_at(self, i: int) -> str:
        """Diagnosis of landmark i."""
        return STAGES[self.stage[i]]

    def met_at(self, i: int) -> list[str]:
        """Criteria that landmark i meets, those to confirm left out."""
        return list(_in_state(self._pattern(i), MET, "event", "burden", "evidence"))

    def to_confirm_at(self, i: int) -> list[str]:
        """Organ-damage thresholds that landmark i meets; each counts only by its cause."""
        return list(_in_state(self._pattern(i), MET, "to confirm"))

    def unknown_at(self, i: int) -> list[str]:
        """Criteria that nothing known at landmark i decides."""
        pattern = self._pattern(i)
        return list(_in_state(pattern, UNKNOWN, "event", "to confirm", "burden", "evidence"))

    def values_at(self, name: str, i: int) -> dict[str, float]:
        """The values behind one criterion at landmark i, in canonical units; known ones only."""
        found = {q: float(self.values[q][i]) for q in CRITERIA[name].quantities if q in self.values}
        return {quantity: value for quantity, value in found.items() if not np.isnan(value)}

    def reason_at(self, i: int) -> str:
        """Why landmark i is staged as it is; names criteria, never a value."""
        return _reason(int(self.stage[i]), self._pattern(i), int(self.heavy_chain[i]))

    def reasons(self) -> tuple[tuple[str, ...], Ints]:
        """Distinct reasons and, for each of the k landmarks, which one applies."""
        first, which = distinct([self.heavy_chain + 1, self.stage, *self.states.values()])
        return tuple(self.reason_at(int(i)) for i in first), which

    def _pattern(self, i: int) -> dict[str, int]:
        return {name: int(states[i]) for name, states in self.states.items()}


def stage(features: LandmarkFeatures) -> Staging:
    """Diagnosis at every landmark.

    Parameters
    ----------
    features
        Of k landmarks.

    Returns
    -------
    Staging
        Stage, state of every criterion and the values behind them.

    Examples
    --------
    >>> from features.history import History
    >>> code = np.array([-1], dtype=np.int8)
    >>> history = History(
    ...     subject_ids=("A",), subject=np.array([0]), time_years=np.array([0.0]),
    ...     labs={"m_protein": np.array([2.4]), "bmpc": np.array([25.0]),
    ...           "hemoglobin": np.array([9.8])},
    ...     age_years=np.array([60.0]), sex=code, heavy_chain=code, light_chain=code,
    ...     diagnosis_years=np.array([0.0]))
    >>> staging = stage(LandmarkFeatures(history))
    >>> staging.stage_at(0), staging.met_at(0), staging.to_confirm_at(0)
    ('meets a myeloma-defining event', ['plasma_cells_10'], ['anemia'])
    """
    values = latest_values(features)
    heavy = features.history.heavy_chain[features.subject]
    states = criterion_states(values, heavy, len(features))
    met = states[_EVENTS[0]]
    for name in _EVENTS[1:]:
        met = met | states[name]
    codes = _STAGE[
        _ANY[met],
        states["plasma_cells_10"],
        states["m_protein_30"],
        states["urine_m_protein_500"],
        _CLONE[heavy, states["m_protein_present"], states["light_chain_disease"]],
    ]
    return Staging(codes, states, values, heavy)


_EVENTS = tuple(name for name, each in CRITERIA.items() if each.role in ("event", "to confirm"))

_ANY = np.array([NOT_MET, MET, UNKNOWN, MET], dtype=np.int8)
"""Three-valued OR, indexed by the bitwise OR of the states."""

OUT_OF_SCOPE = 3


def _clone_of(heavy: int, present: int, light_chain: int) -> int:
    """Whether there is a monoclonal protein: a state, or out of scope."""
    if heavy == IGM:
        return OUT_OF_SCOPE
    untyped = heavy == HEAVY_STATES - 1
    if MET in (present, light_chain) or not (untyped or heavy == LIGHT_CHAIN_ONLY):
        return MET
    return UNKNOWN if untyped and present == UNKNOWN else light_chain


def _stage_of(event: int, cells: int, protein: int, urine: int, clone: int) -> int:
    """Diagnosis from any event, plasma cells >= 10 %, the two M-protein limits and the clone.

    An event that nobody looked for does not hold up a diagnosis; it is listed as unknown. An event
    without a marrow does: it defines myeloma from 10 % plasma cells on.
    """
    if clone == OUT_OF_SCOPE or (event == MET and cells == UNKNOWN):
        return UNDETERMINED
    if event == MET and cells == MET:
        return EVENT
    if MET in (cells, protein, urine):
        return SMM
    if cells == NOT_MET and protein == NOT_MET and clone == MET:
        return MGUS
    return UNDETERMINED


_CLONE = tabulate(_clone_of, HEAVY_STATES, 3, 3)
_STAGE = tabulate(_stage_of, 3, 3, 3, 3, 4)


def _in_state(pattern: Mapping[str, int], wanted: int, *roles: Role) -> Iterator[str]:
    return (name for name, s in pattern.items() if s == wanted and CRITERIA[name].role in roles)


def _rules(pattern: Mapping[str, int], *roles: Role) -> str:
    return ", ".join(CRITERIA[name].rule for name in _in_state(pattern, MET, *roles))


def _reason(code: int, pattern: Mapping[str, int], heavy: int) -> str:
    if heavy == IGM:
        return "IgM disease is out of scope: it has criteria of its own"
    parts = [_rules(pattern, "event", "burden", "evidence")]
    if code == MGUS:
        parts.append("M-protein < 3 g/dL and clonal plasma cells < 10 %")
    if code == UNDETERMINED:
        parts.append(f"needs {', '.join(_needed(pattern, heavy)) or 'a monoclonal protein'}")
    if confirm := _rules(pattern, "to confirm"):
        parts.append(f"confirm the cause of: {confirm}")
    unseen = ", ".join(_in_state(pattern, UNKNOWN, "event", "to confirm"))
    if unseen and code in (MGUS, SMM):
        parts.append(f"not looked for: {unseen}")
    return "; ".join(part for part in parts if part)


def _needed(pattern: Mapping[str, int], heavy: int) -> list[str]:
    """Inputs that an undetermined diagnosis waits for."""
    needed = []
    if pattern["plasma_cells_10"] == UNKNOWN:
        needed.append("bmpc")
    if pattern["m_protein_30"] == UNKNOWN:
        needed.append("m_protein")
    if pattern["light_chain_disease"] == UNKNOWN and heavy in (UNTYPED, LIGHT_CHAIN_ONLY):
        needed += ["kappa_flc", "lambda_flc"]
    return needed
