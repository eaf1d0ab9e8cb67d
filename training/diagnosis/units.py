"""Are values in the unit they say: refused values, centres a factor apart, medians out of place."""

import numpy as np

from features.analytes import ANALYTES
from features.derived import DERIVED
from training.diagnosis.evidence import Evidence
from training.diagnosis.finding import Finding, Status

__all__ = ["units", "values"]

REFUSED_WARN, REFUSED_REFUSE = 0.05, 0.2
"""Shares of the subjects whose visits could not be used."""

MOST_COLUMNS = 5
"""Columns named that are not read."""

LEAST_VALUES = 20
FACTOR_APART = 4.0
"""Centres differ by assay and case mix, but their medians not by this; confusions of units begin
with 10."""

EXPLAINED_WITHIN = 2.0
"""A shift is taken for a confusion of units when it lies within this factor of one."""

SMM_USUAL = {
    "m_protein": (0.0, 3.63),
    "uninvolved_flc": (1.3, 19.2),
    "bmpc": (10.0, 52.0),
    "hemoglobin": (10.9, 15.1),
    "creatinine": (0.60, 1.30),
    "albumin": (3.3, 4.6),
    "ldh": (113.0, 403.0),
}
"""5th and 95th percentile in 214 people with smouldering myeloma (Bustoros M, Nat Commun 2022;13:
3449, doi:10.1038/s41467-022-30694-w), in canonical units. A cohort's median outside is no usual
cohort; MGUS differs in the marrow alone."""


def values(evidence: Evidence) -> Finding:
    """Subjects refused for impossible or contradictory values, values doubted, columns not read."""
    people = evidence.people
    refused = len(people.visits.refusals())
    doubted = sum(f.severity == "doubted" for f in people.visits.findings)
    share = refused / people.subjects
    told = [f"values doubted: {doubted}"] if doubted else []
    told += people.passed_over[:MOST_COLUMNS]
    # Last, since a fault is told in parts of its own.
    told.append(people.refusals() or "every subject's visits can be used")
    status: Status = "pass"
    if share > REFUSED_WARN:
        status = "refuse" if share > REFUSED_REFUSE else "warn"
    advice = "mend the column or its unit; who is refused is in no model"
    figures = {"refused": refused, "share": share, "doubted": doubted}
    return Finding("values", status, "; ".join(told), "" if status == "pass" else advice, figures)


def units(evidence: Evidence) -> Finding:
    """Tests whose median at a centre, or in the whole cohort, looks like another unit."""
    centred, figures = _between_centres(evidence)
    unusual, medians = _against_the_usual(evidence)
    figures |= medians
    told = [
        f"{name}: median outside the usual range{_reads_as(name, away)}"
        for name, away in unusual.items()
    ]
    if not centred and not told:
        found = "medians lie where they should, and alike at all centres"
        return Finding("units", "pass", found, "", figures)
    certain = centred or any(_unit_of(name, away) for name, away in unusual.items())
    found = "; ".join((*centred, *told))
    advice = "check these units at their source, and convert or declare them"
    return Finding("units", "refuse" if certain else "warn", found, advice, figures)


def _between_centres(evidence: Evidence) -> tuple[list[str], dict[str, float]]:
    """Centres whose median is a factor from everybody else's, and all the ratios."""
    people = evidence.people
    at = people.centre[people.history.subject]
    found, figures = [], {}
    for name in _measured(evidence):
        lab = people.history.labs[name]
        positive = lab > 0
        for code, centre in enumerate(people.centres):
            here, there = lab[positive & (at == code)], lab[positive & (at != code)]
            if min(here.size, there.size) < LEAST_VALUES:
                continue
            ratio = float(np.median(here) / np.median(there))
            if max(ratio, 1 / ratio) >= FACTOR_APART:
                figures[f"{name} at {centre}"] = ratio
                found.append(
                    f"{name} at {centre}: median {ratio:.3g} times that of the other centres"
                    f"{_reads_as(name, ratio)}"
                )
    return found, figures


def _against_the_usual(evidence: Evidence) -> tuple[dict[str, float], dict[str, float]]:
    """Quantities whose median is unusual, by what factor from the middle; and all medians."""
    labs = evidence.people.history.labs
    unusual, figures = {}, {}
    for name, (low, high) in SMM_USUAL.items():
        if name not in labs or (name == "bmpc" and evidence.study.population != "smm"):
            continue
        known = labs[name][~np.isnan(labs[name])]
        if known.size < LEAST_VALUES:
            continue
        median = float(np.median(known))
        figures[f"median {name}"] = median
        if not low <= median <= high:
            unusual[name] = median / _middle(low, high)
    return unusual, figures


def _middle(low: float, high: float) -> float:
    return (low + high) / 2 if low == 0 else float(np.sqrt(low * high))


def _measured(evidence: Evidence) -> list[str]:
    """Tests with more than one unit to be confused."""
    labs = evidence.people.history.labs
    return [n for n, a in ANALYTES.items() if a.kind == "lab" and len(a.units) > 1 and n in labs]


def _reads_as(name: str, ratio: float) -> str:
    unit = _unit_of(name, ratio)
    return "" if unit is None else f", as if {unit[0]} stood for {unit[1]}"


def _unit_of(name: str, ratio: float) -> tuple[str, str] | None:
    """The confusion of units that shifts values by about a ratio: the true unit, the one named."""
    analyte = ANALYTES["kappa_flc" if name in DERIVED else name]
    for unit, factor in analyte.units.items():
        for shift, pair in ((1 / factor, (unit, analyte.unit)), (factor, (analyte.unit, unit))):
            if factor != 1 and 1 / EXPLAINED_WITHIN < ratio / shift < EXPLAINED_WITHIN:
                return pair
    return None
