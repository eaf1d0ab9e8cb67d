"""Risk by year, drawn as SVG: marks at the published horizons, bars for interval or range."""

from collections.abc import Sequence
from dataclasses import dataclass

from serving.values import Json

__all__ = ["Curve", "Mark", "draw"]

WIDTH, HEIGHT = 560, 340
LEFT, RIGHT, TOP, BOTTOM = 46, 132, 14, 46
LABEL_GAP = 17
BAR_OFFSET = 5.0
"""Bars of models at one horizon stand side by side, this many units apart."""
PALETTE_SIZE = 6


@dataclass(frozen=True, slots=True)
class Mark:
    """One model at one horizon, in drawing units; a height is None where no value is given."""

    x: float
    risk: float | None
    lower: float | None
    upper: float | None


@dataclass(frozen=True, slots=True)
class Line:
    """One model: its marks, the points its line joins, and where its name stands."""

    name: str
    colour: int
    marks: tuple[Mark, ...]
    points: str
    label_x: float
    label_y: float


@dataclass(frozen=True, slots=True)
class Curve:
    """Everything the template draws."""

    width: int
    height: int
    left: int
    right: float
    top: int
    bottom: float
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]
    lines: tuple[Line, ...]


def draw(estimates: Sequence[Json]) -> Curve | None:
    """Curve of the models that answered, in the colours of the table; None without any."""
    answered = [(i, entry) for i, entry in enumerate(estimates) if entry["risks"]]
    if not answered:
        return None
    longest: float = max(row["horizon_years"] for _, entry in answered for row in entry["risks"])
    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT

    def x(years: float) -> float:
        return round(LEFT + (right - LEFT) * years / longest, 1)

    def y(risk: float | None) -> float | None:
        return None if risk is None else round(bottom - (bottom - TOP) * risk, 1)

    lines = []
    for place, (i, entry) in enumerate(answered):
        shift = BAR_OFFSET * (place - (len(answered) - 1) / 2)
        marks = tuple(
            Mark(
                x(row["horizon_years"]) + shift,
                y(row["risk"]),
                y(row["lower"]),
                y(row["upper"]),
            )
            for row in entry["risks"]
        )
        lines.append(_line(entry["model"], i % PALETTE_SIZE, marks, (x(0.0), bottom)))
    return Curve(
        width=WIDTH,
        height=HEIGHT,
        left=LEFT,
        right=right,
        top=TOP,
        bottom=bottom,
        x_ticks=tuple((x(year), f"{year:g}") for year in _years(longest)),
        y_ticks=tuple((y(share / 100) or 0.0, f"{share} %") for share in range(0, 101, 20)),
        lines=_spread(lines),
    )


def _years(longest: float) -> list[float]:
    step = 1 if longest <= 6 else 2 if longest <= 12 else 5
    return [float(year) for year in range(0, int(longest) + 1, step)]


def _line(name: str, colour: int, marks: tuple[Mark, ...], origin: tuple[float, float]) -> Line:
    known = [(mark.x, mark.risk) for mark in marks if mark.risk is not None]
    points = " ".join(f"{px},{py}" for px, py in [origin, *known]) if known else ""
    last = marks[-1]
    ends = [end for end in (last.lower, last.upper) if end is not None]
    height = last.risk if last.risk is not None else sum(ends) / len(ends) if ends else origin[1]
    return Line(name, colour, marks, points, last.x + 10, height + 4)


def _spread(lines: Sequence[Line]) -> tuple[Line, ...]:
    """Lines whose names do not overlap: each stands a gap below the one above it."""
    lowest = HEIGHT - BOTTOM
    placed: dict[str, float] = {}
    floor = float(TOP)
    for line in sorted(lines, key=lambda each: each.label_y):
        floor = placed[line.name] = max(line.label_y, floor + LABEL_GAP)
    excess = max(0.0, max(placed.values()) - lowest)
    return tuple(
        Line(
            line.name,
            line.colour,
            line.marks,
            line.points,
            line.label_x,
            round(placed[line.name] - excess, 1),
        )
        for line in lines
    )
