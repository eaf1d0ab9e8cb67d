"""Scales on which calibration is a straight line: the logit and the complementary log-log."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from training.metrics.estimate import FloatArray

LinkName = Literal["cloglog", "logit"]


@dataclass(frozen=True, slots=True)
class Link:
    """A link function for risks.

    Parameters
    ----------
    forward
        Risk within 0–1, ends excluded, to the scale.
    backward
        Back to a risk.
    slope
        Derivative of `backward`, given the value on the scale and the risk.
    """

    forward: Callable[[FloatArray], FloatArray]
    backward: Callable[[FloatArray], FloatArray]
    slope: Callable[[FloatArray, FloatArray], FloatArray]


def _cloglog(risk: FloatArray) -> FloatArray:
    return np.asarray(np.log(-np.log1p(-risk)))


def _from_cloglog(eta: FloatArray) -> FloatArray:
    return np.asarray(-np.expm1(-np.exp(np.clip(eta, -700, 700))))


def _cloglog_slope(eta: FloatArray, risk: FloatArray) -> FloatArray:
    return np.asarray(np.exp(np.clip(eta, -700, 700)) * (1 - risk))


def _logit(risk: FloatArray) -> FloatArray:
    return np.asarray(np.log(risk) - np.log1p(-risk))


def _from_logit(eta: FloatArray) -> FloatArray:
    return np.asarray(1 / (1 + np.exp(-np.clip(eta, -700, 700))))


def _logit_slope(eta: FloatArray, risk: FloatArray) -> FloatArray:
    del eta
    return np.asarray(risk * (1 - risk))


LINKS: dict[LinkName, Link] = {
    "cloglog": Link(_cloglog, _from_cloglog, _cloglog_slope),
    "logit": Link(_logit, _from_logit, _logit_slope),
}
