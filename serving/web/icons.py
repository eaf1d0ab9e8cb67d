"""A risk as a hundred people: so many of them progress by the horizon."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from serving.values import Json
from serving.web.curve import Look

__all__ = ["People", "Persons", "people"]

ROW = 20
STEP = 10.0
DOTS = [f"M{STEP * (i % ROW) + 5:g} {STEP * (i // ROW) + 5:g}h0" for i in range(100)]


@dataclass(frozen=True, slots=True)
class Persons:
    """One model's hundred people.

    Parameters
    ----------
    progressing
        Of the hundred, rounded.
    filled, empty
        Path of one dot per person, progressing ones first.
    """

    model: str
    look: Look
    progressing: int
    lower: int | None
    upper: int | None
    filled: str
    empty: str


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
        filled="".join(DOTS[:progressing]),
        empty="".join(DOTS[progressing:]),
    )
