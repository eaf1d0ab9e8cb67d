"""A model card on the page: from Markdown to HTML, in the language of the page.

Training writes a card once, in English. What it says by itself stands in the card's catalogue of
every other language, by the English sentence; what a person wrote into it stays as it is and is
marked as English.
"""

import re
import tomllib
from collections.abc import Iterator
from functools import cache, lru_cache
from importlib import resources
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.token import Token

from serving.web.feature_names import feature_name
from serving.web.messages import said
from serving.web.texts import LANGUAGES, SIGN, texts

__all__ = ["card_html", "card_words"]

LARGEST_HEADING = 3
"""A card's own title is dropped and its sections become parts of the page's section."""

MARKDOWN = (
    MarkdownIt("commonmark", {"html": False}).enable("table").disable(["image", "html_block"])
)

GAP = re.compile(r"\{\w+\}")
NUMBERS = r"-?[\d.,]+(?:e-?\d+)?(?: ?%)?(?:, [\d.]+)*"
KINDS = {"n": NUMBERS, "f": r"\S+"}
"""What stands in a place, by the first letter of its name; anything in others."""

FIGURES = re.compile(r"[-–\d.,%() /]+(?:(?:to|e)[-–\d.,%() ]+)?")
"""Numbers with their interval and nothing else."""

FEATURE = re.compile(r"(?<![\w-])[a-z]\w*_\w+(?![\w-])|^male$")
"""A word that may name a feature: most have a part for their quantity and one for their unit."""

BETWEEN_PARTS = ("; ", ". ", ", ")


@lru_cache(64)
def card_html(markdown: str, language: str) -> str:
    """A card as HTML: raw HTML is text, images are not shown, headings fit the page."""
    tokens = list(_without_title(MARKDOWN.parse(markdown)))
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1]) + LARGEST_HEADING - 2, 6)}"
        if token.type == "table_open":
            token.attrSet("class", "list")
    for opening, inline in pairwise(tokens):
        if inline.type == "inline" and _translated(opening, inline, language):
            for child in inline.children or ():
                if child.type == "text":
                    child.content = _named(child.content, language)
    html: str = MARKDOWN.renderer.render(tokens, MARKDOWN.options, {})
    return html.replace(" %", SIGN)


def _named(text: str, language: str) -> str:
    """A text with the features of a model by the names people call them."""

    def name(found: re.Match[str]) -> str:
        return feature_name(found[0], texts(language)) or found[0]

    return FEATURE.sub(name, text)


def _translated(opening: Token, inline: Token, language: str) -> bool:
    """Whether a text is in a language now; else it is marked as what it is."""
    if language == LANGUAGES[0]:
        return True
    words = card_words(inline.content, language)
    if words is not None:
        inline.children = MARKDOWN.parseInline(words)[0].children
        return True
    if " " not in inline.content:
        return True
    if opening.hidden:
        # A paragraph without a tag of its own, in a list without blank lines.
        mark = Token("span_open", "span", 1, attrs={"lang": LANGUAGES[0]})
        inline.children = [mark, *(inline.children or ()), Token("span_close", "span", -1)]
    else:
        opening.attrSet("lang", LANGUAGES[0])
    return False


def _without_title(tokens: list[Token]) -> list[Token]:
    """Tokens without a first heading of the first level; the page has a title already."""
    if tokens and tokens[0].type == "heading_open" and tokens[0].tag == "h1":
        return tokens[3:]
    return tokens


@lru_cache(4096)
def card_words(text: str, language: str) -> str | None:
    """A sentence of a card in a language; None where its catalogue has it not.

    Examples
    --------
    >>> card_words("Risk of progression by each horizon, within 0–1.", "de")
    'Progressionsrisiko bis zu jeder Zeit, innerhalb 0–1.'
    >>> card_words("41.3 % (39.3 to 43.3)", "de")
    '41,3 % (39,3 bis 43,3)'
    >>> card_words("Funding by the hospital", "de")
    """
    if FIGURES.fullmatch(text):
        return _figures(text, language)
    if text.endswith(".") and not text.endswith(".."):
        found = card_words(text[:-1], language)
        return None if found is None else f"{found}."
    for found in _readings(text, language):
        if found is not None:
            return found
    told = said(text, texts(language))
    return None if told == text else told


def _readings(text: str, language: str) -> Iterator[str | None]:
    """A text as one sentence of the catalogue, else as several."""
    lower = text.lower()
    for own, pattern, words in _sentences(language):
        if own in lower and (found := pattern.fullmatch(text)):
            yield _filled(words, found.groupdict(), language, upper=text[:1].isupper())
    for mark in BETWEEN_PARTS:
        if mark in text:
            parts = [card_words(part, language) for part in text.split(mark)]
            yield mark.join(map(str, parts)) if None not in parts else None


def _filled(words: str, places: dict[str, str], language: str, *, upper: bool) -> str | None:
    filled = {name: _place(name, value, language) for name, value in places.items()}
    if None in filled.values():
        return None
    told = words.format(**filled)
    return told[:1].upper() + told[1:] if upper else told


def _place(name: str, value: str, language: str) -> str | None:
    if name[0] == "n":
        return _figures(value, language)
    if name[0] == "s":
        words = card_words(value, language)
        return value if words is None and " " not in value else words
    return said(value, texts(language)) if name[0] == "m" else value


def _figures(text: str, language: str) -> str:
    """Numbers with the decimal sign of a language, and the other one between thousands."""
    number = texts(language)["number"]
    signs = {".": str(number["decimal"]), ",": str(number["thousands"])}
    told = re.sub(r"(?<=\d)[.,](?=\d)", lambda sign: signs[sign[0]], text)
    return re.sub(r"(?<=\d)%", " %", told).replace(" to ", f" {number['to']} ")


@cache
def _sentences(language: str) -> list[tuple[str, re.Pattern[str], str]]:
    """Longest of the own words, pattern and words of every sentence, the longest sentences first.

    A text that has not those own words need not be held against the pattern.
    """
    source = resources.files("serving.web").joinpath("texts", f"card.{language}.toml")
    catalogue: dict[str, str] = tomllib.loads(source.read_text("utf-8"))
    ordered = sorted(catalogue.items(), key=lambda item: -len(GAP.sub("", item[0])))
    return [
        (max(GAP.split(english), key=len).lower(), _pattern(english), words)
        for english, words in ordered
    ]


def _pattern(english: str) -> re.Pattern[str]:
    pieces = re.split(r"\{(\w+)\}", english)
    for at, piece in enumerate(pieces):
        pieces[at] = f"(?P<{piece}>{KINDS.get(piece[0], '.+')})" if at % 2 else re.escape(piece)
    return re.compile("".join(pieces), re.IGNORECASE)
