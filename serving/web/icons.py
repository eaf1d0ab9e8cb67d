"""A risk as a hundred people: so many of them progress by the horizon."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from serving.values import Json
from serving.web.curve import Look

__all__ = ["People", "Persons", "people"]

ROW, STEP = 20, 10
"""People in a row of the drawing, and how far they stand apart."""


def _dots(first: int, last: int) -> Markup:
    """Path on which people stand from one to before another, a dot where a dash of the line begins.

    Dashes begin anew in every row. A row is a little longer than to its last person, whom a
    browser's rounding could lose otherwise.
    """
    rows = []
    for row in range(first // ROW, -(-last // ROW)):
        left, right = max(first - ROW * row, 0), min(last - ROW * row, ROW)
        x, y = STEP * left + STEP / 2, STEP * row + STEP / 2
        rows.append(f"M{x:g} {y:g}h{STEP * (right - left - 1) + 0.1:g}")
    return Markup("".join(rows))  # noqa: S704  # made of numbers


FILLED = [_dots(0, progressing) for progressing in range(101)]
EMPTY = [_dots(progressing, 100) for progressing in range(101)]


@dataclass(frozen=True, slots=True)
class Persons:
    """One model's hundred people.

    Parameters
    ----------
    progressing
        Of the hundred, rounded.
    filled, empty
        Paths on which people stand, progressing ones first.
    """

    model: str
    look: Look
    progressing: int
    lower: int | None
    upper: int | None
    filled: Markup
    empty: Markup


@dataclass(frozen=True, slots=True)
class People:
    """All models that give a risk at one horizon."""

    horizon_years: float
    models: tuple[Persons, ...]


def people(estimates: Sequence[Json], look: Mapping[str, Look]) -> People | None:
    """A hundred people per model at the horizon that most models give, the earliest of them."""
    by_horizon: dict[float, list[tuple[str, Json]]] = {}
    for entry in estimates:
        for row in entry["risks"]:
            if row["risk"] is not None:
                by_horizon.setdefault(row["horizon_years"], []).append((entry["model"], row))
    if not by_horizon:
        return None
    horizon = min(by_horizon, key=lambda years: (-len(by_horizon[years]), years))
    return People(
        horizon, tuple(_persons(model, look[model], row) for model, row in by_horizon[horizon])
    )


def _persons(model: str, look: Look, row: Json) -> Persons:
    progressing = round(100 * row["risk"])
    return Persons(
        model=model,
        look=look,
        progressing=progressing,
        lower=None if row["lower"] is None else round(100 * row["lower"]),
        upper=None if row["upper"] is None else round(100 * row["upper"]),
        filled=FILLED[progressing],
        empty=EMPTY[progressing],
    )
