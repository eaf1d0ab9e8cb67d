"""Every word of the pages stands in the catalogue, in every language."""

import re
from importlib import resources
from typing import Any

import pytest

from serving.web.texts import LANGUAGES, texts

TEMPLATES = sorted(
    (file for file in resources.files("serving.web").joinpath("templates").iterdir()),
    key=lambda file: file.name,
)
SPOKEN = ("aria-label", "alt", "title", "placeholder", "content")
NAMED_BY_VALUE = {
    *("number", "nav", "input", "criterion", "stage", "model", "option", "group", "kind", "gate"),
    *("screening.status", "screening.field"),
    *("field", "test", "risk_group", "feature", "feature_name", "message", "echo", "drivers"),
    *("trial_note", "look"),
}
"""Sections whose words are looked up by what they name; other tests ask for each of them."""
FORMATS = {"JSON", "CSV", "XLSX", "FHIR"}
SAME_IN_ALL = {"width=device-width, initial-scale=1", "light dark"}


def flat(words: dict[str, Any], before: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in words.items():
        name = f"{before}{key}"
        found |= flat(value, f"{name}.") if isinstance(value, dict) else {name: value}
    return found


WORDS = {language: flat(texts(language)) for language in LANGUAGES}


def test_every_language_has_every_word() -> None:
    for language in LANGUAGES[1:]:
        assert WORDS[language].keys() == WORDS["en"].keys()


def test_every_word_names_the_same_things_to_fill_in() -> None:
    for key, english in WORDS["en"].items():
        for language in LANGUAGES:
            said = WORDS[language][key]
            assert said.strip()
            assert set(re.findall(r"{\w*}", said)) == set(re.findall(r"{\w*}", english)), key


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda file: file.name)
def test_no_template_says_anything_by_itself(template: Any) -> None:
    html = template.read_text("utf-8")
    html = re.sub(r"{#.*?#}|{%.*?%}|{{.*?}}", "", html, flags=re.DOTALL)
    for name, value in re.findall(r"""([\w-]+)=["']([^"']*)["']""", html):
        assert name not in SPOKEN or value in SAME_IN_ALL or not re.search(r"[^\W\d_]", value)
    between = re.sub(r"""[\w-]+=["'][^"']*["']""", " ", re.sub(r"<[^>]*>", " ", html))
    assert set(re.findall(r"[^\W\d_]{2,}", between)) <= FORMATS


def test_every_word_of_the_catalogue_is_used() -> None:
    code = "".join(
        file.read_text("utf-8")
        for folder in ("", "templates")
        for file in resources.files("serving.web").joinpath(folder).iterdir()
        if file.is_file()
    )
    for key in WORDS["en"]:
        section, _, name = key.rpartition(".")
        if section not in NAMED_BY_VALUE and not key.startswith("rule."):
            assert re.search(rf"\b{name}\b", code), key
