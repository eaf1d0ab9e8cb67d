"""Requests that arrive while others are being answered are answered together.

Answering goes column by column over all subjects, so a group costs little more than one of them
alone. Nobody waits for company: whoever is there when the event loop has come round is answered,
without a timer. Each answer is the one it would have had alone, and each fails alone.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from models.risk import RiskModel
from serving.answer import Answered, Refused, answer
from serving.lineup import Lineup
from serving.request import Options, RiskRequest

__all__ = ["MOST_ALIVE", "MOST_TOGETHER", "Gathering", "Question"]

MOST_TOGETHER = 32
"""Larger groups gain little more, and nobody shall wait for many others."""

QUIET_TURNS = 2
"""A request needs two turns of the loop from its socket to here: those on their way are let in."""

MOST_ALIVE = 20_000
"""New objects that may be alive before a worker's collector looks among them for cycles: answers to
a group are up to five thousand and in no cycle, and by default it looks after every 700."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked about a subject.

    Parameters
    ----------
    lineup, models
        Models that answer now, and those asked.
    options
        What is asked of them.
    today
        Days since 1970-01-01.
    """

    lineup: Lineup
    models: Sequence[RiskModel]
    options: Options
    today: int

    def same_as(self, other: "Question") -> bool:
        """Whether two subjects can be answered in one go."""
        return (
            self.lineup is other.lineup
            and self.today == other.today
            and self.options == other.options
        )

    def of(self, subjects: Sequence[RiskRequest]) -> list[Answered | Refused]:
        """Answers about subjects."""
        return answer(
            subjects,
            self.models,
            today=self.today,
            cards=self.lineup.cards,
            intervals=self.options.intervals,
            contributions=self.options.contributions,
        )


class _Waiting(NamedTuple):
    question: Question
    subject: RiskRequest
    told: asyncio.Future[Answered | Refused]


@dataclass(slots=True)
class Gathering:
    """The requests of one event loop that have not been answered yet."""

    _waiting: list[_Waiting] = field(default_factory=list)

    async def ask(self, question: Question, subject: RiskRequest) -> Answered | Refused:
        """What is said about one subject."""
        loop = asyncio.get_running_loop()
        one = _Waiting(question, subject, loop.create_future())
        self._waiting.append(one)
        if len(self._waiting) == 1:
            loop.call_soon(self._look_round, 1, 0)
        return await one.told

    def _look_round(self, seen: int, quiet: int) -> None:
        """Answer once nobody has come in for two turns of the loop, some microseconds."""
        here = len(self._waiting)
        quiet = quiet + 1 if here == seen else 0
        if quiet > QUIET_TURNS or here >= MOST_TOGETHER:
            self._answer()
        else:
            asyncio.get_running_loop().call_soon(self._look_round, here, quiet)

    def _answer(self) -> None:
        """Answer the first, and with it those behind that ask the same."""
        question = self._waiting[0].question
        together: list[_Waiting] = []
        left: list[_Waiting] = []
        for one in self._waiting:
            fits = len(together) < MOST_TOGETHER and one.question.same_as(question)
            (together if fits else left).append(one)
        self._waiting = left
        if left:
            asyncio.get_running_loop().call_soon(self._answer)
        _tell(question, together)


def _tell(question: Question, group: Sequence[_Waiting]) -> None:
    try:
        told = question.of([one.subject for one in group])
    except Exception as error:  # noqa: BLE001  # whoever asked is told, nobody else
        if len(group) > 1:
            for one in group:
                _tell(question, [one])
        elif not group[0].told.done():
            group[0].told.set_exception(error)
        return
    for one, said in zip(group, told, strict=True):
        # One whose caller has gone is done already.
        if not one.told.done():
            one.told.set_result(said)
