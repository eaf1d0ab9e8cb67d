"""What is said at single fields of the form: what cannot be read, and what wants confirming."""

from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup

__all__ = ["Notes"]

NOTHING = Markup("")
BESIDE = Markup('<span class="{}" id="problem-{}">{}</span>')
BY = Markup(' aria-describedby="problem-{}"')
WRONG = Markup(' aria-invalid="true"')


@dataclass(frozen=True, slots=True)
class Notes:
    """Notes of one page.

    Parameters
    ----------
    problems, doubts
        Field to what is said at it.
    """

    problems: Mapping[str, str]
    doubts: Mapping[str, str]

    def beside(self, field: str) -> Markup:
        """The note of a field, a problem before a doubt; empty without one."""
        if field in self.problems:
            return BESIDE.format("complaint", field, self.problems[field])
        if field in self.doubts:
            return BESIDE.format("doubt", field, self.doubts[field])
        return NOTHING

    def attributes(self, field: str) -> Markup:
        """Attributes by which the field is known to have a note."""
        if field in self.problems:
            return WRONG + BY.format(field)
        return BY.format(field) if field in self.doubts else NOTHING

    def concern(self, test: str) -> bool:
        """Whether any note is about a test."""
        return any(test in field for at in (self.problems, self.doubts) for field in at)
