"""Risk by year, drawn as SVG: marks at the known horizons, bars for interval or range.

Lines join the marks of a model only where it gives three or more; two rates of a published table
say nothing about the years between them. Names stand in the margin, in the order of the risks.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from markupsafe import Markup

from serving.values import Json
from serving.web.texts import Texts

__all__ = ["COLOURS", "Axes", "Curve", "Line", "Look", "Mark", "draw", "looks"]

WIDTH, HEIGHT = 480, 330
LEFT, RIGHT, TOP, BOTTOM = 46, 152, 12, 44
LABEL_GAP = 16.0
LEADER = 14
BAR_OFFSET = 2.6
"""Marks of models at one horizon stand side by side, this many units apart."""
CAP = 4
"""Half the width of the ends of a bar."""
FEWEST_JOINED = 3
COLOURS = 8
"""Of the palette in the style sheet; a ninth model has the first colour with the second shape."""
SHAPES: tuple[Callable[[float, float], str], ...] = (
    lambda x, y: f'<circle cx="{x}" cy="{y}" r="4.6"/>',
    lambda x, y: f'<rect x="{x - 4.2}" y="{y - 4.2}" width="8.4" height="8.4"/>',
    lambda x, y: f'<path d="M{x} {y - 5.8}l5.6 9.6h-11.2z"/>',
    lambda x, y: f'<path d="M{x} {y - 6}l6 6l-6 6l-6 -6z"/>',
)


@dataclass(frozen=True, slots=True)
class Mark:
    """One model at one horizon, in drawing units; a height is None where no value is given."""

    x: float
    risk: float | None
    lower: float | None
    upper: float | None

    @property
    def middle(self) -> float | None:
        """Height to point at: the risk, else the middle of its range."""
        if self.risk is not None:
            return self.risk
        ends = [end for end in (self.lower, self.upper) if end is not None]
        return sum(ends) / len(ends) if ends else None

    @property
    def bar(self) -> str:
        """Path of the interval or range; empty without one."""
        if self.lower is None or self.upper is None:
            return ""
        left = self.x - CAP
        ends = "".join([f"M{left} {end}h{2 * CAP:g}" for end in (self.lower, self.upper)])
        return f"M{self.x} {self.lower}V{self.upper}{ends}"


@dataclass(frozen=True, slots=True)
class Look:
    """Colour and shape of one model's marks, the same in table and curve."""

    colour: int
    shape: int

    def mark(self, x: float, y: float) -> Markup:
        """The shape around a point, in drawing units."""
        return Markup(SHAPES[self.shape](x, y))  # noqa: S704  # made of numbers


@dataclass(frozen=True, slots=True)
class Axes:
    """The frame of a curve.

    Parameters
    ----------
    drawing
        Its lines and numbers.
    """

    drawing: Markup
    width: int = WIDTH
    height: int = HEIGHT
    middle: float = (LEFT + WIDTH - RIGHT) / 2
    bottom: int = HEIGHT - BOTTOM
    names: int = WIDTH - RIGHT + LEADER


@dataclass(frozen=True, slots=True)
class Line:
    """One model: its marks, the points its line joins, and where its name stands."""

    name: str
    look: Look
    marks: tuple[Mark, ...]
    points: str
    label_y: float

    @property
    def drawing(self) -> Markup:
        """Leader to the name, line, bars and marks."""
        last, name_x = self.marks[-1], WIDTH - RIGHT + LEADER - 4
        pieces = [f'<path class="leader" d="M{last.x} {last.middle}L{name_x} {self.label_y}"/>']
        if self.points:
            pieces.append(f'<polyline points="{self.points}"/>')
        if bars := "".join([mark.bar for mark in self.marks]):
            pieces.append(f'<path class="bar" d="{bars}"/>')
        shape = SHAPES[self.look.shape]
        pieces += [shape(mark.x, mark.risk) for mark in self.marks if mark.risk is not None]
        return Markup("".join(pieces))  # noqa: S704  # made of numbers


@dataclass(frozen=True, slots=True)
class Curve:
    """Everything the template draws."""

    axes: Axes
    lines: tuple[Line, ...]


