"""TRIPOD+AI items filled where the data allow and left TODO where not; hints for PROBAST+AI.

TRIPOD+AI: Collins GS, BMJ 2024;385:e078378 (27 items, 52 sub-items; named here in our own words).
PROBAST+AI: Moons KGM, BMJ 2025;388:e082505.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from training.judgement import Judgement, Performance
from training.metrics.estimate import Estimate
from training.panel import Panel

TODO = "TODO"
EVERY_MODEL = "every model"
# A validation with fewer is imprecise (Collins GS, Stat Med 2016, doi:10.1002/sim.6787).
EVENTS_FOR_VALIDATION = 100
# Our own limit: from here on a single subject can move an estimate visibly.
LARGE_WEIGHT = 10.0

TRIPOD_AI: tuple[tuple[str, str], ...] = (
    ("1", "Title: development or evaluation, population, outcome"),
    ("2", "Abstract"),
    ("3a", "Healthcare context and why the model is needed"),
    ("3b", "Target population, purpose and users"),
    ("3c", "Known inequalities between groups"),
    ("4", "Objectives"),
    ("5a", "Sources of data"),
    ("5b", "Dates of the data"),
    ("6a", "Setting and centres"),
    ("6b", "Eligibility"),
    ("6c", "Treatments received"),
    ("7", "Data preparation and quality checks"),
    ("8a", "Outcome, its time horizon and how it is assessed"),
    ("8b", "Who assessed the outcome, if judgement is needed"),
    ("8c", "Blinding of outcome assessment"),
    ("9a", "Choice of predictors"),
    ("9b", "Definition of predictors"),
    ("9c", "Who assessed predictors, if judgement is needed"),
    ("10", "Sample size"),
    ("11", "Missing data"),
    ("12a", "How the data were used and split"),
    ("12b", "How predictors were handled"),
    ("12c", "Kind of model and how it was built"),
    ("12d", "Heterogeneity between clusters"),
    ("12e", "Measures of performance"),
    ("12f", "Model updating"),
    ("12g", "How predictions were calculated"),
    ("13", "Class imbalance"),
    ("14", "Fairness"),
    ("15", "What the model puts out"),
    ("16", "Differences between development and evaluation data"),
    ("17", "Ethical approval"),
    ("18a", "Funding"),
    ("18b", "Conflicts of interest"),
    ("18c", "Protocol"),
    ("18d", "Registration"),
    ("18e", "Data sharing"),
    ("18f", "Code sharing"),
    ("19", "Patient and public involvement"),
    ("20a", "Flow of participants and number of outcomes"),
    ("20b", "Characteristics of participants"),
    ("20c", "Comparison with the development data"),
    ("21", "Participants and outcomes in each analysis"),
    ("22", "The full model"),
    ("23a", "Performance with intervals"),
    ("23b", "Heterogeneity of performance"),
    ("24", "Results of updating"),
    ("25", "Interpretation"),
    ("26", "Limitations"),
    ("27a", "Poor or missing input at use"),
    ("27b", "Users' interaction and expertise"),
    ("27c", "Next steps"),
)


def tripod(
    judgement: Judgement, given: Panel, facts: Mapping[str, str] | None = None
) -> list[tuple[str, str, str]]:
    """Item, what it asks, and the answer or TODO.

    Parameters
    ----------
    judgement, given
        What was judged.
    facts
        Answers by item from elsewhere, such as the metadata of a training run.
    """
    answers = {**_from_data(judgement, given), **(facts or {})}
    return [(item, asked, answers.get(item, TODO)) for item, asked in TRIPOD_AI]


def probast(judgement: Judgement, given: Panel) -> list[str]:
    """What a reviewer of risk of bias would ask about these numbers."""
    told = ((row, hint) for row in judgement.rows for hint in _hints(row, given))
    hints = _gathered(judgement, told)
    hints.append(
        "Not seen in the numbers: whether predictors were known at the time of prediction, whether "
        "these subjects were used to fit or choose a model, and how missing values were handled."
    )
    return hints


def _hints(row: Performance, given: Panel) -> Iterator[str]:
    # Landmarks of one person are no new progressions.
    if row.people_progressed < EVENTS_FOR_VALIDATION:
        yield (
            f"{row.people_progressed} progressions; below {EVENTS_FOR_VALIDATION} an evaluation "
            "is imprecise, read the intervals."
        )
    if row.max_weight > LARGE_WEIGHT:
        yield (
            f"one subject stands for up to {row.max_weight:.0f}; few are followed to this horizon."
        )
    if row.trimmed:
        yield f"{row.trimmed} censoring weights were limited."
    if row.n < given.timeline.size:
        yield (
            f"no risk for {given.timeline.size - row.n:,} of {given.timeline.size:,} subjects; if "
            "these differ, so would the result."
        )
    if _certainly_below(row.calibration_slope, 1):
        yield (
            "calibration slope below 1, as of an overfit model; was it evaluated on other people "
            "than it was fitted on?"
        )


def _gathered(judgement: Judgement, told: Iterable[tuple[Performance, str]]) -> list[str]:
    """What is said of rows, once where it is said of every model at a horizon."""
    models: dict[tuple[float, str], list[str]] = {}
    for row, text in told:
        models.setdefault((row.horizon_years, text), []).append(row.model)
    judged = Counter(row.horizon_years for row in judgement.rows)
    return [
        f"{name}, {horizon:g} years: {text}"
        for (horizon, text), named in models.items()
        for name in ([EVERY_MODEL] if 1 < len(named) == judged[horizon] else named)
    ]


def _participants(row: Performance) -> str:
    ends = f"{row.competing} deaths first, {row.censored} censored"
    if row.n == row.people:
        return f"{row.n:,} subjects, {row.events} progressions, {ends}"
    return (
        f"{row.n:,} landmarks of {row.people:,} subjects, {row.events} before a progression of "
        f"{row.people_progressed:,} subjects, {ends}"
    )


def _from_data(judgement: Judgement, given: Panel) -> dict[str, str]:
    horizons = ", ".join(f"{h:g}" for h in given.horizons_years)
    analysed = _gathered(judgement, ((row, _participants(row)) for row in judgement.rows))
    largest = max(judgement.rows, key=lambda row: row.horizon_years)
    filled = {
        "8a": f"Progression within {horizons} years; death before progression competes. How "
        f"progression is assessed: {TODO}",
        "10": f"{largest.people:,} subjects, {largest.people_progressed} progressions by "
        f"{largest.horizon_years:g} years. Whether that was planned: {TODO}",
        "12e": "AUC(t), Brier score and IPA, O/E, calibration intercept, slope and curve with ICI, "
        "E50 and E90, concordance, net benefit; censoring by inverse-probability weights, death as "
        f"a competing event; {judgement.level:.0%} intervals by influence functions.",
        "15": "Risk of progression by each horizon, within 0–1.",
        "20a": "See the flow of subjects.",
        "21": "; ".join(analysed),
        "23a": "See the tables of performance and contrasts.",
    }
    if judgement.subgroups:
        names = ", ".join(dict.fromkeys(row.subgroup for row in judgement.subgroups))
        filled |= {
            "14": f"Performance by {names}; see the subgroup table.",
            "23b": f"By {names}; see the subgroup table.",
        }
    return filled


def _certainly_below(estimate: Estimate, limit: float) -> bool:
    return estimate.upper is not None and estimate.upper < limit
