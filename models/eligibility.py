"""Eligibility for a trial by its rules: eligible, excluded by, or unknown until."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from features.criteria import MET, NOT_MET, UNKNOWN
from features.history import Codes, Ints
from features.landmark import LandmarkFeatures
from features.patterns import distinct
from models.conditions import Condition, Counted, Leaf, Subjects
from models.trial import Trial

__all__ = ["ELIGIBILITIES", "ELIGIBLE", "EXCLUDED", "UNDECIDED", "Eligibility", "evaluate"]

ELIGIBLE, UNDECIDED, EXCLUDED = 0, 1, 2
ELIGIBILITIES = ("eligible", "unknown", "excluded")


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
    reason_of: Ints

    def status_at(self, i: int) -> str:
        """Eligible, unknown or excluded."""
        return ELIGIBILITIES[self.status[i]]

    def reason_at(self, i: int) -> str:
        """What excludes landmark i, or what must be known first; empty when eligible."""
        return self.reasons[int(self.reason_of[i])]

    def to_check_at(self, i: int) -> str:
        """What a screener still checks by hand for landmark i."""
        return self.checks[int(self.reason_of[i])]


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
    states = np.empty((len(trial.rules), len(features)), dtype=np.int8)
    leaves: list[list[_Found]] = [[] for _ in trial.rules]
    for i, rule in enumerate(trial.rules):
        states[i] = _state(rule.condition, subjects, leaves[i])
    status = _status(trial, states, leaves)
    first, which = distinct([*states, *(of_leaf for found in leaves for _, of_leaf in found)])
    reasons = [_reason(trial, int(status[i]), states, leaves, int(i)) for i in first]
    checks = [", ".join(_open(trial, states, leaves, int(i), waits=False)) for i in first]
    return Eligibility(trial, status, states, tuple(reasons), tuple(checks), which)


_Found = tuple[Leaf, Codes]


def _state(condition: Condition, subjects: Subjects, leaves: list[_Found]) -> Codes:
    if not isinstance(condition, Counted):
        found = condition.state(subjects).astype(np.int8)
        leaves.append((condition, found))
        return found
    met, perhaps = np.zeros((2, len(subjects)), dtype=np.int8)
    for each in condition.of:
        found = _state(each, subjects, leaves)
        met += found == MET
        perhaps += found == UNKNOWN
    surely, possibly = met >= condition.least, met + perhaps >= condition.least
    return np.where(surely, MET, np.where(possibly, UNKNOWN, NOT_MET)).astype(np.int8)


def _status(trial: Trial, states: Codes, leaves: list[list[_Found]]) -> Codes:
    excluded = np.zeros(states.shape[1], dtype=bool)
    waits = np.zeros(states.shape[1], dtype=bool)
    for rule, state, found in zip(trial.rules, states, leaves, strict=True):
        excluded |= state == (MET if rule.excludes else NOT_MET)
        for leaf, of_leaf in found:
            if rule.gates or leaf.waits:
                waits |= (state == UNKNOWN) & (of_leaf == UNKNOWN)
    return np.where(excluded, EXCLUDED, np.where(waits, UNDECIDED, ELIGIBLE)).astype(np.int8)


def _reason(trial: Trial, status: int, states: Codes, leaves: list[list[_Found]], i: int) -> str:
    if status == EXCLUDED:
        by = [
            ("" if rule.excludes else "not ") + rule.text
            for rule, state in zip(trial.rules, states[:, i], strict=True)
            if state == (MET if rule.excludes else NOT_MET)
        ]
        return f"excluded by: {'; '.join(by)}"
    if status == UNDECIDED:
        return f"unknown until: {', '.join(_open(trial, states, leaves, i, waits=True))}"
    return ""


def _open(
    trial: Trial, states: Codes, leaves: list[list[_Found]], i: int, *, waits: bool
) -> Iterable[str]:
    """What would settle the unknown rules of subject i: what eligibility waits for, or the rest."""
    return dict.fromkeys(
        need
        for rule, state, found in zip(trial.rules, states[:, i], leaves, strict=True)
        if state == UNKNOWN
        for leaf, of_leaf in found
        if of_leaf[i] == UNKNOWN and (rule.gates or leaf.waits) == waits
        for need in leaf.needs
    )
