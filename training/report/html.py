"""Just enough HTML: elements whose text is escaped unless it is HTML already."""

from collections.abc import Iterable, Sequence
from html import escape


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def element(name: str, *children: str, **attributes: str) -> Html:
    """An element; a trailing underscore keeps an attribute such as `class_` out of Python's way."""
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"'
        for key, value in attributes.items()
    )
    return Html(f"<{name}{given}>{joined(children)}</{name}>")


def joined(children: Iterable[str]) -> Html:
    """Several pieces, one after the other."""
    return Html("".join(c if isinstance(c, Html) else escape(c) for c in children))


def table(caption: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> Html:
    """A table with a caption and a header row."""
    head = element("tr", *(element("th", cell, scope="col") for cell in header))
    body = (element("tr", *(element("td", cell) for cell in row)) for row in rows)
    inner = element(
        "table", element("caption", caption), element("thead", head), element("tbody", *body)
    )
    return element("div", inner, class_="wide", tabindex="0")


def figure(drawing: str, caption: str) -> Html:
    """A drawing, given as SVG text, with its caption."""
    return element("figure", Html(drawing), element("figcaption", caption))
