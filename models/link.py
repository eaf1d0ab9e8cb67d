"""From log odds to risks: the link, and the recalibration between the two."""

import numpy as np

from features.history import Floats

__all__ = ["FLOOR", "expit", "logit", "recalibrated", "risks_of"]

FLOOR = 1e-6
"""Risks are kept this far from 0 and 1: no cohort of this size can support a certainty."""


def logit(risk: Floats) -> Floats:
    """Log odds of a risk, bounded by `FLOOR`."""
    kept = _within_floor(risk)
    return np.log(kept / (1.0 - kept))


def expit(margin: Floats) -> Floats:
    """Risk of a log odds, bounded by `FLOOR`."""
    return _within_floor(1.0 / (1.0 + np.exp(-margin)))


def _within_floor(risk: Floats) -> Floats:
    # For one landmark, two comparisons cost a fifth of numpy.clip.
    return np.asarray(np.minimum(np.maximum(risk, FLOOR), 1.0 - FLOOR))


def recalibrated(parameters: Floats, margin: Floats) -> Floats:
    """Log odds after beta recalibration (Kull M, Electron J Stat 2017;11:5052), or isotonic.

    Parameters
    ----------
    parameters : (..., 3) or (..., 3 + 2 m) array
        c, a, b: the log odds become c + a log(p) - b log(1 - p), doi:10.1214/17-EJS1338SI. With
        a = b that is intercept and slope; 0, 1, 1 changes nothing. After these, the m corners of a
        rising line that bends what comes out: where they are, then how high; beyond the first and
        the last it goes on at a slope of 1.
    margin : array
        Log odds of p.

    Examples
    --------
    >>> recalibrated(np.array([0.5, 2.0, 2.0]), np.array([-1.0, 0.0]))
    array([-1.5,  0.5])
    >>> recalibrated(np.array([0.0, 1.0, 1.0, -1.0, 1.0, -1.5, 0.5]), np.array([-2.0, 0.0, 1.0]))
    array([-2.5, -0.5,  0.5])
    """
    shift, rising, falling = parameters[..., 0], parameters[..., 1], parameters[..., 2]
    # log(1 - p) of log odds m is -log(1 + exp(m)); log(p) is m more.
    other = np.logaddexp(0.0, margin)
    bent = np.asarray(shift + rising * margin + (falling - rising) * other)
    corners = parameters[..., 3:]
    if not corners.size:
        return bent
    if corners.ndim == 1:
        return _along(corners, bent)
    return np.stack([_along(c, m) for c, m in zip(corners, bent.T, strict=True)], axis=1)


def _along(corners: Floats, margin: Floats) -> Floats:
    """(k,) heights of a rising line with m corners, at (k,) places."""
    place, height = corners.reshape(2, -1)
    inside = np.clip(margin, place[0], place[-1])
    return np.asarray(np.interp(inside, place, height) + (margin - inside))


def risks_of(parameters: Floats, margin: Floats) -> Floats:
    """(k, h) risks from a learner's log odds, non-decreasing in the horizon.

    Parameters
    ----------
    parameters : (h, 3) or (h, 3 + 2 m) array
        Recalibration of every horizon.
    margin : (k, h) array
    """
    return np.asarray(np.maximum.accumulate(expit(recalibrated(parameters, margin)), axis=1))
