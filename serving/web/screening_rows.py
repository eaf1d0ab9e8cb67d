"""Rows of a list in the words of the page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from features.criteria import STAGES
from models.risk import STATUSES as ANSWERS
from serving.web import messages
from serving.web.labels import model_label, orders_label
from serving.web.numbers import NONE, localised, percent, span
from serving.web.screening_choice import PAGE, STATUSES, Shown
from serving.web.screening_list import ListedModel, codes, floats, risks, time_label
from serving.web.texts import Texts

__all__ = ["Row", "Said", "listed_label", "rows"]


@dataclass(frozen=True, slots=True)
class Said:
    """What one model says of one subject.

    Parameters
    ----------
    status
        ``ok``, ``partial`` or ``refused``.
    group
        Possible groups.
    risk, interval
        At two years, with its interval or range.
    reason
        Why there is no more.
    """

    status: str
    group: str
    risk: str
    interval: str
    reason: str


@dataclass(frozen=True, slots=True)
class Row:
    """One subject.

    Parameters
    ----------
    rank, subject, visit, stage
        Its place, identifier, last visit, and diagnosis.
    stage_reason
        What that rests on.
    status
        One of `STATUSES`.
    reason, check
        Of the eligibility; the reason of a refusal where there is no answer.
    ranking
        By the model that ranks.
    models
        By the other models.
    apart
        Models that say least and most with what they say, where they part; else nothing.
    doubt
        What wants confirming.
    reasons
        Model to why it says no more.
    """

    rank: int
    subject: str
    visit: str
    stage: str
    stage_reason: str
    status: str
    reason: str
    check: str
    ranking: Said
    models: tuple[Said, ...]
    apart: tuple[tuple[str, str], ...]
    doubt: str
    reasons: tuple[tuple[str, str], ...]


def listed_label(model: ListedModel, t: Texts) -> str:
    """What people call a model of a list."""
    return model_label({"model": model.name, "label": model.label}, t)


def rows(shown: Shown, t: Texts) -> list[Row]:
    """Rows of the page shown."""
    start = (shown.page - 1) * PAGE
    found = shown.found
    by_place = [_Column(model, t) for model in found.models]
    columns = [column for column in by_place if column.model is not shown.model]
    ranking = next(column for column in by_place if column.model is shown.model)
    trial_reason, stage = codes(shown.trial.reason), codes(found.stage)
    stage_reason, times = codes(found.stage_reason), floats(found.time_years)
    least, most = codes(found.least), codes(found.most)

    def of(i: int) -> Row:
        refusal = found.refusals.get(i)
        known = int(trial_reason[i])
        told = [(column.model, column.said(i)) for column in columns]
        ranked = ranking.said(i)
        return Row(
            rank=int(shown.rank[i]),
            subject=found.subject_ids[i],
            visit=localised(time_label(float(times[i]), dated=found.dated), t),
            stage=STAGES[stage[i]] if stage[i] >= 0 else "",
            stage_reason=messages.said(found.stage_reasons[stage_reason[i]], t)
            if stage[i] >= 0
            else "",
            status=STATUSES[shown.status[i]],
            reason=messages.said(refusal if refusal is not None else shown.trial.reasons[known], t),
            check="" if refusal is not None else _checks(shown.trial.checks[known], t),
            ranking=ranked,
            models=tuple(answer for _, answer in told),
            apart=tuple(by_place[place].ends(i) for place in (least[i], most[i]) if place >= 0),
            doubt=messages.said(found.doubts.get(i, ""), t),
            reasons=_reasons([(shown.model, ranked), *told], t),
        )

    return [of(int(i)) for i in shown.subjects[start : start + PAGE]]


def _checks(names: str, t: Texts) -> str:
    return orders_label(names.split(", "), t) if names else ""


def _reasons(said: Sequence[tuple[ListedModel, Said]], t: Texts) -> tuple[tuple[str, str], ...]:
    """Models, those that say the same together, to why they say no more."""
    by_reason: dict[str, list[str]] = {}
    for model, answer in said:
        if answer.reason:
            by_reason.setdefault(answer.reason, []).append(listed_label(model, t))
    return tuple((", ".join(names), messages.said(text, t)) for text, names in by_reason.items())


class _Column:
    """What one model says, unpacked once for all rows."""

    def __init__(self, model: ListedModel, t: Texts) -> None:
        self.model = model
        self.t = t
        self.names: Mapping[str, str] = {"": "", **t["risk_group"]}
        self.status, self.answer = codes(model.status), codes(model.answer)
        self.risk, self.lower, self.upper = map(risks, (model.risk, model.lower, model.upper))

    def said(self, i: int) -> Said:
        answer = int(self.answer[i])
        group = self.model.groups[answer] if answer >= 0 else ""
        lower, upper = float(self.lower[i]), float(self.upper[i])
        ends = "" if np.isnan(lower) or np.isnan(upper) else span(lower, upper, self.t)
        risk = float(self.risk[i])
        return Said(
            status=ANSWERS[self.status[i]],
            group=" / ".join(str(self.names.get(name, name)) for name in group.split("|")),
            risk=NONE if np.isnan(risk) else percent(risk, self.t),
            interval=ends,
            reason=self.model.reasons[answer] if answer >= 0 else "",
        )

    def ends(self, i: int) -> tuple[str, str]:
        """The model, and its risk or its range."""
        answer = self.said(i)
        return listed_label(
            self.model, self.t
        ), answer.interval if answer.risk == NONE else answer.risk
