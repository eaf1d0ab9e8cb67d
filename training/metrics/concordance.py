"""Concordance truncated at the horizon: higher risks for those who progress earlier."""

import numpy as np

from training.metrics.censoring import (
    FLOOR,
    CensoringDistribution,
    IpcwWeights,
    ipcw_weights,
    unknowable,
)
from training.metrics.discrimination import Ranking
from training.metrics.estimate import Estimate, FloatArray, IntArray
from training.metrics.timeline import CENSORED, DEATH, PROGRESSION, checked_risk


def concordance(
    duration_years: FloatArray,
    event: IntArray,
    risk: FloatArray,
    horizon_years: float,
    *,
    floor: float = FLOOR,
    weights: IpcwWeights | None = None,
    censoring: CensoringDistribution | None = None,
    ranking: Ranking | None = None,
) -> Estimate:
    """Chance that the earlier of two progressions, or the only one, had the higher risk.

    Parameters
    ----------
    duration_years, event
        (n,) years to the event or the end of follow-up; 0 censored, 1 progression, 2 death first.
    risk
        (n,) predicted risks within 0–1; ties count one half.
    horizon_years
        Pairs count when the earlier progression is by this horizon.
    floor
        Smallest chance of being uncensored.
    weights
        Weights of this sample at this horizon, made with the same floor; they carry the sample.
    censoring
        G fitted on another sample; from this sample when None.
    ranking
        `risk` ranked already.

    Returns
    -------
    Wolbers' C (2014, doi:10.1093/biostatistics/kxt059), which is Uno's C (2011,
    doi:10.1002/sim.4154) without death. A subject who progresses at T_i is compared with those
    followed longer, weight 1/G(T_i-)², and with those who died before T_i (who can never
    progress), weight 1/(G(T_i-) G(T_j-)). Of subjects with the same duration, those censored
    then count as followed longer. It ranks times to progression and is no proper measure of a
    t-year risk: prefer the AUC (Blanche 2019, doi:10.1093/biostatistics/kxy006).
    """
    w = weights or ipcw_weights(duration_years, event, horizon_years, floor=floor)
    reason = unknowable(w)
    if reason is not None:
        return Estimate.none(reason)
    line = w.timeline
    rank = ranking or Ranking.of(checked_risk(risk, line.size))
    if rank.levels == 1:
        return Estimate.none("all predicted risks are equal")
    chance = CensoringDistribution.along(line) if censoring is None else censoring
    before = np.maximum(chance.before(line.times), floor)[line.step]
    near = line.step < line.steps_until(w.horizon_years)
    # Who is followed beyond the horizon is followed longer than every case: no order needed.
    far = (~near).astype(np.float64)
    order = np.flatnonzero(near)
    # Within one duration the progressions come first, then deaths, then censorings.
    kind = np.where(line.event[order] == CENSORED, 3, line.event[order])
    order = order[np.lexsort((kind, line.step[order]))]
    cases = order[line.event[order] == PROGRESSION]
    dead = order[line.event[order] == DEATH]
    at = rank.level[cases]
    longer = _longer(line.step[order], line.event[order])[line.event[order] == PROGRESSION]
    later = _sums_by_rank(rank.level[order], np.ones(order.size), longer, at, tail=True)
    until = np.searchsorted(line.step[dead], line.step[cases], side="right")
    fallen = _sums_by_rank(rank.level[dead], 1 / before[dead], until, at, tail=False)
    early = 1 / before[cases]
    ahead = rank.sums_below(far)[cases] + later[0]
    comparable = float(early**2 @ (far.sum() + later[1]) + early @ fallen[1])
    if comparable <= 0:
        return Estimate.none(f"no two subjects can be compared by {horizon_years:g} years")
    return Estimate(float(early**2 @ ahead + early @ fallen[0]) / comparable)


def _longer(step: IntArray, event: IntArray) -> IntArray:
    # First position of those followed longer: past the events of the same duration.
    size = step.size
    first_censored = np.searchsorted(step * 2 + (event == 0), step * 2 + 1, side="left")
    return np.minimum(first_censored, size).astype(np.int64)


def _sums_by_rank(
    level: IntArray, weight: FloatArray, cut: IntArray, at: IntArray, *, tail: bool
) -> tuple[FloatArray, FloatArray]:
    """Weight of positions before (or from) each cut with a lower level, ties half; and in all.

    A wavelet matrix: one stable partition per bit of the level, so that the sums of all queries
    cost O(n log n) together.
    """
    if level.size == 0:
        return np.zeros(cut.size), np.zeros(cut.size)
    total = np.concatenate(([0.0], np.cumsum(weight)))
    inside = total[-1] - total[cut] if tail else total[cut]
    start = cut.copy() if tail else np.zeros_like(cut)
    stop = np.full_like(cut, level.size) if tail else cut.copy()
    lower = np.zeros(cut.size)
    highest = max(int(level.max()), int(at.max()))
    for bit in range(highest.bit_length() - 1, -1, -1):
        high = (level >> bit) & 1 == 1
        zeros = np.concatenate(([0], np.cumsum(~high)))
        sums = np.concatenate(([0.0], np.cumsum(np.where(high, 0.0, weight))))
        asks_high = (at >> bit) & 1 == 1
        lower += np.where(asks_high, sums[stop] - sums[start], 0.0)
        low_start, low_stop = zeros[start], zeros[stop]
        ones_before = int(zeros[-1])
        start = np.where(asks_high, ones_before + start - low_start, low_start)
        stop = np.where(asks_high, ones_before + stop - low_stop, low_stop)
        arranged = np.concatenate((np.flatnonzero(~high), np.flatnonzero(high)))
        level, weight = level[arranged], weight[arranged]
    last = np.concatenate(([0.0], np.cumsum(weight)))
    return lower + (last[stop] - last[start]) / 2, inside