def looks(estimates: Sequence[Json]) -> Mapping[str, Look]:
    """Look of every model that answered; those that are drawn have the first colours."""
    told = [entry for entry in estimates if entry["status"] != "refused"]
    told.sort(key=lambda entry: not any(_drawable(row) for row in entry["risks"]))
    answered = [entry["model"] for entry in told]
    return {
        name: Look(i % COLOURS, (i + i // COLOURS) % len(SHAPES)) for i, name in enumerate(answered)
    }


def draw(estimates: Sequence[Json], look: Mapping[str, Look], t: Texts) -> Curve | None:
    """Curve of the models that gave a risk or a range; None without any."""
    shown = [entry for entry in estimates if any(_drawable(row) for row in entry["risks"])]
    if not shown:
        return None
    longest: float = max(row["horizon_years"] for entry in shown for row in entry["risks"])
    places = _places(shown)
    lines = []
    for entry in shown:
        marks = tuple(
            Mark(
                round(_x(row["horizon_years"], longest) + _aside(entry, row, places), 1),
                _y(row["risk"]),
                _y(row["lower"]),
                _y(row["upper"]),
            )
            for row in entry["risks"]
            if _drawable(row)
        )
        name = str(t["model"].get(entry["model"], entry["model"]))
        lines.append(Line(name, look[entry["model"]], marks, _points(marks), _end(marks)))
    return Curve(_axes(longest), _spread(lines))


@cache
def _axes(longest: float) -> Axes:
    """Axes up to a horizon; models share a few."""
    left, right, bottom = LEFT, WIDTH - RIGHT, HEIGHT - BOTTOM
    heights = {f"{share} %": _height(share / 100) for share in range(0, 101, 20)}
    pieces = [
        f'<line x1="{left}" x2="{right}" y1="{y}" y2="{y}"/>'
        f'<text x="{left - 6}" y="{y + 4}" text-anchor="end">{label}</text>'
        for label, y in heights.items()
    ]
    pieces += [
        f'<text x="{_x(year, longest)}" y="{bottom + 17}" text-anchor="middle">{year:g}</text>'
        for year in _years(longest)
    ]
    return Axes(Markup("".join(pieces)))  # noqa: S704  # made of numbers


def _drawable(row: Json) -> bool:
    return row["risk"] is not None or (row["lower"] is not None and row["upper"] is not None)


def _places(shown: Sequence[Json]) -> Mapping[float, list[str]]:
    """Models that are drawn at each horizon, in their order."""
    places: dict[float, list[str]] = {}
    for entry in shown:
        for row in entry["risks"]:
            if _drawable(row):
                places.setdefault(row["horizon_years"], []).append(entry["model"])
    return places


def _aside(entry: Json, row: Json, places: Mapping[float, list[str]]) -> float:
    """How far a mark stands from its horizon, to either side, so that bars can be told apart."""
    beside = places[row["horizon_years"]]
    return BAR_OFFSET * (beside.index(entry["model"]) - (len(beside) - 1) / 2)


def _x(years: float, longest: float) -> float:
    return round(LEFT + (WIDTH - RIGHT - LEFT - 14) * years / longest, 1)


def _height(risk: float) -> float:
    return round(HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * risk, 1)


def _y(risk: float | None) -> float | None:
    return None if risk is None else _height(risk)


def _years(longest: float) -> list[float]:
    step = 1 if longest <= 6 else 2 if longest <= 12 else 5
    return [float(year) for year in range(0, int(longest) + 1, step)]


def _points(marks: Sequence[Mark]) -> str:
    known = [(mark.x, mark.risk) for mark in marks if mark.risk is not None]
    if len(known) < FEWEST_JOINED:
        return ""
    return " ".join(f"{x},{y}" for x, y in [(float(LEFT), _height(0.0)), *known])


def _end(marks: Sequence[Mark]) -> float:
    return marks[-1].middle or 0.0


def _spread(lines: Sequence[Line]) -> tuple[Line, ...]:
    """Lines whose names do not overlap: each stands a gap below the one above it."""
    heights: dict[str, float] = {}
    floor = TOP - LABEL_GAP / 2
    for line in sorted(lines, key=lambda each: each.label_y):
        floor = heights[line.name] = max(line.label_y, floor + LABEL_GAP)
    # Names pushed below the axis move up again, the lowest first.
    ceiling = HEIGHT - BOTTOM + LABEL_GAP
    for name in sorted(heights, key=lambda each: -heights[each]):
        ceiling = heights[name] = min(heights[name], ceiling - LABEL_GAP)
    return tuple(
        Line(line.name, line.look, line.marks, line.points, round(heights[line.name], 1))
        for line in lines
    )
