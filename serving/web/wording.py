"""The templates in each language: compiled once, with its words already in them.

A page says hundreds of words that are the same for everybody. They are written into a template
before it is compiled, so that rendering one only fills in what differs.
"""

import re
from collections.abc import Callable
from functools import cache, partial
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from jinja2.ext import Extension
from markupsafe import escape

from serving.web.texts import texts

__all__ = ["KNOWN", "SPOKEN", "templates"]

PLACE = re.compile(r"\{\{ t\.([\w.]+) \}\}")

KNOWN: dict[str, object] = {}
"""What every template knows in every language, by name; modules add theirs as they are imported."""

SPOKEN: dict[str, Callable[..., Any]] = {}
"""Filters of the templates by name; each has the words of the language as its argument ``t``."""


class Words(Extension):
    """Writes the words of a language where a template names them."""

    def preprocess(
        self,
        source: str,
        name: str | None,  # noqa: ARG002  # part of Jinja's interface
        filename: str | None = None,  # noqa: ARG002
    ) -> str:
        """Template with its words."""
        return PLACE.sub(lambda found: escape(self._word(found[1])), source)

    def _word(self, path: str) -> str:
        word: Any = self.environment.globals["t"]
        for key in path.split("."):
            word = word[key]
        return str(word)


@cache
def templates(language: str) -> Environment:
    """Templates of a language, which know its words as ``t``."""
    environment = Environment(
        loader=PackageLoader("serving.web"),
        extensions=[Words],
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    t = texts(language)
    environment.globals |= {"t": t, "language": language, **KNOWN}
    environment.filters |= {name: partial(spoken, t=t) for name, spoken in SPOKEN.items()}
    return environment
