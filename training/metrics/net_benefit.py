"""Net benefit: what acting on a model is worth, in true positives per subject.

A threshold of 10 % says: to treat one person who will progress, treating nine who will not is a
fair price. Net benefit counts those flagged who progress, less that price for those flagged who
do not – the dead included, who would not have progressed (Vickers & Elkin 2006,
doi:10.1177/0272989X06295361; with competing death van Geloven 2022, doi:10.1136/bmj-2021-069249).
"""

from dataclasses import dataclass, replace

import numpy as np

from features.errors import ValueRangeError
from training.metrics.aalen_johansen import observed_risk, observed_risk_and_pseudo_values
from training.metrics.estimate import BoolArray, Estimate, FloatArray, IntArray
from training.metrics.timeline import Timeline, checked_risk


@dataclass(frozen=True, slots=True)
class DecisionCurve:
    """Net benefit of a model and of treating all, over thresholds; treating none is 0.

    Parameters
    ----------
    thresholds
        (k,) risks at which one would act, within 0–1.
    model, treat_all
        (k,) net benefit of each; None where not estimable.
    """

    thresholds: tuple[float, ...]
    model: tuple[Estimate, ...]
    treat_all: tuple[Estimate, ...]


def net_benefit(
    duration_years: FloatArray,
    event: IntArray,
    risk: FloatArray,
    horizon_years: float,
    *,
    threshold: float,
    timeline: Timeline | None = None,
    with_influence: bool = False,
    level: float = 0.95,
    cluster: IntArray | None = None,
) -> Estimate:
    """Net benefit of acting on everyone whose risk is at or above a threshold.

    Parameters
    ----------
    duration_years, event
        (n,) years to the event or the end of follow-up; 0 censored, 1 progression, 2 death first.
    risk, horizon_years
        (n,) predicted risks within 0–1, by this horizon.
    threshold
        Risk at or above which one would act, within 0–1, ends excluded.
    timeline
        The same outcomes arranged already.
    with_influence
        Whether to keep the influence of each subject, for contrasts.
    level
        Confidence level within 0–1.
    cluster
        (n,) codes of rows that belong together.
    """
    line = Timeline.of(duration_years, event) if timeline is None else timeline
    flagged = checked_risk(risk, line.size) >= threshold
    return net_benefit_of_rule(
        duration_years,
        event,
        flagged,
        horizon_years,
        threshold=threshold,
        timeline=line,
        with_influence=with_influence,
        level=level,
        cluster=cluster,
    )


def net_benefit_of_rule(
    duration_years: FloatArray,
    event: IntArray,
    flagged: BoolArray,
    horizon_years: float,
    *,
    threshold: float,
    timeline: Timeline | None = None,
    with_influence: bool = False,
    observed: Estimate | None = None,
    level: float = 0.95,
    cluster: IntArray | None = None,
) -> Estimate:
    """Net benefit of acting on a given group, such as a published score's high-risk group.

    Parameters
    ----------
    duration_years, event
        (n,) years to the event or the end of follow-up; 0 censored, 1 progression, 2 death first.
    flagged
        (n,) whether one would act; all true is treat-all, none is treat-none.
    horizon_years
        The horizon.
    threshold
        Risk that sets the price of acting on who does not progress, within 0–1, ends excluded.
    timeline
        The same outcomes arranged already.
    with_influence
        Whether to keep the influence of each subject, for contrasts.
    observed
        Observed risk at this horizon of those flagged, to share it between thresholds.
    level
        Confidence level within 0–1.
    cluster
        (n,) codes of rows that belong together.

    Returns
    -------
    F P - (P - F P) threshold / (1 - threshold), with P the share flagged and F the observed risk
    (Aalen–Johansen) among them. The standard error takes P and F as independent, which they are
    to first order; with clusters it is that of their sums of influences.
    """
    if not 0 < threshold < 1:
        raise ValueRangeError("threshold", "expected a risk between 0 and 1, ends excluded")
    line = Timeline.of(duration_years, event) if timeline is None else timeline
    chosen = np.asarray(flagged, dtype=np.bool_)
    share = float(chosen.mean())
    odds = threshold / (1 - threshold)
    if share == 0:
        none = np.zeros(line.size) if with_influence else None
        return Estimate(0.0, 0.0, 0.0, 0.0, influence=none)
    part = line if share == 1 else line.part(chosen)
    own = np.empty(0)
    by_influence = with_influence or cluster is not None
    if by_influence:
        observed, own = observed_risk_and_pseudo_values(part, horizon_years, level=level)
    elif observed is None:
        observed = observed_risk(part, horizon_years, level=level)
    if observed.value is None:
        return Estimate.none(f"among those flagged, {observed.reason}")
    gain = observed.value * (1 + odds) - odds
    error = observed.standard_error or 0.0
    variance = (share * (1 + odds) * error) ** 2 + gain**2 * share * (1 - share) / line.size
    estimate = Estimate.on_scale(
        share * gain, float(np.sqrt(variance)), forward=float, backward=float, slope=1, level=level
    )
    if not by_influence:
        return estimate
    own -= own.mean()
    own *= 1 + odds
    own += gain * (1 - share)
    influence = np.full(line.size, -gain * share)
    influence[chosen] = own
    if cluster is not None:
        estimate = Estimate.from_influence(share * gain, influence, level=level, cluster=cluster)
    return replace(estimate, influence=influence if with_influence else None)


