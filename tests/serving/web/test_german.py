"""Nothing on a German page is left in English but names, and what is marked as English."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from markupsafe import escape

from models.catalogue import PUBLISHED
from models.trial import TRIALS, load_trial
from serving.web.form import EXAMPLE, GATE
from serving.web.messages import said
from serving.web.texts import texts

GERMAN = texts("de")
BROKEN = Path(__file__).parents[2] / "data" / "broken" / "expected.json"

ENGLISH_WORDS = re.compile(
    r"\b(and|are|be|been|but|by|cannot|could|do|does|each|every|for|from|has|have|how|if|into|is|it"
    r"|its|kept|least|many|may|missing|most|must|no|nor|not|of|on|only|other|out|says|than|that|the"
    r"|their|there|these|they|this|to|unless|until|unusual|when|where|which|whose|with|within|you"
    r"|your|needs)\b",
    re.IGNORECASE,
)
"""Words of English sentences that German has not; names of models and journals do without them."""


class Visible(HTMLParser):
    """Text that a German reader is meant to read: what is marked as another language is not."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.foreign: list[str] = []
        self.depth: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.texts += [
            v for k in ("aria-label", "placeholder", "alt", "title") if (v := given.get(k))
        ]
        if tag in ("input", "meta", "link", "img", "br"):
            return
        self.depth.append(tag)
        if self.foreign or given.get("lang", "de") != "de" or tag in ("script", "style", "code"):
            self.foreign.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self.foreign and len(self.foreign) and self.foreign[-1] == tag:
            self.foreign.pop()

    def handle_data(self, data: str) -> None:
        if not self.foreign and data.strip():
            self.texts.append(" ".join(data.split()))


CITED = [load_trial(name).citation for name in TRIALS]
CITED += [model.citation for model in PUBLISHED.values()]
MADE_UP = ["Progression from SMM", "made for tests"]
"""Label and provenance of the model of these tests."""


def english(html: str) -> list[str]:
    """Texts of a page with words of English sentences in them."""
    for name in (*CITED, *MADE_UP):
        html = html.replace(str(escape(name)), "")
    reader = Visible()
    reader.feed(html.partition("<body>")[2])
    return [text for text in dict.fromkeys(reader.texts) if ENGLISH_WORDS.search(text)]


def test_an_english_sentence_would_be_found() -> None:
    page = '<body><p>Die Liste</p><p>excluded by: active myeloma</p><p lang="en">of the</p></body>'
    assert english(page) == ["excluded by: active myeloma"]


PEOPLE: dict[str, dict[str, str]] = {
    "nobody": {"action": "clear"},
    "the example": {**EXAMPLE, "action": "ask"},
    "with problems": {
        **EXAMPLE,
        "action": "ask",
        "visits[0].labs.hemoglobin.value": "1340",
        "visits[1].labs.hemoglobin.value": "1,340",
        "visits[2].date": "03/04/2025",
        **{f"gate.{name}": "yes" for name in GATE},
    },
    "with doubts": {
        **EXAMPLE,
        "action": "ask",
        "visits[0].labs.hemoglobin.value": "190",
        "visits[2].labs.flc_ratio_kappa_lambda.value": "2",
        "as_of": "2025-05-01",
    },
    "hardly known": {
        "action": "ask",
        "subject.sex": "male",
        "subject.age": "70",
        "visits[0].date": "2025-03-01",
        "visits[0].labs.hemoglobin.value": "9",
        "visits[0].labs.m_protein.value": "1",
    },
    "IgM": {**EXAMPLE, "action": "ask", "subject.heavy_chain": "IgM"},
}


@pytest.mark.parametrize("person", PEOPLE)
def test_one_patient_is_answered_in_german(client: Any, person: str) -> None:
    page = client.post("/ui/?lang=de", data=PEOPLE[person]).text
    assert '<html lang="de">' in page
    assert english(page) == []


@pytest.mark.parametrize("path", ["models", "models/smm-progression", "screening"])
def test_other_pages_are_german(client: Any, path: str) -> None:
    assert english(client.get(f"/ui/{path}?lang=de").text) == []


@pytest.mark.parametrize("trial", TRIALS)
def test_the_list_is_german_for_every_trial(lists: Any, page: str, trial: str) -> None:
    files = {"list": (None, lists.held(page)), "trial": (None, trial)}
    assert english(lists.post("/ui/screening/list?lang=de", files=files).text) == []


def test_columns_and_what_is_wrong_with_them_are_german(lists: Any) -> None:
    files = {"file": ("list.csv", lists.LIST.replace("creatinine_mg_dl", "Krea").encode())}
    shown = lists.post("/ui/screening?lang=de", files=files).text
    assert english(shown) == []
    form = lists.mapped(shown) | {"column-0": ""}
    again = lists.post("/ui/screening?lang=de", files={n: (None, v) for n, v in form.items()})
    assert again.status_code == 422
    assert english(again.text) == []


def test_every_line_about_a_broken_file_is_said_in_german() -> None:
    for name, told in json.loads(BROKEN.read_text(encoding="utf-8")).items():
        for line in [told.get("stops", ""), *told.get("says", [])]:
            sentence = line.partition(": ")[2] if "stops" in told else line
            for part in filter(None, sentence.split("; ")):
                if "R4" not in part:
                    assert said(part, GERMAN) != part, (name, part)
