"""What moved a learned model's risk, in clinical words, the strongest first."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from serving.values import Json
from serving.web.feature_names import UNITS, quantity_label, quantity_of
from serving.web.labels import model_label
from serving.web.numbers import CANONICAL, converted, localised, quantity, years_label
from serving.web.texts import Texts

__all__ = ["Driver", "Drivers", "drivers"]

MOST = 6
LEAST = math.log(1.05)
"""Effect on the log odds below which a factor would be told as 1."""

HALF = 46.0
"""Length of the longest bar, to either side of the middle of a drawing 100 wide."""


@dataclass(frozen=True, slots=True)
class Driver:
    """One feature.

    Parameters
    ----------
    words
        Feature and its value.
    effect
        How it moves the odds.
    raises
        Whether upwards.
    x, width
        Of its bar.
    """

    words: str
    effect: str
    raises: bool
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Drivers:
    """One model's strongest features, and how many weaker ones are not shown."""

    model: str
    horizon_years: float
    drivers: tuple[Driver, ...]
    rest: int


def drivers(
    estimates: Sequence[Json], t: Texts, units: Mapping[str, str] = CANONICAL
) -> list[Drivers]:
    """Of every learned model that answered and tells them; values in the units of their tests."""
    found = []
    for entry in estimates:
        told = entry.get("contributions", [])
        if not told:
            continue
        longest = max(abs(row["effect"]) for row in told)
        strong = [row for row in told[:MOST] if abs(row["effect"]) >= LEAST]
        shown = tuple(_driver(row, longest, t, units) for row in strong)
        horizon = told[0]["horizon_years"]
        found.append(Drivers(model_label(entry, t), horizon, shown, len(told) - len(shown)))
    return found


def _driver(row: Json, longest: float, t: Texts, units: Mapping[str, str]) -> Driver:
    effect: float = row["effect"]
    raises = effect > 0
    width = round(HALF * abs(effect) / longest, 1)
    factor = localised(f"{math.exp(abs(effect)):.2g}", t)
    words: str = t["drivers"]["raises" if raises else "lowers"]
    return Driver(
        words=_words(row["feature"], row.get("value"), t, units),
        effect=words.format(factor=factor),
        raises=raises,
        x=50.0 if raises else round(50.0 - width, 1),
        width=width,
    )


def _words(feature: str, value: float | None, t: Texts, units: Mapping[str, str]) -> str:
    """A feature and its value as a clinician says them."""
    words: Mapping[str, str] = t["drivers"]
    name, kind = quantity_of(feature)
    label = quantity_label(name, t) or name
    if value is None:
        return words["not_measured" if kind == "latest" else "not_known"].format(
            label=label, what=words.get(f"kind_{kind}", "")
        )
    unit = UNITS.get(name, "1")
    if kind == "yes_no":
        return str(t["feature"][f"{name}_{'yes' if value else 'no'}"])
    if kind == "evolving":
        return words["evolving" if value else "steady"].format(label=label)
    if kind == "years_since":
        return words["years_since"].format(label=label, years=years_label(round(value, 1), t))
    if feature.startswith("ln_"):
        value = math.exp(value)
    if name in units:
        value, unit = converted(name, value, units)
    shown = quantity(value if kind == "latest" else float(f"{value:.2g}"), unit, t)
    signed = f"+{shown}" if value > 0 else shown.replace("-", "−")
    return words[kind].format(label=label, value=shown if kind == "latest" else signed)
