"""Out-of-fold risks of the nested pipeline against the true ones, over simulated cohorts."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from training.fit import choice, considered
from training.landmarks import TrainingSet, training_set
from training.metrics.calibration import weak_calibration
from training.search_space import Search
from training.simulation import simulate_cohort, true_risks
from training.study import Study, read_study
from training.validation import cross_validate
from training.workshop import Piece, Result, Workshop

__all__ = ["SUBJECTS", "Cohorts", "section", "spread"]

SUBJECTS = 1000
HORIZON_YEARS = 2.0
OPPONENTS = {"rule": "20/2/20", "pangea-smm": "PANGEA-SMM"}


@dataclass(frozen=True, slots=True)
class Estimand:
    """Whose risks are meant: the rows of a landmark set."""

    name: str
    label: str

    def rows(self, rows: TrainingSet) -> np.ndarray:
        """(n,) which of them count."""
        if self.name == "all":
            return np.ones(len(rows.subject), dtype=bool)
        return (rows.landmark_years == 0) == (self.name == "diagnosis")


@dataclass(frozen=True, slots=True)
class Cohorts:
    """How many simulated cohorts, and which candidates are searched on each.

    Parameters
    ----------
    count
        Seeds 1 to `count`.
    candidates
        By name; those of the study when empty.
    searched
        Whether they are tuned as the study says; if not, they keep their own settings.
    """

    count: int
    candidates: tuple[str, ...] = ()
    searched: bool = True

    @property
    def seeds(self) -> range:
        """One cohort each."""
        return range(1, self.count + 1)

    @property
    def study(self) -> Study:
        """The SMM study with these candidates."""
        study = read_study("smm")
        return replace(study, search=replace(study.search, candidates=self.candidates))

    @property
    def command(self) -> str:
        """What to type after the part."""
        named = f" --candidates {','.join(self.candidates)}" if self.candidates else ""
        return f"--cohorts {self.count}{named}{'' if self.searched else ' --quick'}"

    @property
    def search(self) -> Search | None:
        """How they are tuned."""
        return self.study.search if self.searched else None


ESTIMANDS = (
    Estimand("all", "all landmarks"),
    Estimand("diagnosis", "at diagnosis"),
    Estimand("later", "from one year on"),
)


def truth_of(rows: TrainingSet, ids: pd.Index, study: Study, seed: int) -> np.ndarray:
    """(n,) true two-year risks of the rows."""
    table = true_risks(
        SUBJECTS,
        seed=seed,
        landmarks_years=study.landmarks_years,
        horizons_years=(HORIZON_YEARS,),
    ).set_index(["subject_id", "landmark_years"])["risk"]
    return table.loc[list(zip(ids[rows.subject], rows.landmark_years, strict=True))].to_numpy()


def errors(seed: int, cohorts: Cohorts) -> Result:
    """Mean absolute errors of the chosen candidate and of both opponents, and its slope."""
    study = cohorts.study
    cohort = simulate_cohort(SUBJECTS, seed=seed)
    rows = training_set(cohort, study)
    true = truth_of(rows, pd.Index(cohort.visits["subject_id"].unique()), study, seed)
    names = considered(study, None)
    results = cross_validate(rows, study, names, seed=seed, search=cohorts.search)
    chosen = choice(results, study)
    risk = {name: results[name].risk[0, :, study.decision] for name in names}
    given = (rows.duration_years, rows.event, risk[chosen], HORIZON_YEARS)
    table = [
        [float(np.abs(risk[name] - true)[mask].mean()) for mask in _masks(rows)]
        for name in (chosen, *OPPONENTS)
    ]
    slope = weak_calibration(*given, link="logit").slope.value
    return {"errors": np.array(table), "slope": np.array(slope), "chosen": np.array(chosen)}


def _masks(rows: TrainingSet) -> list[np.ndarray]:
    return [estimand.rows(rows) for estimand in ESTIMANDS]


def spread(values: np.ndarray, digits: int = 3) -> str:
    """Mean (least to greatest)."""
    return f"{values.mean():.{digits}f} ({values.min():.{digits}f} to {values.max():.{digits}f})"


def section(shop: Workshop, cohorts: Cohorts) -> str:
    """Errors against the truth, mean and spread over cohorts."""
    pieces = [
        Piece(f"{cohorts!r} {seed}", f"cohort {seed}", errors, (seed, cohorts))
        for seed in cohorts.seeds
    ]
    done = list(shop.do(pieces).values())
    found = np.array([each["errors"] for each in done])
    slopes = np.array([float(each["slope"]) for each in done])
    counts = pd.Series([str(each["chosen"]) for each in done]).value_counts()
    rows = [
        "| quantity | " + " | ".join(e.label for e in ESTIMANDS) + " |",
        "|---" * (1 + len(ESTIMANDS)) + "|",
        _row("chosen candidate", found[:, 0]),
        *(_row(f"{OPPONENTS[name]}, recalibrated", found[:, i]) for i, name in _numbered()),
        *(
            _row(f"share of {OPPONENTS[name]}'s (at most {most})", found[:, 0] / found[:, i])
            for (i, name), most in zip(_numbered(), (".70", ".90"), strict=True)
        ),
    ]
    within = int(((slopes >= 0.9) & (slopes <= 1.1)).sum())
    table = "\n".join(rows)
    return f"""
## Training: simulated cohorts with their truth

`python -m benchmarks.training --part simulated {cohorts.command}`

{cohorts.count} simulated referral cohorts of {
        SUBJECTS:,} subjects with serial labs, the nested pipeline
({
        "settings searched in every fold" if cohorts.searched else "settings as they come"
    }) on each; mean absolute error of out-of-fold two-year risks against the true ones, mean
(least to greatest) over cohorts.

{table}

Calibration slope, all landmarks (asked .9–1.1): {spread(slopes)}, within in {within} of {
        cohorts.count
    }.
Chosen: {", ".join(f"{name} in {count}" for name, count in counts.items())}.

The limits are meant for risks from serial labs: all landmarks. The true risk knows the clone's
future course, which no lab shows, least of all those of one visit. At diagnosis a share of .70 of
20/2/20's error is out of reach: measured once, unconstrained boosted trees trained on 20,000 such
subjects, with all probes and all labs, still have .75 of it (and .84 of PANGEA-SMM's).
"""


def _numbered() -> list[tuple[int, str]]:
    return list(enumerate(OPPONENTS, start=1))


def _row(label: str, values: np.ndarray) -> str:
    return f"| {label} | " + " | ".join(spread(column) for column in values.T) + " |"
