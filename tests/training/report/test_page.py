import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from training.judge import judge_panel
from training.metrics.estimate import Estimate
from training.metrics.instability import instability_of
from training.panel import Panel, panel
from training.performance import Settings
from training.report.by_tenth import ByTenth
from training.report.checklists import TODO, TRIPOD_AI, probast, tripod
from training.report.contents import contents
from training.report.page import report_contents, report_page
from training.report.words import summary

ORACLES = Path(__file__).parents[2] / "oracles"
TABLE = pd.read_csv(ORACLES / "mgus2.csv")
SETTINGS = Settings(thresholds=(0.05, 0.1))
VOID = {"meta", "br"}


@pytest.fixture(scope="module")
def given() -> Panel:
    ids = [f"id-7h3k-{k}" for k in range(len(TABLE))]
    outcomes = TABLE[["duration_years", "event"]].assign(subject_id=ids)
    risks = [
        pd.DataFrame(
            {"subject_id": ids, "model": model, "horizon_years": 10.0, "risk": TABLE[column]}
        )
        for model, column in (("<good>", "good"), ("rule", "rule"))
    ]
    return panel(pd.concat(risks), outcomes)


@pytest.fixture(scope="module")
def page(given: Panel) -> str:
    return report_page(judge_panel(given, SETTINGS), given, title="MGUS", settings=SETTINGS)


