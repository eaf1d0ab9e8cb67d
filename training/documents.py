"""What is written about a training: its judgement, its report and its figures, made once."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from training.bundles import JUDGEMENT
from training.evaluation import write_judgement
from training.fit import Trained
from training.judge import judge_panel
from training.judgement import Judgement
from training.panel import Panel, panel
from training.performance import Settings
from training.report.by_tenth import ByTenth
from training.report.contents import Contents
from training.report.figures import calibration_figure, decision_figure, incidence_figure
from training.report.page import report_contents
from training.tables import PERSON, out_of_fold_tables

__all__ = ["REPORT", "Documents", "documents_of"]

REPORT = "judgement.html"
"""The whole report, among the artifacts of a run."""


@dataclass(frozen=True, slots=True)
class Documents:
    """Judgement of the out-of-fold risks, and what is written about it.

    Parameters
    ----------
    judgement, given
        Estimates, and the risks and outcomes they are of.
    texts
        Path within a run to text.
    """

    judgement: Judgement
    given: Panel
    texts: Mapping[str, str]


def documents_of(trained: Trained) -> Documents:
    """Judge the out-of-fold risks of a training and write about them."""
    given = panel(*out_of_fold_tables(trained), cluster_column=PERSON)
    settings = Settings(thresholds=trained.study.gate.thresholds, reference=trained.verdict.against)
    judgement = judge_panel(given, settings)
    with TemporaryDirectory() as folder:
        out, report = Path(folder) / JUDGEMENT, Path(folder) / REPORT
        write_judgement(
            judgement,
            given,
            title=f"{trained.study.label}, out of fold",
            settings=settings,
            out=out,
            report=report,
            diagnosis=trained.diagnosis,
            instability=_instability(trained),
        )
        written = {path.name: path.read_text(encoding="utf-8") for path in (out, report)}
    shown = {trained.chosen, trained.verdict.against}
    return Documents(
        judgement,
        given,
        written | _plots(report_contents(_only(given, shown), settings, judgement)),
    )


def _instability(trained: Trained) -> list[ByTenth]:
    """Of the candidate, where it was refitted."""
    if trained.instability is None:
        return []
    horizon = trained.study.decision_horizon_years
    return [ByTenth.of(trained.chosen, horizon, trained.instability)]


def _only(given: Panel, models: set[str]) -> Panel:
    """The panel with some of its models."""
    return replace(
        given,
        models=tuple(name for name in given.models if name in models),
        cells={key: cell for key, cell in given.cells.items() if key[0] in models},
    )


def _plots(drawn: Contents) -> dict[str, str]:
    """The candidate beside the model to beat: a figure per horizon and kind, as SVG."""
    plots = {"plots/incidence.svg": incidence_figure(drawn.incidence)}
    for horizon in dict.fromkeys(curves.horizon_years for curves in drawn.curves):
        some = [curves for curves in drawn.curves if curves.horizon_years == horizon]
        plots[f"plots/calibration-{horizon:g}-years.svg"] = calibration_figure(some)
        plots[f"plots/decision-curve-{horizon:g}-years.svg"] = decision_figure(some)
    return plots
