"""Figures of the report as SVG text; they draw what `contents` computed and compute nothing."""

import re
from collections.abc import Sequence
from io import StringIO
from typing import TYPE_CHECKING

from features.errors import InputError
from training.report.by_tenth import ByTenth
from training.report.contents import (
    DECISION_THRESHOLDS,
    Curves,
    Flow,
    Incidence,
    StrategyCurve,
)
from training.report.words import counted

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe & Ito: told apart also by the colour-blind.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_GREY = "#777777"
_WIDTH, _HEIGHT = 5.2, 4.0


def calibration_figure(curves: Sequence[Curves]) -> str:
    """Observed against predicted risk of all models at one horizon: curves, bands and groups."""
    figure, axes = _blank("predicted risk", "observed risk")
    for colour, drawn in zip(COLOURS, curves, strict=False):
        curve = drawn.calibration
        few = curve.predicted.size <= len(drawn.groups)
        axes.plot(curve.predicted, curve.observed, color=colour, lw=0 if few else 1.8)
        if not few:
            axes.fill_between(curve.predicted, curve.lower, curve.upper, color=colour, alpha=0.12)
        for group in drawn.groups:
            seen = group.observed
            if seen.value is None:
                continue
            if seen.lower is not None and seen.upper is not None:
                axes.plot([group.predicted] * 2, [seen.lower, seen.upper], color=colour, lw=0.7)
            axes.plot(group.predicted, seen.value, "o", color=colour, ms=3.5)
        axes.plot([], [], color=colour, marker="o", ms=3.5, label=drawn.model)
    top = max(axes.get_xlim()[1], min(axes.get_ylim()[1], 1.0))
    axes.plot([0, top], [0, top], color=_GREY, lw=0.8, ls="--", label="perfect")
    axes.set_xlim(0, top)
    axes.set_ylim(0, top)
    # A place of its own: matplotlib's search for the best one is slow with many points, and warns.
    axes.legend(frameon=False, fontsize=8, loc="upper left")
    return _svg(figure)


def decision_figure(curves: Sequence[Curves], strategies: Sequence[StrategyCurve] = ()) -> str:
    """Net benefit over thresholds of models and strategies at one horizon, of all and of none."""
    figure, axes = _blank("threshold: risk at which one would act", "net benefit")
    best = 0.0
    for colour, drawn in zip(COLOURS, curves, strict=False):
        curve = drawn.decision
        points = [
            (p, e.value)
            for p, e in zip(curve.thresholds, curve.model, strict=True)
            if e.value is not None
        ]
        axes.plot(*_columns(points), color=colour, lw=1.8, label=drawn.model)
        best = max([best, *(value for _, value in points)])
    for colour, acting in zip(COLOURS[::-1], strategies, strict=False):
        worth = acting.net_benefit
        axes.plot(DECISION_THRESHOLDS, worth, color=colour, ls="-.", lw=1.2, label=acting.strategy)
    everyone = curves[0].decision
    points = [
        (p, e.value)
        for p, e in zip(everyone.thresholds, everyone.treat_all, strict=True)
        if e.value is not None
    ]
    axes.plot(*_columns(points), color=_GREY, lw=1, ls=":", label="treat all")
    axes.axhline(0, color=_GREY, lw=1, ls="--", label="treat none")
    best = max([best, *(value for _, value in points)], default=best) or 0.01
    axes.set_ylim(-0.35 * best, 1.1 * best)
    axes.set_xlim(0, everyone.thresholds[-1])
    axes.legend(frameon=False, fontsize=8, loc="upper right")
    return _svg(figure)


def distribution_figure(drawn: Curves) -> str:
    """Risks of those who progressed (up) and of those who did not or died first (down)."""
    figure, axes = _blank("predicted risk", "share of each outcome's subjects", height=2.6)
    found = drawn.distribution
    # Steps, not bars: one path for each outcome is drawn many times as fast as its bins.
    axes.stairs(found.progressed, found.edges, fill=True, color=COLOURS[1], label="progressed")
    axes.stairs(-found.free, found.edges, fill=True, color=COLOURS[0], label="event-free")
    axes.stairs(-found.died, found.edges, color="#222222", lw=0.7, label="died first")
    axes.axhline(0, color="#222222", lw=0.6)
    axes.yaxis.set_major_formatter(lambda value, _: f"{abs(value):g}")
    axes.legend(frameon=False, fontsize=8, loc="upper right")
    return _svg(figure)


def instability_figure(found: ByTenth) -> str:
    """Risk, and what refitted models would have said, by tenth of the cohort."""
    figure, axes = _blank("tenth of the cohort by risk", "risk", height=2.8)
    place = range(1, len(found.tenths) + 1)
    middle = [tenth.risk for tenth in found.tenths]
    ends = [
        [tenth.risk - tenth.lower for tenth in found.tenths],
        [tenth.upper - tenth.risk for tenth in found.tenths],
    ]
    axes.errorbar(place, middle, yerr=ends, fmt="o", ms=4, lw=1, color=COLOURS[0], capsize=2)
    axes.set_ylim(0, None)
    return _svg(figure)


def incidence_figure(drawn: Incidence) -> str:
    """Observed risk of progression, and of death first, over time."""
    figure, axes = _blank("years", "cumulative incidence", height=2.8)
    axes.step(drawn.years, drawn.progression, where="post", color=COLOURS[1], label="progression")
    axes.step(drawn.years, drawn.death, where="post", color=_GREY, label="death first")
    axes.set_ylim(0, None)
    axes.legend(frameon=False, fontsize=8, loc="upper left")
    return _svg(figure)


def flow_figure(flow: Flow) -> str:
    """Boxes: the cohort, and what had become of it by the horizon."""
    figure, axes = _blank("", "", height=2.0)
    axes.set_axis_off()
    axes.set_xlim(0, 4)
    axes.set_ylim(0, 2)
    boxes = [
        ("progressed", flow.events),
        ("died first", flow.competing),
        ("censored", flow.censored),
        ("followed, event-free", flow.followed),
    ]
    _box(axes, 2, 1.6, counted(flow.subjects, flow.people, "subjects"))
    for position, (label, count) in enumerate(boxes):
        x = position + 0.5
        axes.annotate("", (x, 0.72), (2, 1.36), arrowprops={"arrowstyle": "->", "color": _GREY})
        _box(axes, x, 0.4, f"{label}\n{count:,}")
    return _svg(figure)


def _box(axes: "Axes", x: float, y: float, text: str) -> None:
    axes.text(
        x,
        y,
        text,
        ha="center",
        va="center",
        fontsize=8,
        bbox={"boxstyle": "round", "facecolor": "white", "edgecolor": "#222222"},
    )


def _columns(points: list[tuple[float, float]]) -> tuple[list[float], list[float]]:
    return [x for x, _ in points], [y for _, y in points]


def _blank(x: str, y: str, *, height: float = _HEIGHT) -> "tuple[Figure, Axes]":
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise InputError(
            "report", "drawing needs matplotlib; install it: pip install 'smoulder[train]'"
        ) from error
    figure = Figure(figsize=(_WIDTH, height), layout="constrained")
    axes = figure.add_subplot()
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _svg(figure: "Figure") -> str:
    import matplotlib as mpl

    text = StringIO()
    # A fixed salt and no date: the same judgement gives the same file.
    with mpl.rc_context({"svg.hashsalt": "smoulder", "svg.fonttype": "none"}):
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    drawn = text.getvalue()
    drawn = re.sub(r"<metadata>.*?</metadata>", "", drawn[drawn.index("<svg") :], flags=re.DOTALL)
    return drawn.replace("<svg ", '<svg role="img" ', 1)
