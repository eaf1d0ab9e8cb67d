"""The use case: a subject's visits in, everything said about that subject out.

Many subjects are answered together, column by column, and each fails alone. No framework and no
frame is in sight: HTTP, page and batch all call `answer`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from features.analytes import ANALYTES
from features.criteria import stage
from features.errors import FieldProblem
from features.history import Ints
from features.labs import years_from_days
from features.landmark import LandmarkFeatures
from features.visits import Finding, Visits, check
from models.learned import LearnedModel
from models.published.points import PointScore
from models.risk import RiskModel
from serving.contributions import contribution_documents
from serving.estimates import Said, agreement, said, said_of_scores
from serving.lineup import Card
from serving.request import RiskRequest
from serving.rows import as_of_days, lab_rows
from serving.staged import Staged, staged_landmarks
from serving.values import Json, input_documents, iso_day

__all__ = ["NOTICE", "Answered", "Refused", "answer"]

NOTICE = (
    "Research and trial pre-screening; not a medical device. Supports, does not replace, clinical "
    "judgement."
)

HOLD_VISITS = ("visits", "body", "resourceType", "type", "entry")
"""Fields of a request, or of a Bundle of FHIR, at fault where visits could not be read."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What is said about one subject.

    Parameters
    ----------
    document
        JSON document, without its request id.
    features
        Landmarks of all subjects answered together, for views that show more.
    place
        Which of them is this subject's.
    estimates
        What each model says, as the document has it.
    """

    document: Json
    features: LandmarkFeatures
    place: int
    estimates: Sequence[Said]

    def to_send(self) -> Json:
        """The document to be encoded, with the text of whatever was encoded already."""
        return {**self.document, "estimates": [one.text or one.document for one in self.estimates]}


@dataclass(frozen=True, slots=True)
class Refused:
    """Why one subject is not answered.

    Parameters
    ----------
    errors
        Every field at fault, and what was expected.
    malformed
        Whether a field has the wrong shape.
    """

    errors: tuple[FieldProblem, ...]
    malformed: bool = False


def answer(
    requests: Sequence[RiskRequest],
    models: Sequence[RiskModel],
    *,
    today: int,
    cards: Mapping[str, Card],
    intervals: bool = True,
    contributions: bool = True,
) -> list[Answered | Refused]:
    """What each model says about each subject at the day asked about.

    Parameters
    ----------
    requests
        Of any number of subjects.
    models
        Models asked, in the order of the answer.
    today
        Days since 1970-01-01; visits and questions after it are refused.
    cards
        What else is known of each learned model.
    intervals
        Whether risks carry their interval.
    contributions
        Whether learned models say what each feature adds.

    Returns
    -------
    list
        One entry per request, in order.
    """
    asked = as_of_days(requests)
    visits = check(lab_rows(requests, asked), as_of_years=float(years_from_days(np.array(today))))
    found: list[list[Finding]] = [[] for _ in requests]
    for finding in visits.findings:
        found[finding.subject].append(finding)
    refusals = [
        _refusal(request, day, findings, today)
        for request, day, findings in zip(requests, asked, found, strict=True)
    ]
    landmarks = np.array(
        [s for s, refusal in enumerate(refusals) if refusal is None], dtype=np.int64
    )
    features = LandmarkFeatures(visits.history, landmarks, years_from_days(asked[landmarks]))
    told = iter(
        _answered(requests, found, visits, features, asked, models, cards, intervals, contributions)
    )
    return [next(told) if refusal is None else refusal for refusal in refusals]


def _refusal(
    request: RiskRequest, asked: np.int64, findings: Sequence[Finding], today: int
) -> Refused | None:
    errors = list(request.problems)
    for finding in findings:
        # A subject whose visits were not understood is not told that they hold nothing.
        unread = finding.field == "visits" and any(
            e.field.startswith(HOLD_VISITS) for e in request.problems
        )
        if finding.severity == "refused" and not unread:
            errors.append(FieldProblem(path_of(finding), finding.message))
    if request.as_of_day is not None:
        errors += _as_of_problems(request, int(asked), today)
    if not errors:
        return None
    return Refused(tuple(dict.fromkeys(errors)), request.malformed)


def _as_of_problems(request: RiskRequest, asked: int, today: int) -> list[FieldProblem]:
    if asked > today:
        return [FieldProblem("as_of", "lies in the future; give today or an earlier day")]
    if request.visits and asked < min(visit.day for visit in request.visits):
        return [FieldProblem("as_of", "lies before the first visit; nothing was known then")]
    return []


def path_of(finding: Finding) -> str:
    """JSON path of a finding in its subject's request."""
    if finding.field == "age":
        return "subject.age"
    if finding.row is None:
        return finding.field
    known = ANALYTES.get(finding.field)
    field = finding.field if known is None else f"labs.{finding.field}.value"
    return f"visits[{finding.row}].{field}"


def _answered(
    requests: Sequence[RiskRequest],
    found: Sequence[Sequence[Finding]],
    visits: Visits,
    features: LandmarkFeatures,
    asked: Ints,
    models: Sequence[RiskModel],
    cards: Mapping[str, Card],
    intervals: bool,
    contributions: bool,
) -> list[Answered]:
    if not len(features):
        return []
    staged = staged_landmarks(stage(features))
    told = _said(models, features, staged, cards, intervals, contributions)
    inputs = input_documents(requests, visits, features)
    answered: list[Answered] = []
    for k, s in enumerate(features.subject.tolist()):
        doubts = {path_of(f): f.message for f in found[s] if f.severity == "doubted"}
        here = [said_of[k] for said_of in told]
        document: Json = {
            "as_of": iso_day(int(asked[s])),
            "staging": staged[k].document,
            "estimates": [one.document for one in here],
            "agreement": agreement(here),
            "inputs": inputs(k, doubts),
            "warnings": [
                *({"field": field, "message": text} for field, text in doubts.items()),
                *_later_visits(requests[s], int(asked[s])),
            ],
            "notice": NOTICE,
        }
        answered.append(Answered(document, features, k, here))
    return answered


def _said(
    models: Sequence[RiskModel],
    features: LandmarkFeatures,
    staged: Sequence[Staged],
    cards: Mapping[str, Card],
    intervals: bool,
    contributions: bool,
) -> list[list[Said]]:
    """What each model says of every landmark."""
    refusals: dict[str, list[str | None]] = {
        population: [one.refusals[population] for one in staged]
        for population in dict.fromkeys(model.population for model in models)
    }
    scores = [model for model in models if isinstance(model, PointScore)]
    by_score = said_of_scores(scores, features, refusals, intervals=intervals)
    told = {}
    for model in models:
        if model.name in by_score:
            told[model.name] = by_score[model.name]
            continue
        explained = None
        if isinstance(model, LearnedModel):
            values = model.values(features)
            found = model.estimate_matrix(values, intervals=intervals)
            if contributions:
                explained = contribution_documents(model, values)
        else:
            found = model.estimate(features)
        card, against = cards.get(model.name), refusals[model.population]
        told[model.name] = said(model, found, card, against, explained, intervals=intervals)
    return list(told.values())


def _later_visits(request: RiskRequest, asked: int) -> list[Json]:
    return [
        {"field": f"visits[{visit.place}]", "message": "lies after as_of and was not used"}
        for visit in request.visits
        if visit.day > asked
    ]
