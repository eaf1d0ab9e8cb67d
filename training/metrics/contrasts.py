"""Difference of two models on the same subjects, with interval and p-value."""

from dataclasses import dataclass

from training.metrics.estimate import Estimate, IntArray, two_sided_p


@dataclass(frozen=True, slots=True)
class Contrast:
    """Model minus reference.

    Parameters
    ----------
    delta
        The difference with its interval, or why it is not estimable.
    p
        Two-sided p-value of no difference; None when there is no standard error.
    """

    delta: Estimate
    p: float | None


def contrast(
    model: Estimate,
    reference: Estimate,
    *,
    level: float = 0.95,
    cluster: IntArray | None = None,
) -> Contrast:
    """Paired difference by the difference of influences.

    Parameters
    ----------
    model, reference
        Estimates on the same subjects in the same order, with their influences.
    level
        Confidence level within 0–1.
    cluster
        (n,) codes 0 … k-1 of rows that belong to one subject.
    """
    if model.value is None or reference.value is None:
        return Contrast(Estimate.none(model.reason or reference.reason or "not estimable"), None)
    value = model.value - reference.value
    if model.influence is None or reference.influence is None:
        return Contrast(Estimate(value), None)
    delta = Estimate.from_influence(
        value, model.influence - reference.influence, level=level, cluster=cluster
    )
    # Identical rules have no difference to test.
    if not delta.standard_error:
        return Contrast(delta, None)
    return Contrast(delta, two_sided_p(value / delta.standard_error))
