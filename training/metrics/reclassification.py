"""Whom two rules would treat differently, and what happened to them."""

from dataclasses import dataclass

import numpy as np

from features.errors import ValueRangeError
from training.metrics.aalen_johansen import observed_risk
from training.metrics.clusters import codes_of
from training.metrics.estimate import BoolArray, Estimate, FloatArray, IntArray
from training.metrics.timeline import CENSORED, DEATH, PROGRESSION, Timeline, checked_outcomes


@dataclass(frozen=True, slots=True)
class ReclassificationCell:
    """Subjects on whom two rules agree, or differ in one direction.

    Parameters
    ----------
    reference_flags, model_flags
        Whether each rule would act on them.
    subjects, events, competing, censored
        Number of subjects, and of progressions, deaths first and censorings by the horizon.
    observed
        Their observed risk (Aalen–Johansen), with interval, or why it is not estimable.
    """

    reference_flags: bool
    model_flags: bool
    subjects: int
    events: int
    competing: int
    censored: int
    observed: Estimate


def reclassification(
    duration_years: FloatArray,
    event: IntArray,
    reference_flags: BoolArray,
    model_flags: BoolArray,
    horizon_years: float,
    *,
    level: float = 0.95,
    cluster: IntArray | None = None,
) -> list[ReclassificationCell]:
    """Two-by-two table of two rules with the observed risk in each cell.

    Parameters
    ----------
    duration_years, event
        (n,) years to the event or the end of follow-up; 0 censored, 1 progression, 2 death first.
    reference_flags, model_flags
        (n,) whether each rule would act on the subject.
    horizon_years
        The horizon.
    level
        Confidence level within 0–1.
    cluster
        (n,) codes 0 … k-1 of rows that belong together.

    Notes
    -----
    No net reclassification index is made of it: that rewards miscalibrated models (Hilden & Gerds
    2014, doi:10.1002/sim.5804).
    """
    duration, codes = checked_outcomes(duration_years, event)
    reference = np.asarray(reference_flags, dtype=np.bool_)
    model = np.asarray(model_flags, dtype=np.bool_)
    if reference.shape != duration.shape or model.shape != duration.shape:
        raise ValueRangeError("flags", f"expected {duration.size} flags, one per subject")
    return [
        _cell(duration, codes, (reference == r) & (model == m), r, m, horizon_years, level, cluster)
        for r in (False, True)
        for m in (False, True)
    ]


def _cell(
    duration: FloatArray,
    event: IntArray,
    chosen: BoolArray,
    reference_flags: bool,
    model_flags: bool,
    horizon_years: float,
    level: float,
    cluster: IntArray | None,
) -> ReclassificationCell:
    codes = event[chosen & (duration <= horizon_years)]
    observed = Estimate.none("no subject")
    if chosen.any():
        part = Timeline.of(duration[chosen], event[chosen])
        own = codes_of(cluster, chosen)
        observed = observed_risk(part, horizon_years, level=level, cluster=own)
    return ReclassificationCell(
        reference_flags,
        model_flags,
        int(chosen.sum()),
        int((codes == PROGRESSION).sum()),
        int((codes == DEATH).sum()),
        int((codes == CENSORED).sum()),
        observed,
    )
