"""The yield curve: how many to enrol for how many events, as SVG and as a table."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from features.history import Floats
from models.screening import Yield
from serving.web.numbers import localised
from serving.web.texts import Texts

__all__ = ["YieldFigure", "YieldRow", "count", "figure", "per_100"]

WIDTH, HEIGHT = 480, 260
LEFT, RIGHT, TOP, BOTTOM = 52, 96, 14, 40
MOST_POINTS = 120
STEPS = (1, 2, 5)
MOST_ROWS = 8
FEWEST_SUBJECTS = 2


@dataclass(frozen=True, slots=True)
class YieldRow:
    """Subjects to enrol, from the top of the list, for so many events."""

    events: int
    subjects: int
    share: float
    unranked: int


@dataclass(frozen=True, slots=True)
class YieldFigure:
    """Everything the template draws and tells."""

    subjects: int
    events: float
    lower: float
    upper: float
    without_risk: int
    rows: tuple[YieldRow, ...]
    ranked: str
    band: str
    unranked: str
    ranked_end: float
    unranked_middle: tuple[float, float]
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    bottom: int = HEIGHT - BOTTOM


def figure(found: Yield) -> YieldFigure | None:
    """Figure and table of a yield; None for fewer than two subjects with a risk."""
    subjects = found.events.size
    if subjects < FEWEST_SUBJECTS:
        return None
    most = float(found.upper.max())
    at = np.unique(np.linspace(1, subjects, min(subjects, MOST_POINTS)).round().astype(np.int64))

    def path(values: Floats) -> list[str]:
        return [f"{_x(n, subjects)},{_y(values[n - 1], most)}" for n in at.tolist()]

    start = f"{LEFT},{HEIGHT - BOTTOM}"
    middle = max(1, subjects // 2)
    return YieldFigure(
        subjects=subjects,
        events=float(found.events[-1]),
        lower=float(found.lower[-1]),
        upper=float(found.upper[-1]),
        without_risk=found.without_risk,
        rows=tuple(_rows(found)),
        ranked=" ".join([start, *path(found.events)]),
        band=" ".join([start, *path(found.upper), *reversed(path(found.lower))]),
        unranked=f"{start} {_x(subjects, subjects)},{_y(found.unranked[-1], most)}",
        ranked_end=_y(float(found.events[-1]), most),
        unranked_middle=(
            _x(middle, subjects),
            _y(float(found.unranked[middle - 1]), most),
        ),
        x_ticks=tuple((_x(n, subjects), f"{n:g}") for n in _ticks(subjects)),
        y_ticks=tuple((_y(n, most), f"{n:g}") for n in _ticks(most)),
    )


def count(value: float, t: Texts) -> str:
    """A number of events: one decimal below ten."""
    return localised(f"{value:.1f}" if value < 10 else f"{value:.0f}", t)


def per_100(found: Yield, t: Texts) -> Mapping[str, str] | None:
    """Events expected among 100 such subjects; None without any."""
    if not found.events.size:
        return None
    ends = {"events": found.events, "lower": found.lower, "upper": found.upper}
    return {name: count(100 * sums[-1] / sums.size, t) for name, sums in ends.items()}


def _x(n: float, most: float) -> float:
    return round(LEFT + (WIDTH - RIGHT - LEFT) * n / most, 1)


def _y(events: float, most: float) -> float:
    return round(HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * float(events) / most, 1)


def _ticks(most: float) -> list[float]:
    """About five round numbers from 0.

    Examples
    --------
    >>> _ticks(9431)
    [0.0, 2000.0, 4000.0, 6000.0, 8000.0]
    """
    magnitude = 10.0 ** math.floor(math.log10(most))
    step = next(
        size
        for size in (magnitude / 5, magnitude / 2, magnitude, 2 * magnitude)
        if most / size <= 5
    )
    return [round(i * step, 10) for i in range(int(most / step) + 1)]


def _rows(found: Yield) -> list[YieldRow]:
    """1, 2, 5, 10, … events, the last eight that are reached."""
    told = []
    for step in (size * 10**power for power in range(6) for size in STEPS):
        subjects = found.needed(step)
        if subjects is None:
            break
        unranked = int(np.searchsorted(found.unranked, step - 1e-9)) + 1
        told.append(YieldRow(step, subjects, subjects / found.events.size, unranked))
    return told[-MOST_ROWS:]
