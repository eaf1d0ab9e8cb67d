"""Scales on which calibration is a straight line: the logit and the complementary log-log."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from training.metrics.estimate import FloatArray

LinkName = Literal["cloglog", "logit"]


# exp of more than this overflows; the risk is 1 to the last digit long before.
_LARGEST = 700.0


@dataclass(frozen=True, slots=True)
class Link:
    """A link function for risks.

    Parameters
    ----------
    forward
        Risk within 0–1, ends excluded, to the scale.
    backward
        Back to the risk, and the derivative of the risk there.
    tilt
        That derivative over the variance of the outcome, from the two: how much a residual says
        about a place on the scale.
    """

    forward: Callable[[FloatArray], FloatArray]
    backward: Callable[[FloatArray], tuple[FloatArray, FloatArray]]
    tilt: Callable[[FloatArray, FloatArray], FloatArray]


def _cloglog(risk: FloatArray) -> FloatArray:
    return np.asarray(np.log(-np.log1p(-risk)))


def _from_cloglog(eta: FloatArray) -> tuple[FloatArray, FloatArray]:
    hazard = np.exp(np.minimum(eta, _LARGEST))
    falling = np.expm1(-hazard)
    return -falling, hazard * (1 + falling)


def _cloglog_tilt(risk: FloatArray, gradient: FloatArray) -> FloatArray:
    inside = np.clip(risk, 1e-300, 1 - 1e-16)
    return np.asarray(gradient / (inside * (1 - inside)))


def _logit(risk: FloatArray) -> FloatArray:
    return np.asarray(np.log(risk) - np.log1p(-risk))


def _from_logit(eta: FloatArray) -> tuple[FloatArray, FloatArray]:
    risk = 1 / (1 + np.exp(-np.maximum(eta, -_LARGEST)))
    return risk, risk * (1 - risk)


LINKS: dict[LinkName, Link] = {
    "cloglog": Link(_cloglog, _from_cloglog, _cloglog_tilt),
    # The canonical link: the derivative is the variance.
    "logit": Link(_logit, _from_logit, lambda risk, _: np.ones_like(risk)),
}
