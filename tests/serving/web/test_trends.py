from typing import Any

import pytest

from features.trends import EVOLVING_RULES
from serving.answer import Answered, answer
from serving.lineup import NOTHING_LEARNED
from serving.request import read_risk
from serving.web.form import EXAMPLE, read_form
from serving.web.texts import texts
from serving.web.trends import rule_in_words, trends

GERMAN = texts("de")


def shown(today: int, **changed: str) -> dict[str, Any]:
    request, _ = read_risk(read_form({**EXAMPLE, **changed}).document)
    (told,) = answer([request], NOTHING_LEARNED.choose(["20-2-20"]), today=today, cards={})
    assert isinstance(told, Answered)
    return {each.analyte: each for each in trends(told.features, told.place, texts("en"))}


def test_a_rise_of_the_published_size_is_shown_as_evolving(today: int) -> None:
    # 19 -> 24 g/L is +0.5 g/dL within a year (rule: 0.2 in 1.5 years); haemoglobin fell 1.0 (1.5).
    found = shown(today)
    assert found["m_protein"].evolving
    assert (found["m_protein"].first, found["m_protein"].last) == (1.9, 2.4)
    assert not found["hemoglobin"].evolving


def test_values_and_rules_are_shown_in_the_unit_they_were_typed_in(today: int) -> None:
    form = read_form(EXAMPLE)
    (told,) = answer(
        [read_risk(form.document)[0]], NOTHING_LEARNED.choose(["20-2-20"]), today=today, cards={}
    )
    assert isinstance(told, Answered)
    found = {each.analyte: each for each in trends(told.features, told.place, GERMAN, form.units)}
    protein, blood = found["m_protein"], found["hemoglobin"]
    assert (round(protein.first, 9), round(protein.last, 9), protein.unit) == (19.0, 24.0, "g/L")
    # 0.2 g/dL = 2 g/L; 1.5 g/dL = 15 g/L.
    assert protein.rule == "ein Anstieg um 2\xa0g/L oder mehr binnen 18 Monaten"
    assert blood.rule == "ein Abfall um 15\xa0g/L oder mehr binnen 12 Monaten"


def test_values_after_the_day_asked_about_are_not_drawn(today: int) -> None:
    assert shown(today)["m_protein"].visits == 3
    assert shown(today, as_of="2025-04-01")["m_protein"].visits == 2
    assert "m_protein" not in shown(today, as_of="2024-10-01")


def test_a_constant_value_runs_through_the_middle(today: int) -> None:
    same = {f"visits[{i}].labs.creatinine.value": "80" for i in range(3)}
    heights = {point.split(",")[1] for point in shown(today, **same)["creatinine"].points.split()}
    assert heights == {"17.0"}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("m_protein", "a rise of 0.2\xa0g/dL or more within 18 months"),
        ("hemoglobin", "a fall of 1.5\xa0g/dL or more within 12 months"),
        ("flc_ratio_involved", "a rise of 20 or more within 24 months"),
        ("creatinine", "a rise of 25\xa0% or more within 12 months"),
    ],
)
def test_the_rules_are_said_as_published(name: str, words: str) -> None:
    assert rule_in_words(EVOLVING_RULES[name], texts("en")) == words
