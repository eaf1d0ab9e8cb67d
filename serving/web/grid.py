"""The grid of visits: one row per test, the same for everybody but for what is typed into it.

A row is written once, with gaps where a text or its echo goes; a page fills them in. Only a row
with a note, a problem or a doubt, is written anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain

from markupsafe import Markup, escape

from features.analytes import ANALYTES, Analyte
from serving.web.echo import Echo, row_echo
from serving.web.form import GROUPS, Form
from serving.web.notes import Notes
from serving.web.texts import texts
from serving.web.wording import templates

__all__ = ["Grid"]

GAP = Markup("<gap>")
"""Nothing typed can be taken for one: its signs would be escaped."""

MOST_ROWS = 256
"""Rows that are kept written; all of both languages, at the usual number of visits."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Rows of one form in one language, with the notes of its fields."""

    form: Form
    language: str
    notes: Notes

    def rows(self, group: str) -> Markup:
        """Rows of a group of tests."""
        rows = "".join([self._row(analyte) for analyte in GROUPS[group]])
        return Markup(rows)  # noqa: S704  # the template and `escape` made it

    def _row(self, analyte: Analyte) -> str:
        name, form, language = analyte.name, self.form, self.language
        unit = form.unit(analyte)
        if self.notes.concern(name):
            parts = _written(language, name, unit, form.columns, self.notes)
        else:
            unit = unit if unit in analyte.units else ""
            if name not in form.tests:
                return _blank(language, name, unit, form.columns)
            parts = _plain(language, name, unit, form.columns)
        echo = row_echo(form, name, texts(language))
        if self.notes.concern(name):
            # What is unlikely is said at its cell already.
            echo = Echo(echo.values)
        return _filled(parts, [echo, *form.row(name)])


def _filled(parts: Sequence[str], gaps: Sequence[object]) -> str:
    return "".join([*chain.from_iterable(zip(parts, map(escape, gaps), strict=False)), parts[-1]])


@lru_cache(MOST_ROWS)
def _blank(language: str, name: str, unit: str, columns: int) -> str:
    return "".join(_plain(language, name, unit, columns))


@lru_cache(MOST_ROWS)
def _plain(language: str, name: str, unit: str, columns: int) -> tuple[str, ...]:
    return _written(language, name, unit, columns, Notes({}, {}))


def _written(language: str, name: str, unit: str, columns: int, notes: Notes) -> tuple[str, ...]:
    """Parts of a row, between which stand its echo and then its texts."""
    html = (
        templates(language)
        .get_template("row.html")
        .render(
            analyte=ANALYTES[name],
            chosen=unit,
            columns=columns,
            notes=notes,
            gap=GAP,
        )
    )
    return tuple(html.split(GAP))
