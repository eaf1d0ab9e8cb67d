"""People ranked for a trial: who is eligible, who may be, and how likely they are to progress."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from features.criteria import STAGES, Staging, stage
from features.history import Codes, Floats, History, Ints
from features.landmark import LandmarkFeatures
from models.eligibility import ELIGIBILITIES, ELIGIBLE, Eligibility, evaluate
from models.published.pangea_smm import PANGEA_SMM
from models.risk import RiskModel
from models.trial import Trial, load_trial

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["HORIZON_YEARS", "Screening", "Yield", "expected_yield", "ranked", "screen"]

HORIZON_YEARS = 2.0
"""Trials of early treatment count events over the first years; two is the horizon models share."""


def ranked(status: Codes | Ints, risk: Floats, lower: Floats, upper: Floats) -> Ints:
    """(s,) subjects by eligibility – eligible, unknown, excluded –, then by risk, unknown last.

    Parameters
    ----------
    status : (s,) array
        Index into `models.eligibility.ELIGIBILITIES`.
    risk, lower, upper : (s,) arrays
        NaN where there is none. A range without a risk ranks by its middle.

    Examples
    --------
    >>> nan = np.nan
    >>> ranked(np.array([2, 0, 0, 0]), np.array([0.9, nan, nan, 0.2]),
    ...        np.array([0.8, nan, 0.1, 0.1]), np.array([1.0, nan, 0.5, 0.3])).tolist()
    [2, 3, 1, 0]
    """
    middle = np.where(np.isnan(risk), (lower + upper) / 2, risk)
    place = np.where(np.isnan(middle), np.inf, -middle)
    return np.lexsort((place, status)).astype(np.int64)


@dataclass(frozen=True, slots=True)
class Yield:
    """Events expected among the first n subjects of a ranked list, for every n.

    Parameters
    ----------
    events, lower, upper : (m,) arrays
        Sum of the risks of the first n subjects, and of the ends of their intervals; a subject
        without an interval adds its risk to all three. The band is the sum of the subjects' own
        doubts: it is wider than an interval of the sum would be.
    unranked : (m,) array
        Events expected among n of the same subjects taken in any order.
    without_risk
        Number of subjects left out because the model gives them no risk.
    """

    events: Floats
    lower: Floats
    upper: Floats
    unranked: Floats
    without_risk: int

    def needed(self, events: float) -> int | None:
        """Fewest subjects among whom so many events are expected; None where there are not enough.

        Examples
        --------
        >>> risk = np.array([0.5, 0.3, 0.2])
        >>> found = expected_yield(risk, risk, risk)
        >>> found.needed(0.6), found.needed(2.0)
        (2, None)
        """
        # Sums of decimals end a little off: 0.5 + 0.3 + 0.2 must reach 1.
        n = int(np.searchsorted(self.events, events - 1e-9)) + 1
        return n if n <= self.events.size else None


def expected_yield(risk: Floats, lower: Floats, upper: Floats) -> Yield:
    """Events expected by the horizon of the risks, highest risk first.

    Parameters
    ----------
    risk, lower, upper : (s,) arrays
        0-1; NaN where there is none.

    Examples
    --------
    >>> nan = np.nan
    >>> found = expected_yield(np.array([0.1, 0.4, nan]), np.array([0.0, 0.3, nan]),
    ...                        np.array([0.2, nan, nan]))
    >>> found.events.round(2).tolist(), found.upper.round(2).tolist(), found.without_risk
    ([0.4, 0.5], [0.4, 0.6], 1)
    """
    known = np.flatnonzero(~np.isnan(risk))
    order = known[np.argsort(-risk[known], kind="stable")]
    events, low, high = (
        np.cumsum(np.where(np.isnan(values[order]), risk[order], values[order]))
        for values in (risk, lower, upper)
    )
    mean = float(risk[known].mean()) if known.size else 0.0
    unranked = np.cumsum(np.full(known.size, mean))
    return Yield(events, low, high, unranked, int(risk.size - known.size))


@dataclass(frozen=True, slots=True)
class Screening:
    """Screening of s subjects, each at the last visit.

    Parameters
    ----------
    subject_ids : tuple of s strings
        As the caller named them.
    time_years : (s,) array
        Of the last visit, on the clock of the history.
    eligibility
        Of every subject.
    staging
        Of every subject.
    model
        Name of the model that ranks.
    risk, lower, upper : (s,) arrays
        Two-year risk by that model; NaN where it gives none.
    """

    subject_ids: tuple[str, ...]
    time_years: Floats
    eligibility: Eligibility
    staging: Staging
    model: str
    risk: Floats
    lower: Floats
    upper: Floats

    def order(self) -> Ints:
        """(s,) subjects as `ranked`."""
        return ranked(self.eligibility.status, self.risk, self.lower, self.upper)

    def counts(self) -> dict[str, int]:
        """Number of subjects by eligibility."""
        found = np.bincount(self.eligibility.status, minlength=len(ELIGIBILITIES))
        return dict(zip(ELIGIBILITIES, map(int, found), strict=True))

    def excluded_by(self) -> dict[str, int]:
        """Number of subjects by reason of exclusion or of not knowing, most frequent first."""
        found = np.bincount(self.eligibility.reason_of, minlength=len(self.eligibility.reasons))
        named: dict[str, int] = {}
        for reason, count in zip(self.eligibility.reasons, map(int, found), strict=True):
            if reason:
                named[reason] = named.get(reason, 0) + count
        return dict(sorted(named.items(), key=lambda item: -item[1]))

    def expected_events_per_100(self) -> Mapping[str, float]:
        """Expected two-year events per 100 eligible subjects enrolled.

        ``events`` is the mean risk of the eligible with a risk, ``lower`` and ``upper`` the means
        of its bounds, ``subjects`` how many they are and ``without_risk`` how many are left out.
        """
        eligible = self.eligibility.status == ELIGIBLE
        known = eligible & ~np.isnan(self.risk)
        number = int(known.sum())
        means = {
            name: float(values[known].mean()) * 100 if number else float("nan")
            for name, values in (
                ("events", self.risk),
                ("lower", self.lower),
                ("upper", self.upper),
            )
        }
        return {**means, "subjects": number, "without_risk": int(eligible.sum()) - number}

    def table(self) -> "pd.DataFrame":
        """The ranked list, one row per subject."""
        import pandas as pd

        order = self.order()
        reasons, which = self.staging.reasons()
        reason_of = self.eligibility.reason_of[order]
        return pd.DataFrame(
            {
                "rank": np.arange(1, order.size + 1),
                "subject_id": np.array(self.subject_ids, dtype=object)[order],
                "eligibility": np.array(ELIGIBILITIES)[self.eligibility.status[order]],
                "reason": np.array(self.eligibility.reasons, dtype=object)[reason_of],
                "to_check": np.array(self.eligibility.checks, dtype=object)[reason_of],
                "stage": np.array(STAGES)[self.staging.stage[order]],
                "stage_reason": np.array(reasons, dtype=object)[which[order]],
                f"{self.model}.risk_2y": self.risk[order],
                f"{self.model}.risk_2y_lower": self.lower[order],
                f"{self.model}.risk_2y_upper": self.upper[order],
            }
        )


def screen(
    history: History, trial: str | Path | Trial, *, model: RiskModel = PANGEA_SMM
) -> Screening:
    """Screening of every subject of a history at the last visit.

    Parameters
    ----------
    history
        Validated visits.
    trial
        Name, file of rules, or rules already read.
    model
        Ranks by its two-year risk.

    Raises
    ------
    InputError
        When the rules cannot be read.
    """
    rules = trial if isinstance(trial, Trial) else load_trial(trial)
    last = history.last_visits()
    features = LandmarkFeatures(history, history.subject[last], history.time_years[last])
    estimates = model.estimate(features)
    nothing = np.full((len(features), 1), np.nan)
    column = [i for i, t in enumerate(estimates.horizons_years) if t == HORIZON_YEARS]
    risk, lower, upper = (
        (values[:, column] if column else nothing).ravel()
        for values in (estimates.risk, estimates.lower, estimates.upper)
    )
    return Screening(
        subject_ids=tuple(history.subject_ids[i] for i in history.subject[last]),
        time_years=history.time_years[last],
        eligibility=evaluate(rules, features),
        staging=stage(features),
        model=model.name,
        risk=risk,
        lower=lower,
        upper=upper,
    )
