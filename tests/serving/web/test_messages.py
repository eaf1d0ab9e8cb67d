import re

import pytest

from models.catalogue import PUBLISHED
from serving.answer import Refused, answer
from serving.lineup import DEMONSTRATION, NOTHING_LEARNED
from serving.request import read_risk
from serving.values import DERIVED_SHOWN
from serving.web.form import EXAMPLE, GATE, read_form
from serving.web.messages import said
from serving.web.texts import SIGN, texts
from serving.web.treatment import REPORTED

ENGLISH, GERMAN = texts("en"), texts("de")

FAULTS: dict[str, dict[str, str]] = {
    "impossible": {"visits[0].labs.hemoglobin.value": "1340"},
    "unusual": {"visits[0].labs.hemoglobin.value": "190"},
    "unusually high": {"visits[0].labs.ldh.value": "1500"},
    "age": {"subject.age": "111"},
    "unusual age": {"subject.age": "29"},
    "no age": {"subject.age": ""},
    "no number": {"visits[0].labs.hemoglobin.value": "high"},
    "two numbers": {"visits[0].labs.hemoglobin.value": "1,340"},
    "sex": {"subject.sex": "other"},
    "future": {"visits[2].date": "2027-01-01"},
    "before all": {"as_of": "2020-01-01"},
    "asked in future": {"as_of": "2027-01-01"},
    "after": {"as_of": "2025-05-01"},
    "before diagnosis": {"subject.diagnosis_date": "2099-01-01"},
    "two days": {"visits[2].date": "03/04/2025"},
    "no day": {"visits[2].date": ""},
    "twice": {"visits[1].date": "2024-09-17"},
    "unit": {"units.hemoglobin": "furlong"},
    "ratio": {"visits[2].labs.flc_ratio_kappa_lambda.value": "2"},
    **{name: {f"gate.{name}": "yes"} for name in GATE},
}


def words(today: int, changed: dict[str, str]) -> set[str]:
    """What the code says of a form with a fault."""
    form = read_form({**EXAMPLE, **changed})
    request, _ = read_risk(form.document)
    (told,) = answer([request], NOTHING_LEARNED.choose(None), today=today, cards={})
    found = {problem.expected for problem in form.problems}
    if isinstance(told, Refused):
        return found | {form.named(problem).expected for problem in told.errors}
    return found | {warning["message"] for warning in told.document["warnings"]}


@pytest.mark.parametrize("fault", FAULTS)
def test_every_problem_of_a_form_is_said_in_german(today: int, fault: str) -> None:
    found = words(today, FAULTS[fault])
    assert found
    for message in found:
        for part in message.split("; "):
            assert said(part, GERMAN) != part, part


def test_every_reason_not_to_answer_is_said_in_german(today: int) -> None:
    reasons = set()
    for dropped in ("bmpc", "kappa_flc", "m_protein", "hemoglobin", "creatinine"):
        form = read_form({**EXAMPLE, **{f"visits[{i}].labs.{dropped}.value": "" for i in range(3)}})
        request, _ = read_risk(form.document)
        (told,) = answer([request], NOTHING_LEARNED.choose(None), today=today, cards={})
        assert not isinstance(told, Refused)
        reasons |= {e["reason"] for e in told.document["estimates"] if e.get("reason")}
    assert len(reasons) > 5
    for reason in reasons:
        for part in reason.split("; "):
            assert said(part, GERMAN) != part, part


def test_a_part_after_another_is_said_too() -> None:
    assert said("must lie within 30-220 g/L; it looks like a value in umol/L", GERMAN) == (
        "muss im Bereich 30–220 g/L liegen; es sieht nach einem Wert in µmol/L aus"
    )


def test_the_notice_the_treatment_and_the_computed_are_said_in_german() -> None:
    statements = [
        f"{of.drug}: hazard ratio {of.hazard_ratio:g} ({of.interval[0]:g}-{of.interval[1]:g}) for "
        f"{of.outcome}, in {of.population}"
        for trial in REPORTED
        if (of := trial.treatment) is not None
    ]
    for text in (DEMONSTRATION, *statements, *(how for _, _, how in DERIVED_SHOWN.values())):
        for part in text.split("; "):
            assert said(part, GERMAN) != part, part


def test_english_stays_as_it_is_but_for_the_signs_of_units() -> None:
    for message in ("must lie within 30–220 g/L", "needs Age", *map(str, ENGLISH["kind"].values())):
        assert said(message, ENGLISH) == message
    assert said("must lie within 9-1800 umol/L", ENGLISH) == "must lie within 9–1800 µmol/L"


def test_a_citation_is_never_touched() -> None:
    for model in PUBLISHED.values():
        assert said(model.citation, ENGLISH) == model.citation
        # What stands between two citations is no citation.
        between = (
            "risks with death competing from",
            "Risiken mit Tod als konkurrierendem Ereignis aus",
        )
        assert said(model.citation, GERMAN) == model.citation.replace(*between)


def test_every_message_can_be_found_again_by_its_own_words() -> None:
    rule = next(iter(ENGLISH["rule"]))
    for key, words in ENGLISH["message"].items():
        english = words.replace(SIGN, " %").replace("{rule}", rule)
        filled = re.sub(r"{(\w+)}", "7", english)
        if said(filled, GERMAN) == GERMAN["message"][key]:
            continue
        german = GERMAN["message"][key].replace("{rule}", GERMAN["rule"][rule])
        expected = re.sub(r"{\w+}", "7", german)
        assert said(filled, GERMAN) == expected, key
