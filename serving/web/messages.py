"""What the code says in English, in the language of the page.

The English sentences stand in the catalogue with places for what varies; a sentence that matches
one is said in the other language, a part at a time where it has several. What matches none stays
English: a citation, a name.
"""

import re
from collections.abc import Mapping
from functools import cache, lru_cache

from features.criteria import CRITERIA
from serving.web.labels import orders_label
from serving.web.numbers import localised, unit_label
from serving.web.texts import LANGUAGES, SIGN, Texts, texts

__all__ = ["said"]

GAP = re.compile(r"\{\w+\}")
PLACE = re.compile(r"\\{(\w+)\\}")
UCUM = re.compile(r"umol/L\b|mg/\(24\.h\)|ug/mL\b|ukat/L\b|mL/min/\{1\.73_m2\}")
"""Each begins with its own letter: a search that has to look at word boundaries takes long."""


@lru_cache(1024)
def said(text: str, t: Texts) -> str:
    """A sentence of the code in the words of a language.

    Examples
    --------
    >>> said("must lie within 30-220 g/L", texts("de"))
    'muss im Bereich 30–220 g/L liegen'
    >>> said("needs m_protein, bmpc", texts("de"))
    'braucht M-Protein im Serum, Klonale Plasmazellen im Knochenmark'
    """
    return "; ".join(_part(part, t) for part in text.split("; "))


def _part(text: str, t: Texts) -> str:
    if rules := _rules(text, t):
        return rules
    patterns = _patterns()
    for own, key, pattern in patterns.get(text.partition(" ")[0], patterns[""]):
        if own in text and (found := pattern.fullmatch(text)):
            if "rule" in found.groupdict() and not _rules(found["rule"], t):
                continue
            filled = {name: _filled(name, value, t) for name, value in found.groupdict().items()}
            return str(t["message"][key]).format(**filled)
    return UCUM.sub(lambda unit: unit_label(unit[0]), text)


def _rules(text: str, t: Texts) -> str:
    """Rules of staging and of trials by their own words; empty where a text is something else."""
    places, one = _known_rules()
    if not re.fullmatch(f"(?:{one})(?:, (?:{one}))*", text):
        return ""
    found = [places[rule] for rule in re.findall(one, text)]
    return ", ".join([str(t[section][key]) for section, key in found])


@cache
def _known_rules() -> tuple[Mapping[str, tuple[str, str]], str]:
    """Rules of the code to where the catalogue has them, and a pattern of any one of them."""
    places = {each.rule: ("criterion", each.name) for each in CRITERIA.values()}
    places |= {text: ("rule", text) for text in texts(LANGUAGES[0])["rule"]}
    return places, "|".join(re.escape(rule) for rule in sorted(places, key=len, reverse=True))


@cache
def _patterns() -> Mapping[str, list[tuple[str, str, re.Pattern[str]]]]:
    """English sentences that can begin with a word, those with most of their own words first.

    Each is the longest of its own words, its key and its pattern. Under "" stand those that begin
    with a place, and so with any word.
    """
    told: dict[str, str] = texts(LANGUAGES[0])["message"]
    english = {key: words.replace(SIGN, " %") for key, words in told.items()}
    ordered = sorted(english.items(), key=lambda item: -len(GAP.sub("", item[1])))
    begun = {key: re.match(r"(?!\{)\S*", words) for key, words in ordered}
    first = {key: found[0] if found else "" for key, found in begun.items()}
    return {
        word: [
            (
                max(GAP.split(words), key=len),
                key,
                re.compile(PLACE.sub(r"(?P<\1>.+)", re.escape(words))),
            )
            for key, words in ordered
            if first[key] in (word, "")
        ]
        for word in {"", *first.values()}
    }


def _filled(name: str, value: str, t: Texts) -> str:
    """What stands in a place: inputs by their names, stages and trials as people say them."""
    if name == "inputs":
        return orders_label(value.split(", "), t)
    if name in ("sentence", "rule", "learner"):
        return said(value, t)
    if name == "criteria":
        named = [str(t["criterion"].get(each, "")) for each in value.split(", ")]
        return ", ".join(named) if all(named) else said(value, t)
    if name == "stage":
        return str(t["stage"].get(value, value))
    if name == "range":
        value = value.replace("-", "–").replace(" %", SIGN)
    if name in ("range", "bound", "number", "unit"):
        return UCUM.sub(lambda unit: unit_label(unit[0]), localised(value, t))
    return value
