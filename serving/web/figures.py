"""Calibration and decision curves as SVG, in drawing units, with the tables that say the same."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from serving.web.bundle import Curves, Measured
from serving.web.numbers import localised, percent, span, within_label
from serving.web.texts import Texts

__all__ = ["Axes", "Figures", "figures"]

WIDTH, HEIGHT = 340, 260
LEFT, RIGHT, TOP, BOTTOM = 48, 20, 10, 40
STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5)
MOST_TICKS = 6


@dataclass(frozen=True, slots=True)
class Axes:
    """One drawing: its ticks, what is drawn, and where the drawing area lies.

    Parameters
    ----------
    line, band, other, dots
        Path of the curve, its 95 % band, what it is compared with, and groups of subjects.
    """

    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]
    line: str
    band: str
    other: str
    dots: tuple[tuple[float, float, float, float], ...] = ()
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    bottom: int = HEIGHT - BOTTOM


@dataclass(frozen=True, slots=True)
class Figures:
    """Both curves of one horizon, and the groups behind the first."""

    within: str
    calibration: Axes
    decision: Axes
    groups: tuple[tuple[str, str, str, str], ...]


class _Scale:
    """From values to drawing units."""

    def __init__(self, x_most: float, y_least: float, y_most: float) -> None:
        self.x_most, self.y_least, self.y_most = x_most, y_least, y_most

    def x(self, value: float) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * value / self.x_most, 1)

    def y(self, value: float) -> float:
        inside = min(max(value, self.y_least), self.y_most)
        share = (inside - self.y_least) / (self.y_most - self.y_least)
        return round(HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * share, 1)

    def path(self, xs: Sequence[float | None], ys: Sequence[float | None]) -> str:
        """Line through the points that are there."""
        known = [(x, y) for x, y in zip(xs, ys, strict=False) if x is not None and y is not None]
        return "M" + "L".join(f"{self.x(x)} {self.y(y)}" for x, y in known) if known else ""

    def band(
        self,
        xs: Sequence[float | None],
        lower: Sequence[float | None],
        upper: Sequence[float | None],
    ) -> str:
        """Area between two lines."""
        there, back = self.path(xs, upper), self.path(xs[::-1], lower[::-1])
        return f"{there}{back.replace('M', 'L', 1)}Z" if there and back else ""


def figures(curves: Curves, t: Texts) -> Figures:
    """Calibration and decision curve of one model at one horizon."""
    return Figures(
        within=within_label(curves.horizon_years, t),
        calibration=_calibration(curves, t),
        decision=_decision(curves, t),
        groups=tuple(
            (
                str(group.subjects),
                str(group.events),
                percent(group.predicted, t),
                _observed(group.observed, t),
            )
            for group in curves.groups
        ),
    )


def _observed(found: Measured, t: Texts) -> str:
    if found.lower is None or found.upper is None:
        return percent(found.value, t)
    return f"{percent(found.value, t)} ({span(found.lower, found.upper, t)})"


def _calibration(curves: Curves, t: Texts) -> Axes:
    """Observed against predicted risk; the diagonal is what a calibrated model gives."""
    of = curves.calibration
    groups = [g for g in curves.groups if g.predicted is not None and g.observed.value is not None]
    ends = [end for g in groups for end in (g.predicted, g.observed.upper)]
    most = _nice(_greatest([*of.predicted, *of.observed, *ends], 0.1))
    scale = _Scale(most, 0.0, most)
    dots = tuple(
        (
            scale.x(g.predicted or 0.0),
            scale.y(g.observed.value or 0.0),
            scale.y(g.observed.lower or 0.0),
            scale.y(most if g.observed.upper is None else g.observed.upper),
        )
        for g in groups
    )
    return Axes(
        x_ticks=tuple((scale.x(v), _share(v, t)) for v in _ticks(0.0, most)),
        y_ticks=tuple((scale.y(v), _share(v, t)) for v in _ticks(0.0, most)),
        line=scale.path(of.predicted, of.observed),
        band=scale.band(of.predicted, of.lower, of.upper),
        other=scale.path((0.0, most), (0.0, most)),
        dots=dots,
    )


def _decision(curves: Curves, t: Texts) -> Axes:
    """Net benefit by threshold, beside that of treating everybody; treating nobody is zero."""
    of = curves.decision
    model = [each.value for each in of.model]
    everybody = [each.value for each in of.treat_all]
    uppers = [each.upper for each in of.model]
    most = _nice(_greatest([*model, *uppers], 0.01))
    scale = _Scale(_greatest(of.thresholds, 0.1), -most / 4, most)
    shown = [value if value is not None and value >= -most / 4 else None for value in everybody]
    return Axes(
        x_ticks=tuple((scale.x(v), _share(v, t)) for v in _ticks(0.0, scale.x_most)),
        y_ticks=tuple((scale.y(v), localised(f"{v:.2f}", t)) for v in _ticks(-most / 4, most)),
        line=scale.path(of.thresholds, model),
        band=scale.band(of.thresholds, [each.lower for each in of.model], uppers),
        other=scale.path(of.thresholds, shown),
    )


def _share(value: float, t: Texts) -> str:
    return localised(f"{100 * value:g} %", t)


def _greatest(values: Iterable[float | None], least: float) -> float:
    return max([least, *(value for value in values if value is not None)])


def _step(most: float) -> float:
    return next((step for step in STEPS if most / step <= MOST_TICKS), STEPS[-1])


def _nice(most: float) -> float:
    """The next full step above."""
    step = _step(most)
    return round(step * math.ceil(most / step - 1e-9), 6)


def _ticks(least: float, most: float) -> list[float]:
    step = _step(most)
    first = math.ceil(least / step - 1e-9)
    return [round(step * i, 6) for i in range(first, math.floor(most / step + 1e-9) + 1)]
