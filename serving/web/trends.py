"""How a subject's values moved: one small line per test, and whether it counts as evolving."""

from collections.abc import Mapping
from dataclasses import dataclass

from features.landmark import LandmarkFeatures
from features.trends import EVOLVING_RULES, EvolvingRule
from serving.web.numbers import CANONICAL, converted, quantity
from serving.web.texts import SIGN, Texts

__all__ = ["Trend", "rule_in_words", "trends"]

WIDTH, HEIGHT, MARGIN = 120.0, 34.0, 5.0
FEWEST = 2


@dataclass(frozen=True, slots=True)
class Trend:
    """One test over time.

    Parameters
    ----------
    analyte
        Catalogue name.
    first, last
        Values in the unit.
    unit
        That the test was typed in.
    visits
        Number of measurements.
    points
        Of the line, in drawing units.
    end
        Last point.
    evolving
        Whether the last value evolved by the published rule.
    rule
        That rule in words.
    """

    analyte: str
    label: str
    first: float
    last: float
    unit: str
    visits: int
    points: str
    end: tuple[float, float]
    evolving: bool
    rule: str


def rule_in_words(rule: EvolvingRule, t: Texts, units: Mapping[str, str] = CANONICAL) -> str:
    """An evolving rule as a person says it, in the units of their tests."""
    size = quantity(*converted(rule.quantity, rule.threshold, units), t)
    if rule.kind == "relative rise":
        size = f"{100 * rule.threshold:.0f}{SIGN}"
    kind = "fall" if rule.kind == "fall" else "rise"
    return str(t["trends"][kind].format(size=size, months=f"{12 * rule.lookback_years:g}"))


def trends(
    features: LandmarkFeatures, place: int, t: Texts, units: Mapping[str, str] = CANONICAL
) -> list[Trend]:
    """Tests of one subject that have a rule of evolving and two measurements up to the landmark.

    Parameters
    ----------
    units
        Test to the unit to show it in, where that is not the canonical one.
    """
    subject = int(features.subject[place])
    asked = features.time_years[place]
    found = []
    for name, rule in EVOLVING_RULES.items():
        series = features.history.series(name)
        own = (series.subject == subject) & (series.time_years <= asked)
        times, values = series.time_years[own], series.value[own]
        if values.size < FEWEST:
            continue
        points = _points(times.tolist(), values.tolist())
        (first, unit), (last, _) = (converted(name, float(values[i]), units) for i in (0, -1))
        found.append(
            Trend(
                analyte=name,
                label=str(t["input"][name]),
                first=first,
                last=last,
                unit=unit,
                visits=int(values.size),
                points=" ".join(f"{x},{y}" for x, y in points),
                end=points[-1],
                evolving=bool(features[f"{name}_evolving"][place] == 1.0),
                rule=rule_in_words(rule, t, units),
            )
        )
    return found


def _points(times: list[float], values: list[float]) -> list[tuple[float, float]]:
    """Points of a line that fills the drawing; a constant runs through its middle."""
    low, high = min(values), max(values)
    span = times[-1] - times[0]
    width, height = WIDTH - 2 * MARGIN, HEIGHT - 2 * MARGIN
    return [
        (
            round(MARGIN + width * (time - times[0]) / span, 1),
            round(
                HEIGHT
                - MARGIN
                - (height * (value - low) / (high - low) if high > low else height / 2),
                1,
            ),
        )
        for time, value in zip(times, values, strict=True)
    ]