class Balanced(HTMLParser):
    """Refuses an element that is closed by another."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_every_element_is_closed(page: str) -> None:
    parser = Balanced()
    parser.feed(page)
    assert parser.open == []


def test_nothing_is_fetched(page: str) -> None:
    assert "<script" not in page and "<link" not in page and "@import" not in page
    # What is left of addresses are names of XML dialects and references within the page.
    for address in re.findall(r'(?:src|href)="([^"]*)"', page):
        assert address.startswith("#")
    assert not re.findall(r"url\((?!#|&quot;#)", page)


def test_text_from_outside_is_escaped(page: str) -> None:
    assert "&lt;good&gt;" in page
    assert "<good>" not in page


def test_no_subject_is_named(page: str) -> None:
    assert "7h3k" not in page


def test_the_page_has_every_part(page: str) -> None:
    for part in ("summary", "flow", "performance", "curves", "contrasts", "reporting"):
        assert f'id="{part}"' in page
    assert page.count("<svg") == 1 + 1 + 1 + 1 + 2
    assert "Research and trial pre-screening, not a medical device" in page


def test_the_same_judgement_gives_the_same_page(given: Panel, page: str) -> None:
    again = report_page(judge_panel(given, SETTINGS), given, title="MGUS", settings=SETTINGS)
    assert again == page


def test_the_flow_counts_everyone_once(given: Panel) -> None:
    flow = contents(given, threshold=0.1).flows[0]
    assert flow.events + flow.competing + flow.censored + flow.followed == flow.subjects == 1384
    # R survival 3.5-3 on mgus2: 83 progressions and 698 deaths first within 10 years.
    assert (flow.events, flow.competing) == (83, 698)


def test_distributions_are_shares(given: Panel) -> None:
    for curves in contents(given, threshold=0.1).curves:
        found = curves.distribution
        for shares in (found.progressed, found.free, found.died):
            assert shares.sum() == pytest.approx(1)


def test_the_summary_says_observed_expected_and_ranking(given: Panel) -> None:
    row = judge_panel(given, SETTINGS).row("rule", 10.0)
    text = summary(row)
    assert "of 1,384 people, 6.4 %" in text
    # The rule says 30 % to 331 of 1,384 and 10 % to the others: 14.8 % on average.
    assert "the model expected 14.8 %, which is too much" in text
    # R's AUC of the rule at 10 years, in riskregression.csv: 0.622.
    assert "62 times in 100" in text


def test_tripod_has_27_items_in_52_parts_and_invents_nothing(given: Panel) -> None:
    numbers = {re.sub(r"\D", "", item) for item, _ in TRIPOD_AI}
    assert len(TRIPOD_AI) == 52 and len(numbers) == 27
    rows = {item: answer for item, _, answer in tripod(judge_panel(given, SETTINGS), given)}
    assert rows["17"] == TODO and rows["5b"] == TODO
    assert "83 progressions" in rows["21"]
    told = tripod(judge_panel(given, SETTINGS), given, {"5b": "1960 to 1994"})
    assert ("5b", "Dates of the data", "1960 to 1994") in told


def test_hints_name_few_events_and_missing_subjects(given: Panel) -> None:
    hints = probast(judge_panel(given, SETTINGS), given)
    assert any("83 progressions; below 100" in hint for hint in hints)


@pytest.fixture(scope="module")
def stacked(given: Panel) -> Panel:
    """Everybody at two landmarks."""
    outcomes = TABLE[["duration_years", "event"]]
    rows = pd.concat([outcomes, outcomes], ignore_index=True)
    rows = rows.assign(subject_id=rows.index, person=rows.index % len(TABLE))
    risk = np.tile(TABLE["rule"], 2)
    risks = pd.DataFrame(
        {"subject_id": rows.index, "model": "rule", "horizon_years": 10.0, "risk": risk}
    )
    again = risks.assign(model="again")
    return panel(pd.concat([risks, again]), rows, cluster_column="person")


def test_a_person_at_two_landmarks_is_nowhere_two_people(stacked: Panel) -> None:
    judgement = judge_panel(stacked, SETTINGS)
    assert "at 2,768 landmarks of 1,384 people, 6.4 %" in summary(judgement.row("rule", 10.0))
    told = {item: answer for item, _, answer in tripod(judgement, stacked)}
    of = "2,768 landmarks of 1,384 subjects, 166 before a progression of 83 subjects"
    assert told["21"].startswith(f"every model, 10 years: {of}")
    assert told["10"].startswith("1,384 subjects, 83 progressions by 10 years")
    page = report_page(judgement, stacked, title="MGUS", settings=SETTINGS)
    assert "2,768 (1,384 people)" in page
    assert "166 (83 people)" in page
    assert "2,768 landmarks of 1,384 people: 166 progressed (83 people)" in page


def test_progressions_are_enough_by_people_and_not_by_landmarks(stacked: Panel) -> None:
    # 166 rows would be enough, 83 people are not.
    hints = probast(judge_panel(stacked, SETTINGS), stacked)
    assert hints[0].startswith("every model, 10 years: 83 progressions; below 100")
    assert sum("progressions" in hint for hint in hints) == 1


def test_a_gain_that_may_be_chance_is_not_called_one(given: Panel) -> None:
    row = judge_panel(given, SETTINGS).row("rule", 10.0)
    unsure = replace(row, net_benefit={"0.1": Estimate(0.002, 0.002, -0.002, 0.006)})
    assert "acting at 10 % is not shown to pay (0.002 (-0.002 to 0.006))" in summary(unsure)
    sure = replace(row, net_benefit={"0.1": Estimate(0.0012, 0.0001, 0.001, 0.0014)})
    assert "acting at 10 % is worth 1 progression found per 1,000 people" in summary(sure)
    landmarks = replace(sure, people=sure.n // 2)
    assert "is worth 1 progression found per 1,000 landmarks" in summary(landmarks)


def test_one_year_is_no_years(given: Panel) -> None:
    row = replace(judge_panel(given, SETTINGS).row("rule", 10.0), horizon_years=1.0)
    assert "progressed within 1 year;" in summary(row)


def test_a_page_is_made_of_what_cannot_be_estimated_too() -> None:
    outcomes = pd.DataFrame({"subject_id": [1, 2, 3], "duration_years": 1.0, "event": 0})
    risks = pd.DataFrame(
        {"subject_id": [1, 2, 3], "model": "m", "horizon_years": 5.0, "risk": np.full(3, 0.2)}
    )
    lost = panel(risks, outcomes)
    text = report_page(judge_panel(lost, SETTINGS), lost, title="Lost", settings=SETTINGS)
    assert "not estimable: follow-up ends before 5 years" in text
    assert "nan" not in re.sub(r"<svg.*?</svg>", "", text, flags=re.DOTALL).lower()


def test_strategies_and_refits_are_shown_where_there_are_any(given: Panel) -> None:
    judgement = judge_panel(given, SETTINGS)
    risk = given.cells["rule", 10.0].risk
    instability = [ByTenth.of("rule", 10.0, instability_of(risk, risk[None], thresholds=(0.1,)))]
    drawn = report_contents(given, SETTINGS, judgement, instability)
    page = report_page(judgement, given, title="MGUS", settings=SETTINGS, drawn=drawn)
    assert 'id="instability"' in page
    assert "flips at 10 %" in page
    assert "treat all" in page
    without = report_page(judgement, given, title="MGUS", settings=SETTINGS)
    assert 'id="instability"' not in without
