"""Equal to other Python packages where they define the quantity: tests/oracles/python_peers.py."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from lifelines import AalenJohansenFitter

from training.metrics.aalen_johansen import aalen_johansen
from training.metrics.brier import brier_score
from training.metrics.concordance import concordance
from training.metrics.discrimination import auc
from training.metrics.net_benefit import net_benefit

ORACLES = Path(__file__).parents[2] / "oracles"
PEERS = pd.read_csv(ORACLES / "python_peers.csv")
TABLE = pd.read_csv(ORACLES / "heavy.csv")
HORIZON = 2.0


def judged(package: str, quantity: str, model: str) -> float | None:
    duration, event = TABLE["duration_years"].to_numpy(), TABLE["event"].to_numpy()
    # scikit-survival and dcurves know no competing death here: it censors on both sides.
    code = event if package == "hazardous" else np.where(event == 1, 1, 0)
    given = (duration, code, TABLE[model].to_numpy(), HORIZON)
    if quantity == "auc":
        return auc(*given, floor=0).value
    if quantity == "brier":
        return brier_score(*given, floor=0).brier.value
    if quantity == "concordance":
        return concordance(*given, floor=0).value
    return net_benefit(*given, threshold=float(quantity.removeprefix("net_benefit_"))).value


@pytest.mark.parametrize(
    ("package", "quantity", "model", "value"), list(PEERS.itertuples(index=False, name=None))
)
def test_same_value_as_the_peer(package: str, quantity: str, model: str, value: float) -> None:
    assert judged(package, quantity, model) == pytest.approx(value, abs=1e-8)


def test_incidence_is_that_of_lifelines() -> None:
    duration, event = TABLE["duration_years"], TABLE["event"]
    fitter = AalenJohansenFitter(calculate_variance=False).fit(duration, event, event_of_interest=1)
    theirs = fitter.cumulative_density_.iloc[:, 0]
    ours = aalen_johansen(duration.to_numpy(), event.to_numpy())
    for horizon in (0.5, 1.0, 2.0, 5.0):
        expected = theirs[theirs.index <= horizon].iloc[-1]
        assert ours.at(horizon).value == pytest.approx(expected, abs=1e-8)
