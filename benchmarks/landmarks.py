"""Landmark features of every visit: visits per second, against `groupby().apply()`, and linearity.

    python -m benchmarks.landmarks [--visits 1000000] [--most 10000000]

The peer computes the same features - latest values, changes and the four evolving flags - as one
writes them per patient in pandas; it is timed on a thousand subjects, for both sides alike.
"""

import argparse
import json
import time
from collections.abc import Callable

import numpy as np
import pandas as pd

from features.analytes import ANALYTES
from features.history import History
from features.landmark import LandmarkFeatures
from features.trends import EVOLVING_RULES
from serving.scoring import PART_VISITS

VISITS_PER_SUBJECT = 10
RATE_LIMIT, RATIO_LIMIT = 0.5e6, 50.0
PEER_SUBJECTS = 1000
LABS = {"m_protein": 2.0, "flc_ratio_involved": 20.0, "hemoglobin": 12.5, "creatinine": 0.9}
NAMES = [
    *(ANALYTES[name].column for name in LABS),
    *(f"{name}_change" for name in LABS),
    *(f"{name}_evolving" for name in LABS),
]


def made_up(visits: int) -> History:
    """Visits four months apart, each laboratory value missing once in five times."""
    rng = np.random.default_rng(5)
    subjects = max(1, visits // VISITS_PER_SUBJECT)
    subject = np.repeat(np.arange(subjects), VISITS_PER_SUBJECT)
    code = np.full(subjects, -1, dtype=np.int8)
    labs = {
        name: np.where(
            rng.random(subject.size) < 0.2,
            np.nan,
            np.round(value * rng.lognormal(0, 0.2, subject.size), 2),
        )
        for name, value in LABS.items()
    }
    return History(
        subject_ids=tuple(map(str, range(subjects))),
        subject=subject,
        time_years=np.tile(np.arange(VISITS_PER_SUBJECT) / 3, subjects),
        labs=labs,
        age_years=np.full(subject.size, 65.0),
        sex=code,
        heavy_chain=code,
        light_chain=code,
        diagnosis_years=np.zeros(subjects),
    )


def ours(history: History) -> np.ndarray:
    """(n, 12) features, in runs as a batch works through them."""
    return np.concatenate(
        [LandmarkFeatures(part).matrix(NAMES) for part in history.parts(PART_VISITS)]
    )


def per_patient(frame: pd.DataFrame, lookback_years: float = 2.0) -> pd.DataFrame:
    """The same features, patient by patient and visit by visit."""

    def of_subject(rows: pd.DataFrame) -> pd.DataFrame:
        found = []
        for _, visit in rows.iterrows():
            known = rows[rows["time"] <= visit["time"]]
            answer = {}
            for name in LABS:
                column, rule = ANALYTES[name].column, EVOLVING_RULES[name]
                measured = known[known[name].notna()]
                if measured.empty:
                    continue
                last = measured.iloc[-1]
                answer[column] = last[name]
                near = measured[last["time"] - measured["time"] <= lookback_years].iloc[:-1]
                if len(near):
                    answer[f"{name}_change"] = last[name] - near[name].iloc[0]
                before = measured[last["time"] - measured["time"] <= rule.lookback_years].iloc[:-1]
                rise = last[name] - before[name]
                rise = -rise if rule.kind == "fall" else rise
                rise = rise / before[name] if rule.kind == "relative rise" else rise
                answer[f"{name}_evolving"] = float((rise >= rule.threshold - 1e-9).any())
            found.append(answer)
        return pd.DataFrame(found, index=rows.index)

    return frame.groupby("subject", group_keys=False).apply(of_subject).reindex(columns=NAMES)


def best(work: Callable[[], object], repeats: int = 3) -> float:
    """Least processor time of several runs; the first one also pays for fresh memory."""
    taken = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return min(taken)


def main() -> None:
    """Print the measurements."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--visits", type=int, default=1_000_000)
    parser.add_argument("--most", type=int, default=10_000_000)
    chosen = parser.parse_args()
    history = made_up(chosen.visits)
    rate = history.visits / best(lambda: ours(history))
    few = made_up(PEER_SUBJECTS * VISITS_PER_SUBJECT)
    frame = pd.DataFrame({"subject": few.subject, "time": few.time_years, **few.labs})
    start = time.process_time()
    theirs = per_patient(frame)
    peer = time.process_time() - start
    np.testing.assert_allclose(ours(few), theirs.to_numpy(), rtol=1e-12)
    per_visit_ns = {}
    visits = 10_000
    while visits <= chosen.most:
        sized = made_up(visits)
        per_visit_ns[f"{visits:.0e}"] = round(best(lambda s=sized: ours(s)) / visits * 1e9)
        visits *= 10
    print(
        json.dumps(
            {
                "benchmark": "landmark features",
                "features": len(NAMES),
                "visits_per_second": round(rate),
                "visits_per_second_limit": RATE_LIMIT,
                "times_faster_than_groupby_apply": round(peer / best(lambda: ours(few))),
                "times_limit": RATIO_LIMIT,
                "nanoseconds_per_visit": per_visit_ns,
            }
        )
    )


if __name__ == "__main__":
    main()
