"""The calibration report: published figures beside simulated ones, for several unseen seeds.

``python -m training.simulation.report`` writes docs/simulated-cohort.md; ``--check`` fails when a
figure has left its tolerance or the document is not what the code now gives.
"""

import argparse
import sys
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path

import numpy as np
import pandas as pd

from training.cohorts import Cohort
from training.metrics.aalen_johansen import aalen_johansen
from training.simulation.cohort import simulate_cohort
from training.simulation.laboratories import follow_up_figures, laboratory_figures
from training.simulation.observed import observe
from training.simulation.progression import GROUPS, groups_at_diagnosis, progression_figures
from training.simulation.published import Figure, published
from training.simulation.scenarios import scenario_from
from training.simulation.truth import HORIZONS_YEARS

__all__ = ["SEEDS", "Calibration", "Recovered", "calibrate", "main", "recover", "render"]

SEEDS = (20_001, 20_002, 20_003, 20_004, 20_005)
"""Never used while the parameters were chosen."""

SUBJECTS = 40_000
TRUTH_TOLERANCE = 0.005


@dataclass(frozen=True, slots=True)
class Recovered:
    """Mean true risk of a 20/2/20 group beside what its outcomes show."""

    group: str
    horizon_years: float
    true_risk: float
    aalen_johansen: float

    @property
    def holds(self) -> bool:
        """Whether they agree within half a point."""
        return abs(self.true_risk - self.aalen_johansen) <= TRUTH_TOLERANCE


@dataclass(frozen=True, slots=True)
class Calibration:
    """Simulated figures by seed, and the recovery of the truth over all seeds together."""

    seeds: tuple[int, ...]
    subjects: int
    simulated: dict[str, tuple[float, ...]]
    recovered: tuple[Recovered, ...]

    def failures(self) -> list[str]:
        """One line for everything outside its tolerance."""
        lines = [
            f"{figure.section}, {figure.label}: {value:.4g} with seed {seed}, published "
            f"{figure.value:g} ± {figure.tolerance:g}"
            for figure in published().figures
            for seed, value in zip(self.seeds, self.simulated[figure.key], strict=True)
            if not figure.holds(value)
        ]
        return lines + [
            f"truth, {each.group} at {each.horizon_years:g} years: mean true risk "
            f"{each.true_risk:.4f}, Aalen–Johansen {each.aalen_johansen:.4f}"
            for each in self.recovered
            if not each.holds
        ]


