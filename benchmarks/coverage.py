"""Do 95 % intervals hold the truth 95 times in 100? Simulated cohorts with known risks.

    python -m benchmarks.coverage --replicates 1000 --subjects 600 --resampled 400

Constant hazards of progression and death make the true risk of everybody known; the truth of each
measure is its value in a cohort of two million who are all followed.
"""

import argparse
from dataclasses import dataclass

import numpy as np

from benchmarks.page import write_section
from training.metrics.aalen_johansen import aalen_johansen
from training.metrics.brier import brier_score
from training.metrics.calibration import mean_calibration, weak_calibration
from training.metrics.calibration_curve import calibration_curve
from training.metrics.concordance import concordance
from training.metrics.contrasts import contrast
from training.metrics.discrimination import auc
from training.metrics.estimate import Estimate
from training.metrics.intervals import resampled_measures, with_interval
from training.metrics.net_benefit import net_benefit
from training.metrics.timeline import Timeline

HORIZON = 5.0
THRESHOLD = 0.2
_DEATH = 0.04
_TRUTH_SUBJECTS = 2_000_000
RESAMPLES = 100


@dataclass(frozen=True, slots=True)
class Simulated:
    """A cohort with the risks of two models: the truth, and a distorted and noisy one."""

    duration: np.ndarray
    event: np.ndarray
    true: np.ndarray
    noisy: np.ndarray


def simulated(rng: np.random.Generator, subjects: int, *, followed: bool) -> Simulated:
    """A cohort; about a third are censored before five years unless all are followed."""
    hazard = 0.04 * np.exp(0.9 * rng.normal(size=subjects))
    total = hazard + _DEATH
    exit_time = rng.exponential(1 / total)
    progressed = rng.random(subjects) < hazard / total
    censored = np.full(subjects, np.inf) if followed else rng.uniform(1, 12, subjects)
    duration = np.minimum(exit_time, np.minimum(censored, 50.0))
    event = np.where(exit_time <= duration, np.where(progressed, 1, 2), 0)
    guess = hazard * np.exp(0.7 * rng.normal(size=subjects) + 0.2)
    return Simulated(duration, event, _risk(hazard), _risk(guess))


def estimates(cohort: Simulated) -> dict[str, Estimate]:
    """Every measure with an interval, of the noisy model, and its contrasts with the truth."""
    outcome = (cohort.duration, cohort.event)
    noisy, true = ((*outcome, risk, HORIZON) for risk in (cohort.noisy, cohort.true))
    areas, scores = [auc(*x) for x in (noisy, true)], [brier_score(*x) for x in (noisy, true)]
    benefits = [net_benefit(*x, threshold=THRESHOLD, with_influence=True) for x in (noisy, true)]
    line = weak_calibration(*noisy)
    return {
        "observed": aalen_johansen(*outcome).at(HORIZON),
        "oe": mean_calibration(*noisy).ratio,
        "auc": areas[0],
        "brier": scores[0].brier,
        "ipa": scores[0].ipa,
        "calibration_intercept": line.intercept,
        "calibration_slope": line.slope,
        "net_benefit": benefits[0],
        "delta_auc": contrast(*areas).delta,
        "delta_brier": contrast(scores[0].brier, scores[1].brier).delta,
        "delta_net_benefit": contrast(*benefits).delta,
    }


def coverage(
    replicates: int, subjects: int, *, seed: int = 0, truth_subjects: int = _TRUTH_SUBJECTS
) -> dict[str, float]:
    """Share of cohorts whose interval holds the truth, by measure."""
    streams = np.random.SeedSequence(seed).spawn(replicates + 1)
    large = simulated(np.random.default_rng(streams[0]), truth_subjects, followed=True)
    truth = {name: found.value for name, found in estimates(large).items()}
    held = dict.fromkeys(truth, 0)
    for stream in streams[1:]:
        cohort = simulated(np.random.default_rng(stream), subjects, followed=False)
        for name, found in estimates(cohort).items():
            held[name] += bool(found.lower <= truth[name] <= found.upper)
    return {name: count / replicates for name, count in held.items()}


def resampled_coverage(
    cohorts: int,
    subjects: int,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
    truth_subjects: int = _TRUTH_SUBJECTS,
) -> dict[str, float]:
    """The same for the measures whose intervals come from resampled cohorts."""
    streams = np.random.SeedSequence(seed + 1).spawn(cohorts + 1)
    large = simulated(np.random.default_rng(streams[0]), truth_subjects, followed=True)
    truth = {name: found.value for name, found in _distances(large).items()}
    held = dict.fromkeys(truth, 0)
    for number, stream in enumerate(streams[1:]):
        cohort = simulated(np.random.default_rng(stream), subjects, followed=False)
        order = np.argsort(cohort.duration)
        line = Timeline.of(cohort.duration[order], cohort.event[order])
        drawn = resampled_measures(
            line, cohort.noisy[order], HORIZON, replicates=resamples, seed=number
        )
        for name, found in _distances(cohort).items():
            interval = with_interval(found, drawn[name])
            held[name] += bool(interval.lower <= truth[name] <= interval.upper)
    return {name: count / cohorts for name, count in held.items()}


def _distances(cohort: Simulated) -> dict[str, Estimate]:
    outcome = (cohort.duration, cohort.event, cohort.noisy, HORIZON)
    curve = calibration_curve(*outcome)
    return {
        "ici": curve.ici,
        "e50": curve.e50,
        "e90": curve.e90,
        "concordance": concordance(*outcome),
    }


def _risk(hazard: np.ndarray) -> np.ndarray:
    total = hazard + _DEATH
    return hazard / total * -np.expm1(-total * HORIZON)


def main() -> None:
    """Print one row per measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicates", type=int, default=1000)
    parser.add_argument("--subjects", type=int, default=600)
    parser.add_argument("--resampled", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    found = coverage(asked.replicates, asked.subjects, seed=asked.seed)
    resampled = resampled_coverage(asked.resampled, asked.subjects, seed=asked.seed)
    text = f"""
## Coverage of 95 % intervals

`python -m benchmarks.coverage --replicates {asked.replicates} --subjects {asked.subjects} \
--resampled {asked.resampled}`

By influence function, {asked.replicates:,} cohorts; a true 95 % shows as {_ends(asked.replicates)}:

{_table(found)}

By {RESAMPLES} resampled cohorts in each of {asked.resampled:,}; a true 95 % shows as
{_ends(asked.resampled)}. ICI and E50 are distances and biased upwards in cohorts of this size:

{_table(resampled)}
"""
    write_section("coverage", text)
    print(text)


def _table(shares: dict[str, float]) -> str:
    lines = [f"| {name} | {100 * share:.1f} % |" for name, share in shares.items()]
    return "\n".join(["| measure | intervals that hold the truth |", "|---|---|", *lines])


def _ends(cohorts: int) -> str:
    half = 196 * (0.95 * 0.05 / cohorts) ** 0.5
    return f"{95 - half:.1f} to {min(95 + half, 100):.1f} %"


if __name__ == "__main__":
    main()
