"""The report as one HTML file: no script, no font, no request; it opens from disk."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from training.diagnosis import Diagnosis
from training.judgement import Judgement, Performance
from training.metrics.contrasts import Contrast
from training.panel import Panel
from training.performance import Settings
from training.report.checklists import probast, tripod
from training.report.contents import Contents, Curves, Reclassified, contents
from training.report.diagnosis import diagnosis_section
from training.report.figures import (
    calibration_figure,
    decision_figure,
    distribution_figure,
    flow_figure,
    incidence_figure,
)
from training.report.html import Html, element, figure, table
from training.report.words import compared, decimal, p_value, percent, share, summary

NOTICE = (
    "Research and trial pre-screening, not a medical device. These numbers describe the cohort "
    "they were computed on; they support, and do not replace, clinical judgement."
)
_STYLE = Path(__file__).with_name("report.css")


def report_page(
    judgement: Judgement,
    given: Panel,
    *,
    title: str,
    settings: Settings | None = None,
    facts: Mapping[str, str] | None = None,
    drawn: Contents | None = None,
    diagnosis: Diagnosis | None = None,
) -> str:
    """The whole report as HTML text.

    Parameters
    ----------
    judgement
        The estimates.
    given
        The risks and outcomes they were made from, for the figures.
    title
        Heading.
    settings
        How it was judged; defaults when None.
    facts
        Answers to TRIPOD+AI items that the data cannot give, by item.
    drawn
        What is drawn, computed already.
    diagnosis
        Of the training whose risks these are.
    """
    drawn = drawn or report_contents(given, settings or Settings())
    return document(
        title,
        (
            element("h1", title),
            element("p", NOTICE, class_="notice"),
            *_summary(judgement),
            *diagnosis_section(diagnosis),
            *_flow(drawn),
            *_performance(judgement),
            *_curves(drawn),
            *_contrasts(judgement),
            *(_reclassification(found) for found in drawn.reclassified),
            *_subgroups(judgement),
            *_checklists(judgement, given, facts),
        ),
    )


def document(title: str, parts: Iterable[Html]) -> str:
    """One HTML file of these parts, in the report's style."""
    head = element(
        "head",
        Html('<meta charset="utf-8">'),
        Html('<meta name="viewport" content="width=device-width, initial-scale=1">'),
        Html(
            '<meta http-equiv="Content-Security-Policy" '
            "content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        ),
        element("title", title),
        element("style", Html(_STYLE.read_text(encoding="utf-8"))),
    )
    page = element("html", head, element("body", element("main", *parts)), lang="en")
    return f"<!doctype html>\n{page}\n"


def report_contents(given: Panel, settings: Settings) -> Contents:
    """What the report draws: the page shows it, `plain` makes JSON of it."""
    return contents(given, threshold=settings.thresholds[-1], reference=settings.reference)


def _summary(judgement: Judgement) -> Iterator[Html]:
    yield element("h2", "In short", id="summary")
    for row in judgement.rows:
        yield element("p", summary(row))
    if judgement.contrasts:
        yield element("ul", *(element("li", compared(row)) for row in judgement.contrasts))


def _flow(drawn: Contents) -> Iterator[Html]:
    yield element("h2", "Subjects and events", id="flow")
    for flow in drawn.flows:
        caption = (
            f"By {flow.horizon_years:g} years: {flow.events} progressed, {flow.competing} died "
            f"first, {flow.censored} were censored, {flow.followed} were followed event-free."
        )
        yield figure(flow_figure(flow), caption)
    yield figure(
        incidence_figure(drawn.incidence),
        "Observed risk over time (Aalen–Johansen): death is not counted as censoring.",
    )


def _performance(judgement: Judgement) -> Iterator[Html]:
    yield element("h2", "Performance", id="performance")
    yield table(
        f"Models and horizons, with {judgement.level:.0%} intervals",
        ("model", "years", "n", "progressed", "observed risk", "mean predicted", "O/E", "AUC",
         "Brier", "IPA", "concordance"),
        (
            (
                *_identity(row),
                str(row.events),
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
        ("model", "years", "n", "threshold", "net benefit", "largest weight",
         "effective sample size"),
        (
            (
                *_identity(row),
                percent(float(threshold), 0),
                decimal(benefit, 4),
                f"{row.max_weight:.2f}",
                f"{row.effective_sample_size:.0f}",
            )
            for row in judgement.rows
            for threshold, benefit in row.net_benefit.items()
        ),
    )  # fmt: skip


def _identity(row: Performance) -> tuple[str, str, str]:
    return row.model, f"{row.horizon_years:g}", f"{row.n:,}"


def _curves(drawn: Contents) -> Iterator[Html]:
    yield element("h2", "Calibration, usefulness and distribution of risks", id="curves")
    for horizon in dict.fromkeys(curves.horizon_years for curves in drawn.curves):
        some = [curves for curves in drawn.curves if curves.horizon_years == horizon]
        yield element("h3", f"{horizon:g} years")
        yield figure(
            calibration_figure(some),
            "Calibration: smooth observed risk with its band; dots are tenths of the cohort.",
        )
        for curves in some:
            if curves.calibration.reason is not None:
                reason = f"{curves.model}: no smooth curve, {curves.calibration.reason}."
                yield element("p", reason)
        yield figure(decision_figure(some), "Decision curve: the dead count as not progressed.")
        for curves in some:
            yield figure(
                distribution_figure(curves),
                f"{curves.model}: risks of those who progressed (up) and did not (down).",
            )
            yield _groups(curves)


def _groups(curves: Curves) -> Html:
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


def _contrasts(judgement: Judgement) -> Iterator[Html]:
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


def _differences(
    area: Contrast, brier: Contrast, benefit: Mapping[str, Contrast]
) -> Iterator[tuple[str, Contrast]]:
    yield "AUC", area
    yield "Brier", brier
    for threshold, found in benefit.items():
        yield f"net benefit at {percent(float(threshold), 0)}", found


def _reclassification(found: Reclassified) -> Html:
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


def _subgroups(judgement: Judgement) -> Iterator[Html]:
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
                str(part.performance.events),
                share(part.performance.observed),
                decimal(part.performance.oe, 2),
                decimal(part.performance.auc),
            )
            for part in judgement.subgroups
        ),
    )


def _checklists(
    judgement: Judgement, given: Panel, facts: Mapping[str, str] | None
) -> Iterator[Html]:
    yield element("h2", "Reporting and risk of bias", id="reporting")
    yield element("h3", "PROBAST+AI: what a reviewer would ask")
    yield element("ul", *(element("li", hint) for hint in probast(judgement, given)))
    yield element("h3", "TRIPOD+AI")
    yield table(
        "Filled where the data allow; the rest is for the authors",
        ("item", "asks for", "answer"),
        tripod(judgement, given, facts),
    )


__all__ = ["NOTICE", "document", "report_contents", "report_page"]
