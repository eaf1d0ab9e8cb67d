"""Figures of a training: compute elsewhere, draw here."""

import numpy as np
from matplotlib.figure import Figure

from training.candidates import CANDIDATES
from training.fit import RULE, Trained
from training.metrics.censoring import ipcw_weights

__all__ = ["calibration_figure"]

GROUPS = 5


def calibration_figure(trained: Trained) -> Figure:
    """Observed against predicted risk in fifths of the out-of-fold prediction, decision horizon."""
    study, rows = trained.study, trained.rows
    known = ipcw_weights(
        rows.duration_years, rows.event, study.decision_horizon_years, sample_weight=rows.weight
    )
    figure = Figure(figsize=(5, 5), layout="constrained")
    axes = figure.subplots()
    most = 0.0
    for name, marker in ((RULE, "s"), (trained.chosen, "o")):
        risk = trained.results[name].risk[:, :, study.decision].mean(axis=0)
        cuts = np.unique(np.quantile(risk, np.linspace(0, 1, GROUPS + 1)[1:-1]))
        group = np.searchsorted(cuts, risk, side="right")
        points = []
        for g in range(group.max() + 1):
            weight = np.where(group == g, known.weights, 0.0)
            if weight.any():
                predicted = np.average(risk[group == g], weights=rows.weight[group == g])
                points.append((predicted, np.average(known.case, weights=weight)))
        predicted, observed = np.array(points).T
        most = max(most, predicted.max(), observed.max())
        axes.plot(predicted, observed, marker=marker, label=CANDIDATES[name].label)
    axes.plot([0, most], [0, most], linestyle=":", color="grey", label="ideal")
    axes.set_xlabel(f"Predicted {study.decision_horizon_years:g}-year risk, out of fold")
    axes.set_ylabel("Observed risk, death competing")
    axes.set_title(study.label)
    axes.legend()
    return figure