def calibrate(*, seeds: tuple[int, ...] = SEEDS, subjects: int = SUBJECTS) -> Calibration:
    """Figures of cohorts of the referral and the trial scenario, one pair for each seed."""
    simulated: dict[str, list[float]] = {}
    for seed in seeds:
        cohort = simulate_cohort(subjects, seed=seed)
        seen = observe(cohort)
        trial = observe(simulate_cohort(subjects // 2, seed=seed, scenario="trial"))
        figures = {
            **progression_figures(cohort, seen),
            **follow_up_figures(cohort, seen),
            **laboratory_figures(trial, dict(published().quantiles)),
        }
        for key, value in figures.items():
            simulated.setdefault(key, []).append(value)
    return Calibration(
        seeds=seeds,
        subjects=subjects,
        simulated={key: tuple(values) for key, values in simulated.items()},
        recovered=recover(seeds=seeds, subjects=2 * subjects),
    )


def recover(*, seeds: tuple[int, ...], subjects: int) -> tuple[Recovered, ...]:
    """Mean true risk and Aalen–Johansen of every 20/2/20 group and horizon, all seeds together.

    The law and the outcomes are the referral scenario's. Every marker is measured, so that every
    subject has a group, and visits are rare, since only the first is looked at.
    """
    complete = {"m_protein": [1.0, 1.0], "flc": [1.0, 1.0]}
    rarely = {"early_interval_years": 3.0, "late_interval_years": 3.0}
    law = scenario_from(
        "referral", {"extends": "referral", "completeness": complete, "schedule": rarely}
    )
    table = pd.concat([_course(simulate_cohort(subjects, seed=s, scenario=law)) for s in seeds])
    rows = []
    for code, group in enumerate(GROUPS):
        chosen = table[table["group"] == code]
        curve = aalen_johansen(
            chosen["duration_years"].to_numpy(np.float64), chosen["event"].to_numpy(np.int64)
        )
        for horizon in HORIZONS_YEARS:
            seen = curve.at(horizon).value
            assert seen is not None
            true_risk = float(chosen[f"risk_{horizon:.0f}y"].mean())
            rows.append(Recovered(group, horizon, true_risk, seen))
    return tuple(rows)


def _course(cohort: Cohort) -> pd.DataFrame:
    """Group, outcome and true risks, one row per subject."""
    assert cohort.truth is not None
    first = cohort.visits[cohort.visits["years"] == 0]
    seen = observe(replace(cohort, visits=first))
    group = pd.Series(groups_at_diagnosis(seen), index=list(seen.features.history.subject_ids))
    table = cohort.truth.merge(cohort.outcomes, on="subject_id")
    return table.assign(group=table["subject_id"].map(group))


def render(calibration: Calibration) -> str:
    """Text of docs/simulated-cohort.md."""
    template = resources.files("training.simulation").joinpath("report.md").read_text("utf-8")
    missed = calibration.failures()
    return (
        template.replace("{seeds}", ", ".join(map(str, calibration.seeds)))
        .replace("{subjects}", f"{calibration.subjects:,}")
        .replace("{verdict}", _verdict(calibration, len(missed)))
        .replace("{conflicts}", _conflicts())
        .replace("{figures}", _figures(calibration))
        .replace("{truth}", _truth(calibration))
    )


def _verdict(calibration: Calibration, missed: int) -> str:
    checks = len(published().figures) * len(calibration.seeds) + len(calibration.recovered)
    if missed:
        return f"**{missed} of {checks} checks are outside their tolerance.**"
    return f"All {checks} checks are within their tolerance."


def _conflicts() -> str:
    return "\n".join(f"- **{each.between}.** {each.choice}" for each in published().conflicts)


def _figures(calibration: Calibration) -> str:
    parts: list[str] = []
    section = ""
    for figure in published().figures:
        if figure.section != section:
            section = figure.section
            parts.append(f"\n### {section}\n")
            parts.append("| figure | published | tolerance | simulated, mean | least – most | |")
            parts.append("|---|---|---|---|---|---|")
        parts.append(_row(figure, calibration.simulated[figure.key]))
    notes = dict.fromkeys((f.section, f.because, f.scenario) for f in published().figures)
    sources = [f"- {section} (`{scenario}`): {why}." for section, why, scenario in notes]
    return "\n".join([*parts, "\n### Sources and reasons of the tolerances\n", *sources])


def _row(figure: Figure, simulated: tuple[float, ...]) -> str:
    holds = all(figure.holds(value) for value in simulated)
    return (
        f"| {figure.label} | {figure.value:g} | ± {figure.tolerance:g} "
        f"| {np.mean(simulated):.3f} | {min(simulated):.3f} – {max(simulated):.3f} "
        f"| {'within' if holds else '**outside**'} |"
    )


def _truth(calibration: Calibration) -> str:
    lines = [
        "| 20/2/20 | horizon | mean true risk | Aalen–Johansen | difference, points | |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {each.group} | {each.horizon_years:g} years | {100 * each.true_risk:.2f} % "
        f"| {100 * each.aalen_johansen:.2f} % "
        f"| {100 * (each.aalen_johansen - each.true_risk):+.2f} "
        f"| {'within' if each.holds else '**outside**'} |"
        for each in calibration.recovered
    ]
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Write the report, or check it; exit status 1 when it does not hold."""
    parser = argparse.ArgumentParser(prog="python -m training.simulation.report")
    parser.add_argument("--check", action="store_true", help="write nothing; fail on any change")
    parser.add_argument("--out", type=Path, default=Path("docs/simulated-cohort.md"))
    options = parser.parse_args(arguments)
    calibration = calibrate()
    text = render(calibration)
    problems = calibration.failures()
    if options.check:
        written = options.out.read_text("utf-8") if options.out.is_file() else ""
        if written != text:
            problems.append(
                f"{options.out}: not up to date; run python -m training.simulation.report"
            )
    else:
        options.out.write_text(text, encoding="utf-8")
    for line in problems:
        sys.stderr.write(line + "\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
