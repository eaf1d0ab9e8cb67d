"""Published figures with their tolerances, from published.toml."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TypedDict, cast

from training.simulation.laboratories import QUANTILES

__all__ = ["Conflict", "Figure", "Published", "published"]


@dataclass(frozen=True, slots=True)
class Figure:
    """One published figure.

    Parameters
    ----------
    section, label, because
        Where it stands in the report, what it is, its source and the reason of its tolerance.
    scenario
        Scenario that is held to it.
    key
        Name of the simulated figure.
    value, tolerance
        Published figure and how far the simulated one may lie from it.
    """

    section: str
    label: str
    because: str
    scenario: str
    key: str
    value: float
    tolerance: float

    def holds(self, simulated: float) -> bool:
        """Whether a simulated figure lies within the tolerance; never for one not estimable."""
        return abs(simulated - self.value) <= self.tolerance + 1e-12


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two published figures that cannot both hold, and which was chosen."""

    between: str
    choice: str


@dataclass(frozen=True, slots=True)
class Published:
    """Everything the simulation is held to."""

    figures: tuple[Figure, ...]
    quantiles: Mapping[str, list[float]]
    conflicts: tuple[Conflict, ...]


class _Figures(TypedDict):
    section: str
    scenario: str
    because: str
    rows: list[tuple[str, str, float, float]]


class _Quantiles(TypedDict):
    scenario: str
    tolerance: list[float]
    values: dict[str, list[float]]


class _File(TypedDict):
    figures: list[_Figures]
    quantiles: _Quantiles
    conflicts: list[dict[str, str]]


@cache
def published() -> Published:
    """Figures of published.toml."""
    file = resources.files("training.simulation").joinpath("published.toml")
    table = cast("_File", tomllib.loads(file.read_text("utf-8")))
    figures = [
        Figure(group["section"], label, group["because"], group["scenario"], key, value, tolerance)
        for group in table["figures"]
        for key, label, value, tolerance in group["rows"]
    ]
    quantiles = table["quantiles"]
    return Published(
        figures=(*figures, *_quantile_figures(quantiles)),
        quantiles=quantiles["values"],
        conflicts=tuple(Conflict(**each) for each in table["conflicts"]),
    )


def _quantile_figures(table: _Quantiles) -> list[Figure]:
    return [
        Figure(
            section="Labs at diagnosis: share below the published quantile",
            label=f"{name} below {value:g}",
            because="214 patients of Bustoros 2022 [C]",
            scenario=table["scenario"],
            key=f"below_{name}_{round(100 * share)}",
            value=share,
            tolerance=tolerance,
        )
        for name, values in table["values"].items()
        for share, tolerance, value in zip(QUANTILES, table["tolerance"], values, strict=True)
    ]
