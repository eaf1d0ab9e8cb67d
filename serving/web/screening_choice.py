"""What of a list is shown: for which trial, ranked by which model, filtered, sorted, which page."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from features.criteria import STAGES
from features.history import Floats, Ints
from models.eligibility import ELIGIBILITIES, ELIGIBLE
from models.screening import Yield, expected_yield, ranked
from serving.web.parts import Part
from serving.web.screening_list import ListedModel, ListedTrial, PatientList, codes, floats, risks

__all__ = ["PAGE", "RANK", "STATUSES", "Choice", "Shown", "read_choice"]

PAGE = 100
"""Rows of one page."""

STATUSES = (*ELIGIBILITIES, "not answered")
RANK = "rank"
FIRST_CHOICE = "pangea-smm"
"""Ranks where nothing else is chosen: it needs no marrow, so it ranks most people."""

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen.

    Parameters
    ----------
    trial, model
        Names.
    find
        Part of an identifier.
    status, stage
        One of `STATUSES` and of the stages; empty for all.
    least
        Lowest two-year risk by the model, percent as typed; empty for all.
    parted
        Whether only discordant subjects are shown.
    sort
        ``rank``, ``subject``, ``visit``, ``stage``, ``parted`` or ``model:NAME``; a minus turns it.
    page
        From 1.
    """

    trial: str = ""
    model: str = ""
    find: str = ""
    status: str = ""
    stage: str = ""
    least: str = ""
    parted: bool = False
    sort: str = RANK
    page: int = 1


def read_choice(parts: Mapping[str, Part]) -> Choice:
    """The choice of a form; what is not understood is not chosen."""

    def text(name: str) -> str:
        return parts[name].text.strip()[:100] if name in parts else ""

    page = text("page")
    return Choice(
        trial=text("trial"),
        model=text("model"),
        find=text("find"),
        status=text("status") if text("status") in STATUSES else "",
        stage=text("stage") if text("stage") in STAGES else "",
        least=text("least"),
        parted=bool(text("parted")),
        sort=text("sort") or RANK,
        page=int(page) if page.isascii() and page.isdigit() and len(page) < 9 else 1,
    )


class Shown:
    """A list as chosen.

    Parameters
    ----------
    found
        The list.
    choice
        Names of trials and models it does not have are taken for the first ones.
    """

    def __init__(self, found: PatientList, choice: Choice) -> None:
        self.found = found
        self.choice = choice
        self.trial = _named(found.trials, choice.trial)
        ranking = tuple(model for model in found.models if model.ranks)
        self.model = _named(ranking, choice.model, FIRST_CHOICE)
        self.status = codes(self.trial.status)
        self.risk, self.lower, self.upper = (
            risks(packed) for packed in (self.model.risk, self.model.lower, self.model.upper)
        )

    def __len__(self) -> int:
        return len(self.found.subject_ids)

    @cached_property
    def rank(self) -> Ints:
        """(s,) place of every subject, from 1."""
        order = ranked(self.status, self.risk, self.lower, self.upper)
        place = np.empty(order.size, dtype=np.int64)
        place[order] = np.arange(1, order.size + 1)
        return place

    @cached_property
    def parted(self) -> Bools:
        """(s,) whether models part."""
        return codes(self.found.least) >= 0

    @cached_property
    def subjects(self) -> Ints:
        """Subjects that pass the filters, sorted."""
        kept = np.flatnonzero(self._kept())
        keys = self._keys()[kept]
        turned = self.choice.sort.startswith("-")
        # Ties stay in the order of the rank, and what has no key stays at the end either way.
        absent = keys == np.inf
        keys = np.where(absent, np.inf, -keys) if turned else keys
        return kept[np.lexsort((self.rank[kept], keys))]

    @property
    def pages(self) -> int:
        """Number of pages."""
        return max(1, -(-self.subjects.size // PAGE))

    @property
    def page(self) -> int:
        """Page shown, from 1."""
        return min(max(1, self.choice.page), self.pages)

    def counts(self) -> dict[str, int]:
        """Number of subjects by status."""
        found = np.bincount(self.status, minlength=len(STATUSES))
        return dict(zip(STATUSES, map(int, found), strict=True))

    def yields(self) -> Yield:
        """Events expected among the eligible, whatever the filters."""
        eligible = self.status == ELIGIBLE
        return expected_yield(self.risk[eligible], self.lower[eligible], self.upper[eligible])

    def _kept(self) -> Bools:
        chosen, kept = self.choice, np.ones(len(self), dtype=bool)
        if chosen.find:
            wanted = chosen.find.casefold()
            kept &= np.array([wanted in name.casefold() for name in self.found.subject_ids])
        if chosen.status:
            kept &= self.status == STATUSES.index(chosen.status)
        if chosen.stage:
            kept &= codes(self.found.stage) == STAGES.index(chosen.stage)
        if chosen.parted:
            kept &= self.parted
        if (least := self.least) is not None:
            kept &= self._middle(self.model) >= least
        return kept

    @property
    def least(self) -> float | None:
        """Lowest risk shown, 0-1; None for all, also where it is no number."""
        try:
            least = float(self.choice.least.replace(",", ".").removesuffix("%")) / 100
        except ValueError:
            return None
        return least if 0 < least <= 1 else None

    def _middle(self, model: ListedModel) -> Floats:
        """Risk, else the middle of the range; -1 without either."""
        risk = risks(model.risk)
        middle = np.where(np.isnan(risk), (risks(model.lower) + risks(model.upper)) / 2, risk)
        return np.where(np.isnan(middle), -1.0, middle)

    def _keys(self) -> Floats:
        """(s,) what subjects are sorted by, lowest first; infinite where there is nothing."""
        key = self.choice.sort.removeprefix("-")
        if key == "subject":
            place = {name: i for i, name in enumerate(sorted(self.found.subject_ids))}
            return np.array([place[name] for name in self.found.subject_ids], dtype=float)
        if key == "visit":
            times = floats(self.found.time_years)
            return np.where(np.isnan(times), np.inf, times)
        if key == "stage":
            stage = codes(self.found.stage).astype(float)
            return np.where(stage < 0, np.inf, stage)
        if key == "parted":
            return np.where(self.parted, 0.0, np.inf)
        name = key.removeprefix("model:")
        for model in self.found.models:
            if key != name and model.name == name:
                middle = self._middle(model)
                # The highest risk first, as in the rank.
                return np.where(middle < 0, np.inf, -middle)
        return self.rank.astype(float)


Listed = TypeVar("Listed", ListedTrial, ListedModel)


def _named(listed: tuple[Listed, ...], name: str, otherwise: str = "") -> Listed:
    for wanted in (name, otherwise):
        for each in listed:
            if each.name == wanted:
                return each
    return listed[0]
