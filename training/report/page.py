"""The report as one HTML file: no script, no font, no request; it opens from disk."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from training.diagnosis import Diagnosis
from training.judgement import Judgement
from training.panel import Panel
from training.performance import Settings
from training.report.by_tenth import ByTenth
from training.report.checklists import probast, tripod
from training.report.contents import Contents, contents
from training.report.diagnosis import diagnosis_section
from training.report.figures import (
    calibration_figure,
    decision_figure,
    distribution_figure,
    flow_figure,
    incidence_figure,
)
from training.report.html import Html, element, figure, table
from training.report.tables import (
    contrasts,
    instability,
    performance,
    reclassified,
    risk_groups,
    subgroups,
)
from training.report.words import compared, counted, in_years, summary

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
    drawn = drawn or report_contents(given, settings or Settings(), judgement)
    return document(
        title,
        (
            element("h1", title),
            element("p", NOTICE, class_="notice"),
            *_summary(judgement),
            *diagnosis_section(diagnosis),
            *_flow(drawn),
            *performance(judgement),
            *_curves(drawn),
            *contrasts(judgement),
            *(reclassified(found) for found in drawn.reclassified),
            *subgroups(judgement),
            *instability(drawn),
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


def report_contents(
    given: Panel, settings: Settings, judgement: Judgement, instability: Sequence[ByTenth] = ()
) -> Contents:
    """What the report draws: the page shows it, `plain` makes JSON of it."""
    return contents(
        given,
        threshold=settings.thresholds[-1],
        reference=settings.reference,
        acting=judgement.strategies,
        instability=instability,
    )


def _summary(judgement: Judgement) -> Iterator[Html]:
    yield element("h2", "In short", id="summary")
    for row in judgement.rows:
        yield element("p", summary(row))
    if judgement.contrasts:
        yield element("ul", *(element("li", compared(row)) for row in judgement.contrasts))


def _flow(drawn: Contents) -> Iterator[Html]:
    yield element("h2", "Subjects and events", id="flow")
    for flow in drawn.flows:
        stacked = flow.subjects != flow.people
        of = f", of {counted(flow.subjects, flow.people)}" if stacked else ""
        whose = f" ({flow.people_progressed} people)" if stacked else ""
        caption = (
            f"By {in_years(flow.horizon_years)}{of}: {flow.events} progressed{whose}, "
            f"{flow.competing} died first, {flow.censored} were censored, {flow.followed} were "
            "followed event-free."
        )
        yield figure(flow_figure(flow), caption)
    yield figure(
        incidence_figure(drawn.incidence),
        "Observed risk over time (Aalen–Johansen): death is not counted as censoring.",
    )


def _curves(drawn: Contents) -> Iterator[Html]:
    yield element("h2", "Calibration, usefulness and distribution of risks", id="curves")
    for horizon in dict.fromkeys(curves.horizon_years for curves in drawn.curves):
        some = [curves for curves in drawn.curves if curves.horizon_years == horizon]
        yield element("h3", in_years(horizon))
        yield figure(
            calibration_figure(some),
            "Calibration: smooth observed risk with its band; dots are tenths of the cohort.",
        )
        for curves in some:
            if curves.calibration.reason is not None:
                reason = f"{curves.model}: no smooth curve, {curves.calibration.reason}."
                yield element("p", reason)
        acting = [curve for curve in drawn.strategies if curve.horizon_years == horizon]
        yield figure(
            decision_figure(some, acting), "Decision curve: the dead count as not progressed."
        )
        for curves in some:
            yield figure(
                distribution_figure(curves),
                f"{curves.model}: risks of those who progressed (up) and did not (down).",
            )
            yield risk_groups(curves)


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
