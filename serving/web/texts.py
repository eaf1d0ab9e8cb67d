"""The words of the page, one file per language."""

import tomllib
from functools import cache
from importlib import resources
from typing import Any

__all__ = ["LANGUAGES", "Texts", "texts"]

LANGUAGES = ("en",)

Texts = dict[str, Any]


@cache
def texts(language: str) -> Texts:
    """Words in a language, by section and key."""
    name = language if language in LANGUAGES else LANGUAGES[0]
    source = resources.files("serving.web").joinpath("texts", f"{name}.toml")
    return tomllib.loads(source.read_text("utf-8"))
