"""The words of the pages, one file per language.

What the code itself names – tests, criteria, stages, rules – is read from there in English, so
that it is written once; every other language has it in its file.
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from features.analytes import ANALYTES
from features.criteria import CRITERIA, STAGES
from features.derived import DERIVED
from models.trial import TRIALS, load_trial

__all__ = ["LANGUAGES", "SIGN", "Texts", "texts"]

LANGUAGES = ("en", "de")
"""The first is that of people whose language is not here."""

SIGN = "\xa0%"
"""The sign of percent, which stays on the line of its number."""


class Texts(dict[str, Any]):
    """Words of a language or of one of its sections, by key and, for templates, as attributes.

    There is one object of each, by which what was said is remembered.
    """

    __hash__ = object.__hash__  # type: ignore[assignment]

    def __init__(self, words: Mapping[str, Any]) -> None:
        super().__init__(
            {
                key: Texts(each) if isinstance(each, dict) else each.replace(" %", SIGN)
                for key, each in words.items()
            }
        )
        self.__dict__ = self


@cache
def texts(language: str) -> Texts:
    """Words in a language, by section and key."""
    source = resources.files("serving.web").joinpath("texts", f"{language}.toml")
    words = tomllib.loads(source.read_text("utf-8"))
    if language != LANGUAGES[0]:
        return Texts(words)
    return Texts(_named_in_code() | words | {"input": _inputs() | words["input"]})


def _named_in_code() -> dict[str, Any]:
    trials = [load_trial(name) for name in TRIALS]
    return {
        "criterion": {c.name: c.rule.replace(">=", "≥") for c in CRITERIA.values()},
        "stage": {stage: stage for stage in STAGES},
        "rule": {rule.text: rule.text.replace(">=", "≥") for t in trials for rule in t.rules},
        "trial_note": {trial.name: trial.note for trial in trials},
    }


def _inputs() -> dict[str, str]:
    derived = {name: label for name, (_, label) in DERIVED.items()}
    return {analyte.name: analyte.label for analyte in ANALYTES.values()} | derived
