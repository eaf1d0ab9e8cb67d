"""What the models say about each landmark, as JSON, and where they part."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, lru_cache
from itertools import compress
from typing import NamedTuple

import msgspec

from features.landmark import LandmarkFeatures
from models.agreement import Voice, agreement_of
from models.published.panel import panel
from models.published.points import PointScore
from models.risk import OK, PARTIAL, REFUSED, STATUSES, Estimates, RiskModel
from serving.lineup import Card, inputs_of, provenance
from serving.values import Json, number, numbers

__all__ = ["RANGE", "Said", "agreement", "reason_at", "said", "said_of_scores"]

RANGE = "range over missing markers"

MOST_KNOWN = 4096
"""Entries of one score that are kept; its markers have at most a few thousand combinations."""

Numbers = Sequence[float | None]


class Said(NamedTuple):
    """What one model says about one landmark.

    Parameters
    ----------
    document
        Its entry in the answer. Landmarks that are alike share it: it must not be altered.
    voices
        What it leaves open at each horizon at which it speaks.
    text
        The document as JSON text, where it was encoded already.
    """

    document: Json
    voices: Mapping[float, Voice]
    text: msgspec.Raw | None = None


def said(
    model: RiskModel,
    found: Estimates,
    card: Card | None,
    refusals: Sequence[str | None],
    explained: Callable[[int], list[Json]] | None,
    *,
    intervals: bool,
) -> list[Said]:
    """What one model says of every landmark.

    Parameters
    ----------
    model, found
        Who was asked, and what it found.
    card
        Of a learned model.
    refusals
        Why it does not speak of a landmark, by the staging.
    explained
        From a landmark to the contributions of a learned model.
    intervals
        Whether risks carry their interval.
    """
    teller = _Teller(model, found, card, explained, intervals)
    return [teller.tell(k, refusal) for k, refusal in enumerate(refusals)]


def said_of_scores(
    scores: Sequence[PointScore],
    features: LandmarkFeatures,
    refusals: Mapping[str, Sequence[str | None]],
    *,
    intervals: bool,
) -> dict[str, list[Said]]:
    """What published scores say of every landmark.

    A score has few answers: each is put together once, for every request.

    Parameters
    ----------
    scores, features
        Who is asked, and about whom.
    refusals
        By population, as for `said`.
    intervals
        As for `said`.
    """
    if not scores:
        return {}
    patterns = panel(tuple(scores)).patterns(features).tolist()
    return {
        score.name: _said_of_score(score, features, refusals[score.population], codes, intervals)
        for score, codes in zip(scores, patterns, strict=True)
    }


def _said_of_score(
    score: PointScore,
    features: LandmarkFeatures,
    refusals: Sequence[str | None],
    codes: Sequence[int],
    intervals: bool,
) -> list[Said]:
    known = _KNOWN.setdefault((score.name, score.version, intervals), {})
    rows = list(zip(refusals, codes, strict=True))
    new = {row: k for k, row in enumerate(rows) if row not in known}
    if new:
        if len(known) + len(new) > MOST_KNOWN:
            known.clear()
            new = {row: k for k, row in enumerate(rows)}
        teller = _Teller(score, score.estimate(features), None, None, intervals)
        known |= {row: _encoded(teller.tell(k, row[0])) for row, k in new.items()}
    return [known[row] for row in rows]


def _encoded(one: Said) -> Said:
    return one._replace(text=msgspec.Raw(msgspec.json.encode(one.document)))


_KNOWN: dict[tuple[str, str, bool], dict[tuple[str | None, int], Said]] = {}


class _Teller:
    """From one model's row of numbers to its entry."""

    def __init__(
        self,
        model: RiskModel,
        found: Estimates,
        card: Card | None,
        explained: Callable[[int], list[Json]] | None,
        intervals: bool,
    ) -> None:
        self.name, self.found = model.name, found
        self.explained, self.intervals = explained, intervals
        self.head: Json = {
            "model": model.name,
            "label": model.label,
            "version": model.version,
            "kind": model.kind,
        }
        self.role: Json = {} if card is None else {"role": card.role}
        self.provenance = provenance(model, card)

    @cached_property
    def missing(self) -> list[tuple[str, ...]]:
        """Inputs that each landmark lacked."""
        lacking = self.found.missing
        if not lacking:
            return [()] * self.found.status.size
        rows = zip(*(lacks.tolist() for lacks in lacking.values()), strict=True)
        return [_inputs(tuple(compress(lacking, row))) for row in rows]

    @cached_property
    def risk(self) -> list[list[float | None]]:
        """Risks as JSON."""
        return numbers(self.found.risk)

    @cached_property
    def lower(self) -> list[list[float | None]]:
        """Lower ends as JSON."""
        return numbers(self.found.lower)

    @cached_property
    def upper(self) -> list[list[float | None]]:
        """Upper ends as JSON."""
        return numbers(self.found.upper)

    def tell(self, k: int, refusal: str | None) -> Said:
        """Entry of landmark k."""
        found = self.found
        status = int(found.status[k])
        missing = self.missing[k]
        if refusal is not None or status == REFUSED:
            reason = refusal or reason_at(self.found, k, missing)
            lacks = [] if refusal else list(missing)
            return Said(self._entry(REFUSED, {"reason": reason}, None, [], lacks), {})
        more: Json = {"reason": reason_at(self.found, k, missing)} if status != OK else {}
        if found.groups:
            score = None if found.score is None else number(found.score[k])
            more |= _groups(found.groups_at(k), score)
        horizons = found.horizons_years
        risk, lower, upper = self.risk[k], self.lower[k], self.upper[k]
        entry = self._entry(
            status,
            more,
            self._interval_kind(status, lower, upper) if self.intervals else None,
            self._risks(risk, lower, upper),
            list(missing),
        )
        if self.explained is not None:
            entry["contributions"] = self.explained(k)
        return Said(entry, _voices(self.name, horizons, status, risk, lower, upper))

    def _entry(
        self, status: int, more: Json, interval: str | None, risks: list[Json], missing: list[str]
    ) -> Json:
        return {
            **self.head,
            "status": STATUSES[status],
            **self.role,
            **more,
            "interval": interval,
            "risks": risks,
            "missing": missing,
            "provenance": self.provenance,
        }

    def _interval_kind(self, status: int, lower: Numbers, upper: Numbers) -> str | None:
        """What `lower` and `upper` are; None where there are none."""
        if [*lower, *upper].count(None) == len(lower) + len(upper):
            return None
        if status == PARTIAL:
            return RANGE
        return None if self.found.ranges == "none" else self.found.ranges

    def _risks(self, risk: Numbers, lower: Numbers, upper: Numbers) -> list[Json]:
        horizons = self.found.horizons_years
        if not self.intervals:
            lower = upper = [None] * len(horizons)
        return [
            {"horizon_years": horizon, "risk": at, "lower": low, "upper": high}
            for horizon, at, low, high in zip(horizons, risk, lower, upper, strict=True)
        ]


