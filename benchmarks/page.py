"""Sections of docs/benchmarks.md, each written by the benchmark it is named after."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
_HEAD = """# Benchmarks

Every section is written by the command it names; `make bench` runs them all. Ratios are to a peer
on the same machine in the same run, and are what to trust.
"""


def write_section(name: str, text: str) -> None:
    """Put a section in its place, or at the end when it is new."""
    page = PAGE.read_text(encoding="utf-8") if PAGE.exists() else _HEAD
    section = f"<!-- {name} -->\n{text.strip()}\n<!-- end of {name} -->"
    found = re.compile(rf"<!-- {name} -->.*?<!-- end of {name} -->", re.DOTALL)
    if found.search(page):
        page = found.sub(lambda _: section, page)
    else:
        page = f"{page.rstrip()}\n\n{section}\n"
    PAGE.write_text(page, encoding="utf-8")
