"""Two sets of risks of the same people, compared: what is lost by taking one for the other.

Whole subjects are drawn again and again; the censoring weights are estimated anew in every draw.
Non-inferiority is a one-sided question, so the bound is the 95th percentile.
"""

from dataclasses import dataclass

import numpy as np

from features.history import Floats
from training.gate.verdict import Check
from training.landmarks import TrainingSet
from training.metrics.bootstrap import MOST_FAILED, paired_bootstrap
from training.metrics.brier import brier_value
from training.metrics.censoring import ipcw_weights
from training.metrics.net_benefit import net_benefit
from training.metrics.timeline import Timeline
from training.study import Gate

__all__ = ["Contest", "Loss", "contest"]

LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Loss:
    """What is lost against the opponent; below 0 is a gain.

    Parameters
    ----------
    value
        In the cohort.
    least, most
        One-sided 95 % bounds; infinite where too few draws can be judged.
    """

    value: float
    least: float
    most: float


@dataclass(frozen=True, slots=True)
class Contest:
    """Losses against an opponent.

    Parameters
    ----------
    against
        Opponent, for people.
    brier
        Loss in Brier score.
    net_benefit
        Loss in net benefit by threshold.
    """

    against: str
    brier: Loss
    net_benefit: dict[float, Loss]

    def better(self) -> Check:
        """The estimate itself must be a gain."""
        name = f"Brier loss against {self.against}"
        return Check(name, self.brier.value, "below 0", self.brier.value < 0.0)

    def not_worse(self, gate: Gate) -> list[Check]:
        """Non-inferiority in Brier score and in net benefit at every threshold."""
        bound = f"against {self.against}, upper 95 % bound"
        return [
            Check.at_most(f"Brier loss {bound}", self.brier.most, gate.most_brier_loss),
            *(
                Check.at_most(
                    f"net benefit lost at {threshold:g} {bound}",
                    loss.most,
                    gate.most_net_benefit_loss,
                )
                for threshold, loss in self.net_benefit.items()
            ),
        ]


def contest(
    rows: TrainingSet,
    horizon_years: float,
    candidate: Floats,
    opponent: Floats,
    *,
    against: str,
    gate: Gate,
    seed: int,
) -> Contest:
    """Losses of a candidate against an opponent.

    Parameters
    ----------
    rows
        n rows with outcomes.
    horizon_years
        Horizon of the risks.
    candidate, opponent : (r, n) arrays
        Risks in each repetition of the cross-validation; what is found is averaged over them.
    against
        Opponent, for people.
    gate
        Gives thresholds and the number of draws.
    seed
        Of the bootstrap.
    """
    line = Timeline.of(rows.duration_years, rows.event)
    _, cluster = np.unique(rows.subject, return_inverse=True)
    risks = {f"candidate {r}": risk for r, risk in enumerate(candidate)}
    risks |= {f"opponent {r}": risk for r, risk in enumerate(opponent)}
    drawn = paired_bootstrap(
        line,
        risks,
        horizon_years,
        replicates=gate.replicates,
        seed=seed,
        thresholds=gate.thresholds,
        cluster=cluster.astype(np.int64),
    )
    known = ipcw_weights(rows.duration_years, rows.event, horizon_years, timeline=line)
    own = np.array([brier_value(known, risk) for risk in risks.values()])
    size = len(candidate)
    # Net benefit is a gain: what is lost has the other sign.
    return Contest(
        against,
        _loss(own, drawn.brier, size),
        {
            threshold: _loss(
                -_benefits(rows, line, risks, horizon_years, threshold),
                -drawn.net_benefit[:, :, k],
                size,
            )
            for k, threshold in enumerate(gate.thresholds)
        },
    )


def _benefits(
    rows: TrainingSet, line: Timeline, risks: dict[str, Floats], horizon: float, threshold: float
) -> Floats:
    found = [
        net_benefit(
            rows.duration_years, rows.event, risk, horizon, threshold=threshold, timeline=line
        ).value
        for risk in risks.values()
    ]
    return np.array([np.nan if value is None else value for value in found])


def _loss(own: Floats, drawn: Floats, size: int) -> Loss:
    """Mean over the candidate's repetitions less that over the opponent's."""
    value = float(own[:size].mean() - own[size:].mean())
    losses = drawn[:, :size].mean(axis=1) - drawn[:, size:].mean(axis=1)
    judged = losses[np.isfinite(losses)]
    if judged.size < (1 - MOST_FAILED) * losses.size:
        return Loss(value, -np.inf, np.inf)
    least, most = np.quantile(judged, [1 - LEVEL, LEVEL])
    return Loss(value, float(least), float(most))