def reason_at(found: Estimates, k: int, missing: Sequence[str]) -> str | None:
    """Why landmark k has no risk or only a range, in inputs a caller can give, not in features.

    Parameters
    ----------
    missing
        Inputs that the model lacked there.
    """
    if not missing or any(holds[k] for holds in found.refusals.values()):
        return found.reason_at(k)
    lacking = ", ".join(missing)
    if found.status[k] == PARTIAL:
        return f"{lacking} missing: the range over what it could be"
    return f"needs {lacking}"


def _groups(possible: list[str], score: float | None) -> Json:
    told: Json = {"groups": possible}
    if len(possible) == 1:
        told["group"] = possible[0]
    if score is not None:
        told["score"] = score
    return told


def _voices(
    model: str,
    horizons: Sequence[float],
    status: int,
    risk: Numbers,
    lower: Numbers,
    upper: Numbers,
) -> dict[float, Voice]:
    """What is left open at each horizon; the interval of a risk is doubt, nothing left open."""
    left = {}
    for horizon, at, low, high in zip(horizons, risk, lower, upper, strict=True):
        if at is not None:
            low = high = at
        elif status != PARTIAL or low is None or high is None:
            continue
        left[horizon] = Voice(model, low, high)
    return left


@lru_cache(maxsize=MOST_KNOWN)
def _inputs(lacking: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(inputs_of(lacking))


def agreement(speaking: Sequence[Said]) -> list[Json]:
    """Where models agree and part about one landmark, at every horizon of two or more.

    Parameters
    ----------
    speaking
        What each model says.

    Returns
    -------
    list
        By horizon: whether no two part, what each leaves open (lowest first), and the pairs apart.
    """
    every: dict[float, list[Voice]] = {}
    for one in speaking:
        for horizon, voice in one.voices.items():
            every.setdefault(horizon, []).append(voice)
    told = []
    for horizon in sorted(every):
        heard = every[horizon]
        if len(heard) < 2:
            continue
        found = agreement_of(heard, horizon)
        entry: Json = {
            "horizon_years": horizon,
            "agree": found.agree,
            "voices": [
                {"model": model, "lower": lower, "upper": upper}
                for model, lower, upper in found.voices
            ],
            "apart": found.apart,
        }
        told.append(entry)
    return told
