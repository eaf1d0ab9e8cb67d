"""A model card in German: what training writes by itself is said, what a person wrote is kept."""

import ast
import re
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

import training
from serving.web.card import card_html, card_words
from serving.web.feature_names import feature_name
from serving.web.messages import said
from serving.web.texts import LANGUAGES, texts
from training.candidates import CANDIDATES
from training.cohorts import installable_cohort
from training.diagnosis import CHECKS
from training.fit import train
from training.judge import judge_panel
from training.panel import panel
from training.performance import Settings
from training.report.card import as_markdown, card_of
from training.report.checklists import TRIPOD_AI
from training.simulation import simulate_cohort
from training.study import Folds, read_study
from training.tables import PERSON, out_of_fold_tables

ENGLISH = re.compile(r'<(\w+)[^>]* lang="en"[^>]*>(.*?)</\1>', re.DOTALL)


@pytest.fixture(scope="module", params=["mgus", "smm"])
def cards(request: pytest.FixtureRequest) -> dict[str, str]:
    """The card of a training, as it would be at each outcome of the gate."""
    cohort = (
        simulate_cohort(400, seed=11) if request.param == "smm" else installable_cohort("mgus2")
    )
    study = replace(read_study(request.param), folds=Folds(count=3, repeats=1))
    trained = train(cohort, study, candidate="logistic", seed=1, refits=0)
    given = panel(*out_of_fold_tables(trained), cluster_column=PERSON)
    judged = judge_panel(given, Settings(thresholds=study.gate.thresholds))
    finals = {"passed": trained.candidate, "refused": trained.candidate, "rule": trained.rule}
    return {
        gate: as_markdown(card_of(trained, final, judged, given, version="2", gate=gate))
        for gate, final in finals.items()
    }


def test_nothing_that_training_writes_into_a_card_is_left_in_english(
    cards: dict[str, str],
) -> None:
    for markdown in cards.values():
        html = card_html(markdown, "de")
        assert [text for _, text in ENGLISH.findall(html)] == []
        assert "NOCH ZU SCHREIBEN" in html
        assert "TODO" not in html


def test_the_page_shows_the_card_in_its_language(
    client: Any, room: Any, cards: dict[str, str]
) -> None:
    (room.models_dir / "smm-progression" / "card.md").write_text(cards["refused"])
    for language, heading in (("de", "Die Prüfung"), ("en", "The gate")):
        page = client.get(f"/ui/models/smm-progression?lang={language}").text
        assert f"<h3>{heading}</h3>" in page
        assert ' lang="' not in page.partition("<body>")[2].partition('class="model-card"')[2]


def test_a_card_has_the_same_numbers_in_every_language(cards: dict[str, str]) -> None:
    for markdown in cards.values():
        english, german = (digits(card_html(markdown, language)) for language in ("en", "de"))
        assert german == english


def digits(html: str) -> list[str]:
    return sorted(re.findall(r"\d+", re.sub(r"<[^>]+>", " ", html)))


def test_a_card_is_shown_in_english_as_it_was_written(cards: dict[str, str]) -> None:
    html = card_html(cards["passed"], "en")
    assert "<td>Funding</td>\n<td>TODO</td>" in html
    assert 'lang="' not in html


def test_what_a_person_wrote_is_kept_and_marked_as_english() -> None:
    card = "## Inputs\n\n| asks for | answer |\n| - | - |\n| Funding | By the ward |\n"
    html = card_html(card, "de")
    assert "<h3>Eingaben</h3>" in html
    assert '<td>Finanzierung</td>\n<td lang="en">By the ward</td>' in html


@pytest.mark.parametrize("gap", ["", "\n"], ids=["tight", "loose"])
def test_english_items_of_a_list_are_marked_and_german_ones_in_it_are_not(gap: str) -> None:
    items = ["By the ward\n  on two lines", "**Funding** by us\n  - Funding", "Funding"]
    html = card_html("\n".join(f"- {item}{gap}" for item in items), "de")
    assert [re.sub("<[^>]+>", "", text) for _, text in ENGLISH.findall(html)] == [
        "By the ward\non two lines",
        "Funding by us",
    ]
    assert html.count("Finanzierung") == 2
    assert "lang=" not in card_html("- By the ward", "en")


def test_every_check_item_and_learner_has_its_german_name() -> None:
    for name in (*CHECKS, *(asked for _, asked in TRIPOD_AI)):
        assert card_words(name, "de") is not None, name
    for candidate in CANDIDATES.values():
        assert said(candidate.label, texts("de")) != candidate.label


