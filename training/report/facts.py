"""TRIPOD+AI items that the metadata of a training answers; what it cannot know stays TODO."""

import numpy as np

from features.labs import DAYS_PER_YEAR
from training.fit import Final, Trained
from training.gate.parts import HELD_OUT, OF_PART
from training.report.checklists import TODO

__all__ = ["training_facts"]


def training_facts(trained: Trained, final: Final) -> dict[str, str]:
    """Answers by item, for `training.report.checklists.tripod`.

    Parameters
    ----------
    trained
        The training.
    final
        The one of its models that is written about.
    """
    diagnosis = trained.diagnosis
    study, rows, told = trained.study, trained.rows, final.model.provenance
    horizons = ", ".join(f"{h:g}" for h in study.horizons_years)
    grid = ", ".join(f"{at:g}" for at in study.landmarks_years)
    folds = study.folds
    return {
        "1": f"Development of a model of progression within {horizons} years in people with "
        f"{study.population.upper()}.",
        "3b": f"People with {study.population.upper()}; research and trial pre-screening beside "
        f"published scores. Users beyond that: {TODO}",
        "4": f"Whether routine laboratory values predict progression within {horizons} years "
        f"better than {told['rule']}, recalibrated to the same cohort.",
        "5a": f"The {told['cohort_kind']} cohort {told['cohort']}, rows with SHA-256 "
        f"{told['cohort_digest']}. Where it comes from: {TODO}",
        "5b": _dates(trained),
        "6b": f"At risk at one of {grid} years since diagnosis, with "
        f"{', '.join(study.necessary)} and the markers of the rule known. Clinical eligibility of "
        f"the cohort: {TODO}",
        "6a": f"Centres: {diagnosis.finding('centres').found}. Settings: {TODO}",
        "6c": f"{diagnosis.finding('treatment').found.capitalize()}.",
        "7": f"Units converted, values checked against the analyte catalogue; {rows.refused} "
        f"subjects refused for their values, {rows.left_out} landmarks left out without a "
        "necessary marker.",
        "9a": "Fixed in the study design before the fit: " + ", ".join(study.features) + ".",
        "9b": f"Last value by the landmark; changes and slopes within {study.lookback_years:g} "
        "years before it.",
        "10": f"{diagnosis.finding('events').found}. {diagnosis.finding('sample-size').found}.",
        "11": _missing(trained),
        "12a": f"{folds.count}-fold cross-validation, repeated {folds.repeats} times, folds "
        "grouped by subject; the final model is fitted on everyone.",
        "12b": "As measured, missing values and all; directions that medicine demands are "
        f"constraints where the learner can keep them ({', '.join(study.monotone) or 'none'}).",
        "12c": f"{told['learner']}, chosen among {', '.join(trained.results)} as the simplest "
        "within one standard error of the best Brier score; held to the gate of the study.",
        "12d": _held_out(trained),
        "12f": "Recalibrated on out-of-fold log odds; validation elsewhere may update it again.",
        "12g": "From the last value of every predictor by `models.learned` of the artefact; the "
        "same code answers one person, a batch and the judgement here.",
        "13": "Nobody is resampled or reweighted by outcome; weights stand for the censored only.",
        "14": _subgroups(trained),
        "18f": "The software is open source; the study design has SHA-256 "
        f"{told['study_hash']}, the run its seed {trained.seed}.",
        "20b": f"Range of every predictor: see the inputs. Other characteristics: {TODO}",
        "22": "The artefact: coefficients or trees, recalibration and ranges, as data with hashes.",
        "23b": _held_out(trained),
        "27a": "A necessary predictor missing: no answer. An expected one missing: a range over "
        "its plausible values. Implausible values are told or refused.",
    }


def _dates(trained: Trained) -> str:
    days = trained.rows.diagnosed_years
    if days is None or np.isnan(days).all():
        return TODO
    first, last = (
        str(np.datetime64(round(float(years) * DAYS_PER_YEAR), "D"))[:4]
        for years in (np.nanmin(days), np.nanmax(days))
    )
    return f"Diagnoses of {first} to {last}. End of follow-up: {TODO}"


def _subgroups(trained: Trained) -> str:
    parts = ", ".join(trained.study.gate.subgroups)
    return f"Calibration out of fold by {parts}; see the gate." if parts else TODO


def _held_out(trained: Trained) -> str:
    held = [
        check.name.removeprefix(OF_PART).removesuffix(HELD_OUT)
        for check in trained.verdict.checks
        if check.name.endswith(HELD_OUT)
    ]
    if not held:
        return "No centre and no later diagnoses have enough progressions to be held out."
    return f"Held out, and judged by a fit that has not seen them: {', '.join(held)}; see the gate."


def _missing(trained: Trained) -> str:
    rows = trained.rows
    share = np.isnan(rows.values).mean(axis=0)
    lacking = [
        f"{name} {100 * part:.1f} %"
        for name, part in zip(rows.features, share, strict=True)
        if part > 0
    ]
    told = "; ".join(lacking) or "none among the rows used"
    return f"Missing: {told}. Filled with the median or handled by the learner, never by outcome."
