"""Tables of the report: what the judgement says, in rows and columns."""

from collections.abc import Iterator, Mapping

from training.judgement import Judgement, Performance
from training.metrics.contrasts import Contrast
from training.report.contents import Contents, Curves, Reclassified
from training.report.figures import instability_figure
from training.report.html import Html, element, figure, table
from training.report.words import decimal, p_value, percent, share


def performance(judgement: Judgement) -> Iterator[Html]:
    """Discrimination, calibration and net benefit of models and strategies."""
    yield element("h2", "Performance", id="performance")
    yield table(
        f"Models and horizons, with {judgement.level:.0%} intervals",
        ("model", "years", "n", "progressed", "observed risk", "mean predicted", "O/E", "AUC",
         "Brier", "IPA", "concordance"),
        (
            (
                *_identity(row),
                _of_people(row.events, row.people_progressed),
                share(row.observed),
                percent(row.predicted),
                decimal(row.oe, 2),
                decimal(row.auc),
                decimal(row.brier, 4),
                share(row.ipa),
                decimal(row.concordance),
            )
            for row in judgement.rows
        ),
    )  # fmt: skip
    yield table(
        "Calibration: intercept 0 and slope 1 are ideal; ICI, E50 and E90 are distances in risk",
        ("model", "years", "n", "intercept", "slope", "intercept (logit)", "slope (logit)", "ICI",
         "E50", "E90"),
        (
            (
                *_identity(row),
                decimal(row.calibration_intercept, 2),
                decimal(row.calibration_slope, 2),
                decimal(row.calibration_intercept_logit, 2),
                decimal(row.calibration_slope_logit, 2),
                decimal(row.ici, 4),
                decimal(row.e50, 4),
                decimal(row.e90, 4),
            )
            for row in judgement.rows
        ),
    )  # fmt: skip
    yield table(
        "Net benefit, and how much the weights rest on few",
        ("model", "years", "n", "threshold", "net benefit", "of the most to gain",
         "largest weight", "effective sample size"),
        (
            (
                *_identity(row),
                percent(float(threshold), 0),
                decimal(benefit, 4),
                share(row.net_benefit_standardised[threshold], 0),
                f"{row.max_weight:.2f}",
                f"{row.effective_sample_size:.0f}",
            )
            for row in judgement.rows
            for threshold, benefit in row.net_benefit.items()
        ),
    )  # fmt: skip
    yield table(
        "Acting on a given group instead; treating nobody is worth 0",
        ("strategy", "years", "n", "acted on", "observed risk among them", "threshold",
         "net benefit", "of the most to gain"),
        (
            (
                row.strategy,
                f"{row.horizon_years:g}",
                f"{row.n:,}",
                f"{row.flagged:,}",
                share(row.observed),
                percent(float(threshold), 0),
                decimal(benefit, 4),
                share(row.net_benefit_standardised[threshold], 0),
            )
            for row in judgement.strategies
            for threshold, benefit in row.net_benefit.items()
        ),
    )  # fmt: skip


def risk_groups(curves: Curves) -> Html:
    """Observed risk in groups of similar predicted risk."""
    return table(
        f"{curves.model}, {curves.horizon_years:g} years: observed risk by predicted risk",
        ("group", "n", "progressed", "mean predicted", "observed"),
        (
            (
                str(number),
                str(group.subjects),
                str(group.events),
                percent(group.predicted),
                share(group.observed),
            )
            for number, group in enumerate(curves.groups, start=1)
        ),
    )


def contrasts(judgement: Judgement) -> Iterator[Html]:
    """Paired differences."""
    if not judgement.contrasts:
        return
    yield element("h2", "Contrasts", id="contrasts")
    yield table(
        "Model minus reference on the same subjects; for the Brier score below 0 is better",
        ("model", "reference", "years", "n", "difference", "estimate", "p", "interval by"),
        (
            (
                row.model,
                row.reference,
                f"{row.horizon_years:g}",
                f"{row.n:,}",
                name,
                decimal(found.delta, 4),
                p_value(found.p),
                row.interval,
            )
            for row in judgement.contrasts
            for name, found in _differences(row.delta_auc, row.delta_brier, row.delta_net_benefit)
        ),
    )


def reclassified(found: Reclassified) -> Html:
    """Whom two models would treat differently."""
    acts = {True: "acts", False: "does not"}
    return table(
        f"Whom {found.model} and {found.reference} would treat differently at "
        f"{percent(found.threshold, 0)}, {found.horizon_years:g} years",
        (found.reference, found.model, "n", "progressed", "died first", "observed risk"),
        (
            (
                acts[cell.reference_flags],
                acts[cell.model_flags],
                str(cell.subjects),
                str(cell.events),
                str(cell.competing),
                share(cell.observed),
            )
            for cell in found.cells
        ),
    )


def subgroups(judgement: Judgement) -> Iterator[Html]:
    """Performance in parts of the cohort."""
    if not judgement.subgroups:
        return
    yield element("h2", "Subgroups", id="subgroups")
    yield table(
        "Performance in parts of the cohort",
        ("subgroup", "level", "model", "years", "n", "progressed", "observed risk", "O/E", "AUC"),
        (
            (
                part.subgroup,
                part.level,
                *_identity(part.performance),
                _of_people(part.performance.events, part.performance.people_progressed),
                share(part.performance.observed),
                decimal(part.performance.oe, 2),
                decimal(part.performance.auc),
            )
            for part in judgement.subgroups
        ),
    )


def instability(drawn: Contents) -> Iterator[Html]:
    """What refitted models would have said, where there are any."""
    if drawn.instability:
        yield element("h2", "Instability", id="instability")
    for found in drawn.instability:
        thresholds = list(found.tenths[0].flips)
        yield figure(
            instability_figure(found),
            f"{found.model}, {found.horizon_years:g} years: had the cohort been another one from "
            f"the same clinic, {found.replicates} refitted models would have said this.",
        )
        yield table(
            "Means by tenth of the cohort, lowest risk first; a flip is a refitted model on the "
            "other side of the threshold",
            ("tenth", "risk", "95 % of refitted risks", "mean distance",
             *(f"flips at {percent(p, 0)}" for p in thresholds)),
            (
                (
                    str(number),
                    percent(tenth.risk),
                    f"{percent(tenth.lower)} to {percent(tenth.upper)}",
                    percent(tenth.mean_absolute_error),
                    *(percent(tenth.flips[p]) for p in thresholds),
                )
                for number, tenth in enumerate(found.tenths, start=1)
            ),
        )  # fmt: skip


def _identity(row: Performance) -> tuple[str, str, str]:
    return row.model, f"{row.horizon_years:g}", _of_people(row.n, row.people)


def _of_people(rows: int, people: int) -> str:
    """A number of rows, and of the people that they are of where that is another."""
    return f"{rows:,}" if rows == people else f"{rows:,} ({people:,} people)"


def _differences(
    area: Contrast, brier: Contrast, benefit: Mapping[str, Contrast]
) -> Iterator[tuple[str, Contrast]]:
    yield "AUC", area
    yield "Brier", brier
    for threshold, found in benefit.items():
        yield f"net benefit at {percent(float(threshold), 0)}", found


__all__ = ["contrasts", "instability", "performance", "reclassified", "risk_groups", "subgroups"]