def test_every_sentence_of_the_catalogue_is_found_by_its_own_english() -> None:
    source = resources.files("serving.web").joinpath("texts", "card.de.toml")
    for english, german in tomllib.loads(source.read_text("utf-8")).items():
        assert set(re.findall(r"{\w+}", german)) == set(re.findall(r"{\w+}", english)), english
        shown = re.sub(r"\{([a-z])\w*\}", lambda place: {"n": "2"}.get(place[1], "x"), english)
        assert card_words(shown, "de") is not None, english


@pytest.mark.parametrize(
    ("english", "german"),
    [
        ("1,234 (0.9 to 12.0)", "1.234 (0,9 bis 12,0)"),
        ("5% of rows censored", None),
        ("rule, 5 years: 47 progressions; if these differ, so would the result.",
         "Regel, 5 Jahre: 47 Progressionen; unterscheiden sich diese, täte es auch das Ergebnis."),
        ("2y: 5% of rows censored before, effective size 95%",
         "2 J: 5 % der Zeilen zuvor zensiert, wirksamer Umfang 95 %"),
        ("overridden: our own data", "übergangen: our own data"),
    ],
)  # fmt: skip
def test_a_sentence_is_said_with_its_numbers(english: str, german: str | None) -> None:
    assert card_words(english, "de") == german


def test_a_text_that_ends_in_many_full_stops_is_kept() -> None:
    assert card_words("Wait" + "." * 3000, "de") is None


TRAINING = Path(training.__file__).parent
WRITERS = (
    *(TRAINING / "report" / f"{name}.py" for name in ("card", "checklists", "facts", "diagnosis")),
    *sorted((TRAINING / "diagnosis").glob("*.py")),
    *sorted((TRAINING / "gate").glob("*.py")),
    *(
        TRAINING / "metrics" / f"{name}.py"
        for name in ("aalen_johansen", "brier", "calibration", "censoring", "discrimination")
    ),
)
"""What writes into a card: its sections, the findings and checks in them, and why a measure has
no value."""

ELSEWHERE = {
    # How a training that was refused can go on: said where it was started.
    *("more refused", "nothing can be trained without it", "or --override", "--because reason"),
    *("expected why", "is overridden", "in at most"),
    # What was found in an artefact: said when it is not registered, a card counts it.
    *("is of no kind that belongs there", "is a pickle", "a list"),
    *("has an entry for each training", "holds a training row"),
}


def own_words(path: Path) -> Iterator[str]:
    """Runs of a module's own words, those between what it fills in, that are no docstrings."""
    tree = ast.parse(path.read_text("utf-8"))
    passed: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise):
            passed.update(ast.walk(node))
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            passed.add(node.value)
    for node in ast.walk(tree):
        if node not in passed and isinstance(node, ast.Constant) and isinstance(node.value, str):
            for run in re.split(r"; |\. |: |, ", node.value):
                words = run.strip(" ,;:.()0").lower()
                if re.search(r"[a-z]{2,}", words) and " " in words and "|" not in words:
                    yield words


@pytest.mark.parametrize("path", WRITERS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_sentence_that_training_can_write_into_a_card_has_its_german(path: Path) -> None:
    source = resources.files("serving.web").joinpath("texts", "card.de.toml")
    known = "\n".join(tomllib.loads(source.read_text("utf-8"))).lower()
    unknown = {words for words in own_words(path) if words not in known}
    assert unknown - ELSEWHERE == set()


def test_a_reason_is_never_taken_for_a_rule_that_is_not_met() -> None:
    reason = "not estimable: a predicted risk of exactly 0 or 1 has no logit"
    # "not" stands before rules of staging and trials too, which have words of their own.
    assert card_words(reason, "de") == (
        "nicht schätzbar: ein vorhergesagtes Risiko von genau 0 oder 1 hat keinen logit"
    )
    assert said("not at all a rule", texts("de")) == "not at all a rule"


@pytest.mark.parametrize("language", LANGUAGES)
def test_features_of_a_card_have_the_names_of_the_catalogue(
    cards: dict[str, str], language: str
) -> None:
    html = card_html(cards["passed"], language)
    for study in ("smm", "mgus"):
        for feature in read_study(study).features:
            assert f"<td>{feature}</td>" not in html
            assert feature_name(feature, texts(language)) is not None, feature
    assert f"<td>{texts(language)['input']['m_protein']} (g/dL)</td>" in html
    # What a person wrote in English stays as it is.
    assert "our m_protein_g_dl" in card_html("our m_protein_g_dl, twice", "de")
