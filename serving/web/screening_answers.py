"""The answers of a list: every model and every trial at the last visit of everybody in a file."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from features.criteria import STAGES, Staging, stage
from features.history import Codes, Floats, Ints
from features.labs import LabRows
from features.landmark import LandmarkFeatures
from features.visits import Visits
from models.agreement import extremes, ranges_at_horizon
from models.eligibility import evaluate
from models.risk import OK, REFUSED, STATUSES, Estimates, RiskModel
from models.screening import HORIZON_YEARS
from models.trial import TRIALS, load_trial
from serving.estimates import reason_at
from serving.lineup import Lineup, inputs_of, provenance
from serving.staged import contradictions
from serving.values import Json, number
from serving.web.screening_frames import Told
from serving.web.screening_list import (
    NO_RISK,
    NOT_ANSWERED,
    SCALE,
    ListedModel,
    ListedTrial,
    PatientList,
    floats,
    time_label,
)

__all__ = ["PART", "Screened", "screened"]

PART = 100
"""Answers put on record together: other requests' records go in between."""


def screened(
    rows: LabRows,
    visits: Visits,
    lineup: Lineup,
    *,
    file: str,
    doubts: Mapping[int, str],
    refusals: Mapping[int, str],
) -> "Screened":
    """The list of everybody in a file, with what each was told.

    Parameters
    ----------
    rows, visits
        As read and as checked.
    lineup
        Models that answer.
    file
        Its name.
    doubts, refusals
        Subject to what wants confirming, and to why it is not answered.
    """
    last = visits.history.last_visits()
    where = visits.history.subject[last]
    features = LandmarkFeatures(visits.history, where, visits.history.time_years[last])
    spread = _Spread(len(rows.subject_ids), where)
    staging = stage(features)
    reasons, which = staging.reasons()
    answers = tuple(_Answers.of(model, features, staging) for model in lineup.choose(None))
    least, most = _parted(answers)
    found = PatientList(
        file=file,
        dated=rows.dated,
        subject_ids=rows.subject_ids,
        time_years=spread.floats(visits.history.time_years[last]),
        stage=spread.codes(staging.stage, -1),
        stage_reasons=reasons,
        stage_reason=spread.codes(which, -1),
        trials=tuple(_trial(name, features, spread) for name in TRIALS),
        models=tuple(each.listed(lineup, spread) for each in answers),
        least=spread.codes(least, -1),
        most=spread.codes(most, -1),
        refusals=dict(refusals),
        doubts=dict(doubts),
        notes=rows.notes,
    )
    shared = tuple(each.entry(int(k)) for each in answers if each.shares for k in each.first)
    return Screened(found, shared, answers, staging, where)


@dataclass(frozen=True, slots=True)
class _Spread:
    """From k answered subjects to all s of a file."""

    size: int
    where: Ints

    def codes(self, values: Codes | Ints, otherwise: int) -> bytes:
        every = np.full(self.size, otherwise, dtype="<i2")
        every[self.where] = values
        return every.tobytes()

    def floats(self, values: Floats) -> bytes:
        every = np.full(self.size, np.nan, dtype="<f8")
        every[self.where] = values
        return every.tobytes()

    def risks(self, values: Floats) -> bytes:
        every = np.full(self.size, NO_RISK, dtype="<u2")
        known = ~np.isnan(values)
        told = values[known]
        parts = np.round(told * SCALE)
        # What is nearly certain is not told as certain.
        parts = np.where((told > 0) & (told < 1), np.clip(parts, 1, SCALE - 1), parts)
        every[self.where[known]] = parts
        return every.tobytes()


