"""The model card: what a registered version is, for whom, how good, and what is not known.

One content, two forms: Markdown for the registry, HTML for the page (Mitchell M, FAT* 2019,
doi:10.1145/3287560.3287596; rows of TRIPOD+AI, Collins GS, BMJ 2024;385:e078378).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from training.diagnosis import HEADER, Diagnosis
from training.fit import Final, Trained
from training.judgement import Judgement
from training.panel import Panel
from training.report.checklists import TODO, probast, tripod
from training.report.diagnosis import DIAGNOSIS, caption
from training.report.facts import training_facts
from training.report.html import Html, element, table
from training.report.page import NOTICE, document
from training.report.words import decimal, percent, share

__all__ = ["Card", "Section", "Table", "as_html", "as_markdown", "card_of"]

SIMULATED = (
    "Demonstration: trained on a simulated cohort; its risks are not evidence about any patient."
)


@dataclass(frozen=True, slots=True)
class Table:
    """A caption, a header and rows of text."""

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with paragraphs and tables."""

    heading: str
    paragraphs: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()


@dataclass(frozen=True, slots=True)
class Card:
    """A title and its sections."""

    title: str
    sections: tuple[Section, ...]


def card_of(
    trained: Trained,
    final: Final,
    judgement: Judgement,
    given: Panel,
    *,
    version: str,
    gate: str,
) -> Card:
    """The card of one registered version.

    Parameters
    ----------
    trained, final
        The training, and the one of its models that was registered.
    judgement, given
        Of its out-of-fold risks.
    version, gate
        Number in the registry; ``passed``, ``refused`` or ``rule``.
    """
    facts = training_facts(trained, final)
    checklist = Table(
        "Filled from the training where it can be; the rest is for a person to write",
        ("item", "asks for", "answer"),
        tuple(tripod(judgement, given, facts)),
    )
    return Card(
        f"{final.model.label}, version {version}",
        (
            _what(trained, final, gate),
            _use(trained),
            _inputs(final),
            _diagnosis(trained.diagnosis),
            _performance(final, judgement),
            _gate(trained, gate),
            Section("Risk of bias (PROBAST+AI)", tuple(probast(judgement, given))),
            Section("Reporting (TRIPOD+AI)", tables=(checklist,)),
        ),
    )


def as_markdown(card: Card) -> str:
    """The card as GitHub-flavoured Markdown."""
    parts = [f"# {card.title}"]
    for section in card.sections:
        parts += [f"## {section.heading}", *section.paragraphs]
        parts += [_markdown_table(found) for found in section.tables]
    return "\n\n".join(parts) + "\n"


def as_html(card: Card) -> str:
    """The card as one HTML document that needs nothing else."""
    body = (element("h1", card.title), *(part for s in card.sections for part in _html(s)))
    return document(card.title, body)


def _html(section: Section) -> Iterator[Html]:
    yield element("h2", section.heading)
    for paragraph in section.paragraphs:
        yield element("p", paragraph)
    for found in section.tables:
        yield table(found.caption, found.header, found.rows)


def _markdown_table(found: Table) -> str:
    lines = [found.header, tuple("---" for _ in found.header), *found.rows]
    rows = "\n".join(f"| {' | '.join(_cell(text) for text in line)} |" for line in lines)
    return f"{found.caption}:\n\n{rows}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _what(trained: Trained, final: Final, gate: str) -> Section:
    told = final.model.provenance
    kind = () if told["cohort_kind"] == "real" else (SIMULATED,)
    facts = (
        ("registry name", trained.study.registry_name),
        ("learner", told["learner"]),
        ("gate", gate),
        ("study", f"{told['study']}, SHA-256 {told['study_hash']}"),
        ("cohort", f"{told['cohort']} ({told['cohort_kind']})"),
        ("rows, SHA-256", told["cohort_digest"]),
        ("subjects, progressions", f"{told['subjects']}, {told['progressions']}"),
        ("seed", str(trained.seed)),
    )
    return Section(
        "What it is",
        (f"{final.model.citation}.", *kind),
        (Table("Provenance", ("what", "value"), facts),),
    )


def _use(trained: Trained) -> Section:
    population = trained.study.population.upper()
    return Section(
        "What it is for",
        (
            NOTICE,
            f"It answers for people with {population}, from routine laboratory values. It is not "
            "for people with a myeloma-defining event or under treatment.",
            f"Who should use it where, and how its answers are acted on: {TODO}.",
        ),
    )


def _inputs(final: Final) -> Section:
    model = final.model
    need = dict.fromkeys(model.necessary, "necessary") | dict.fromkeys(model.expected, "expected")
    rows = tuple(
        (name, need.get(name, "may be missing"), f"{low:.4g} to {high:.4g}")
        for name, (low, high) in zip(model.features, model.plausible, strict=True)
    )
    header = ("input", "need", "5th to 95th percentile in the cohort")
    return Section("Inputs", tables=(Table("Features of the model", header, rows),))


def _diagnosis(diagnosis: Diagnosis) -> Section:
    rows = tuple(diagnosis.table())
    return Section(DIAGNOSIS, tables=(Table(caption(diagnosis), HEADER, rows),))


def _performance(final: Final, judgement: Judgement) -> Section:
    name = final.model.provenance["candidate"]
    rows: Sequence[tuple[str, ...]] = [
        (
            row.model + (" *" if row.model == name else ""),
            f"{row.horizon_years:g}",
            share(row.observed),
            percent(row.predicted),
            decimal(row.oe, 2),
            decimal(row.calibration_slope_logit, 2),
            decimal(row.auc),
            share(row.ipa),
        )
        for row in judgement.rows
    ]
    header = ("model", "years", "observed", "predicted", "O/E", "slope", "AUC", "IPA")
    marked = f"The one marked * is this model; {judgement.level:.0%} intervals"
    return Section(
        "How good it is",
        ("Out of fold: every subject was predicted by models that had not seen them.",),
        (Table(marked, header, tuple(rows)),),
    )


def _gate(trained: Trained, gate: str) -> Section:
    told = {
        "passed": "The candidate of this training kept every limit of its study.",
        "refused": "The candidate of this training failed a limit of its study.",
        "rule": "This is the published rule with the risks observed in the cohort; the limits "
        "below are of the candidate that stood against it.",
    }
    rows = tuple(
        (
            check.name,
            f"not measured: {check.reason}" if check.value is None else f"{check.value:.4g}",
            check.limit,
            "–" if check.value is None else "kept" if check.passed else "FAILED",
        )
        for check in trained.verdict.checks
    )
    header = ("limit", "found", "must be", "verdict")
    return Section("The gate", (told[gate],), (Table(trained.verdict.candidate, header, rows),))