def treat_all(
    duration_years: FloatArray,
    event: IntArray,
    horizon_years: float,
    *,
    threshold: float,
    timeline: Timeline | None = None,
    level: float = 0.95,
) -> Estimate:
    """Net benefit of acting on everyone.

    Parameters
    ----------
    duration_years, event
        (n,) years to the event or the end of follow-up; 0 censored, 1 progression, 2 death first.
    horizon_years
        The horizon.
    threshold
        Risk that sets the price, within 0–1, ends excluded.
    timeline
        The same outcomes arranged already.
    level
        Confidence level within 0–1.
    """
    line = Timeline.of(duration_years, event) if timeline is None else timeline
    return net_benefit_of_rule(
        duration_years,
        event,
        np.ones(line.size, dtype=np.bool_),
        horizon_years,
        threshold=threshold,
        timeline=line,
        level=level,
    )


def decision_curve(
    duration_years: FloatArray,
    event: IntArray,
    risk: FloatArray,
    horizon_years: float,
    *,
    thresholds: tuple[float, ...],
    timeline: Timeline | None = None,
) -> DecisionCurve:
    """Net benefit over a range of thresholds, of the model and of treating all.

    Parameters
    ----------
    duration_years, event
        (n,) years to the event or the end of follow-up; 0 censored, 1 progression, 2 death first.
    risk, horizon_years
        (n,) predicted risks within 0–1, by this horizon.
    thresholds
        Risks at which one would act, within 0–1, ends excluded.
    timeline
        The same outcomes arranged already.
    """
    line = Timeline.of(duration_years, event) if timeline is None else timeline
    model = tuple(
        net_benefit(duration_years, event, risk, horizon_years, threshold=p, timeline=line)
        for p in thresholds
    )
    observed = observed_risk(line, horizon_years)
    everyone = tuple(
        observed
        if observed.value is None
        else Estimate(observed.value - (1 - observed.value) * p / (1 - p))
        for p in thresholds
    )
    return DecisionCurve(tuple(thresholds), model, everyone)


def standardised(benefit: Estimate, observed: Estimate) -> Estimate:
    """Net benefit as a share of the most there is to gain, which is the observed risk.

    Parameters
    ----------
    benefit
        Of a model or a rule.
    observed
        Risk of progression of everybody at the same horizon. Its uncertainty is not carried over.
    """
    if benefit.value is None or not observed.value:
        return Estimate.none(benefit.reason or observed.reason or "no progression is observed")
    return Estimate(benefit.value / observed.value)