@dataclass(frozen=True, slots=True)
class _Answers:
    """What one model says of k subjects, its silence about the wrong disease included."""

    model: RiskModel
    estimates: Estimates
    status: Codes
    groups: tuple[str, ...]
    reasons: tuple[str, ...]
    first: Ints
    kind: Ints
    risk: Floats
    lower: Floats
    upper: Floats

    @classmethod
    def of(cls, model: RiskModel, features: LandmarkFeatures, staging: Staging) -> "_Answers":
        found = model.estimate(features)
        said, which = contradictions(model.population, staging)
        silent = np.array([bool(text) for text in said])[which]
        status = np.where(silent, REFUSED, found.status).astype(np.int8)
        _, alike = found.alike()
        # A kind of answer is an answer's reason and groups together with a contradiction.
        _, first, kind = np.unique(
            alike * (len(said) + 1) + np.where(silent, which + 1, 0),
            return_index=True,
            return_inverse=True,
        )
        reasons = tuple(said[which[i]] if silent[i] else _reason(found, int(i)) for i in first)
        groups = tuple(
            "" if status[i] == REFUSED else "|".join(found.groups_at(int(i))) for i in first
        )
        risk, lower, upper = (
            np.where(status == REFUSED, np.nan, _at_horizon(found, table))
            for table in (found.risk, found.lower, found.upper)
        )
        return cls(model, found, status, groups, reasons, first, kind, risk, lower, upper)

    def listed(self, lineup: Lineup, spread: _Spread) -> ListedModel:
        card = lineup.cards.get(self.model.name)
        return ListedModel(
            name=self.model.name,
            label=self.model.label,
            version=self.model.version,
            kind=self.model.kind,
            population=self.model.population,
            notice=provenance(self.model, card).get("notice", ""),
            ranges=self.estimates.ranges,
            ranks=HORIZON_YEARS in self.estimates.horizons_years,
            groups=self.groups,
            reasons=self.reasons,
            status=spread.codes(self.status, REFUSED),
            answer=spread.codes(self.kind, -1),
            risk=spread.risks(self.risk),
            lower=spread.risks(self.lower),
            upper=spread.risks(self.upper),
        )

    @property
    def shares(self) -> bool:
        """Whether one kind of answer carries one risk, as a group's does."""
        return bool(self.estimates.groups)

    def entry(self, k: int) -> Json:
        """What the model said of subject k."""
        groups = self.groups[self.kind[k]]
        ends = (("risk", self.risk), ("lower", self.lower), ("upper", self.upper))
        told = {name: number(values[k]) for name, values in ends}
        silent = told["risk"] is None and told["lower"] is None
        return {
            "model": self.model.name,
            "version": self.model.version,
            "status": STATUSES[self.status[k]],
            "groups": groups.split("|") if groups else [],
            "risks": [] if silent else [{"horizon_years": HORIZON_YEARS, **told}],
        }

    def open(self) -> tuple[Floats, Floats]:
        """What the model leaves open at the horizon; NaN where it does not speak."""
        silent = self.status == REFUSED
        lower, upper = ranges_at_horizon(self.estimates, HORIZON_YEARS)
        return np.where(silent, np.nan, lower), np.where(silent, np.nan, upper)


def _reason(found: Estimates, k: int) -> str:
    if found.status[k] == OK:
        return ""
    return reason_at(found, k, inputs_of(found.missing_at(k))) or ""


def _at_horizon(found: Estimates, table: Floats) -> Floats:
    if HORIZON_YEARS not in found.horizons_years:
        return np.full(found.status.size, np.nan)
    return table[:, found.horizons_years.index(HORIZON_YEARS)]


def _parted(answers: Sequence[_Answers]) -> tuple[Ints, Ints]:
    lower, upper = (np.array(ends) for ends in zip(*(each.open() for each in answers), strict=True))
    return extremes(lower, upper)


def _trial(name: str, features: LandmarkFeatures, spread: _Spread) -> ListedTrial:
    rules = load_trial(name)
    found = evaluate(rules, features)
    return ListedTrial(
        name=rules.name,
        nct=rules.nct,
        version=rules.version,
        citation=rules.citation,
        note=rules.note,
        reasons=found.reasons,
        checks=found.checks,
        status=spread.codes(found.status, NOT_ANSWERED),
        reason=spread.codes(found.reason_of, -1),
    )


@dataclass(frozen=True, slots=True)
class Screened:
    """A list and what everybody on it was told.

    Parameters
    ----------
    found
        The list.
    shared
        Entries of models that say the same of many subjects.
    """

    found: PatientList
    shared: tuple[Json, ...]
    answers: tuple[_Answers, ...]
    staging: Staging
    where: Ints

    def __len__(self) -> int:
        """How many were told something."""
        return int(self.where.size)

    def told(self) -> Iterator[tuple[Told, ...]]:
        """What each answered subject was told, in parts of `PART`."""
        times = floats(self.found.time_years)[self.where]
        entries = self._entries()
        for start in range(0, self.where.size, PART):
            yield tuple(
                Told(
                    subject=self.found.subject_ids[self.where[k]],
                    as_of=time_label(float(times[k]), dated=self.found.dated),
                    stage=STAGES[self.staging.stage[k]],
                    doubted=int(self.where[k]) in self.found.doubts,
                    estimates=tuple(of_model[k] for of_model in entries),
                )
                for k in range(start, min(start + PART, self.where.size))
            )

    def _entries(self) -> list[Sequence[int | Json]]:
        """Of every model, the entry of each answered subject."""
        place, entries = 0, []
        for each in self.answers:
            if each.shares:
                entries.append((each.kind + place).tolist())
                place += len(each.groups)
            else:
                entries.append([each.entry(k) for k in range(self.where.size)])
        return entries
