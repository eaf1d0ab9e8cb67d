"""Requests answered together are answered as they would be alone."""

import asyncio
import copy
import gc
from collections.abc import Sequence
from typing import Any

import pytest

from serving import gathering
from serving.answer import Answered, Refused
from serving.gathering import MOST_ALIVE, MOST_TOGETHER, Gathering, Question
from serving.request import Options, RiskRequest, read_risk
from serving.room import Room

Body = dict[str, Any]


def _bodies(body: Body, count: int) -> list[Body]:
    """People who differ in their values, some without a marker, one without any usable value."""
    bodies = []
    for i in range(count):
        one = copy.deepcopy(body)
        last = one["visits"][-1]["labs"]
        last["m_protein"]["value"] += i
        last["bmpc"]["value"] += 2 * i
        if i % 3 == 1:
            del last["bmpc"]
        bodies.append(one)
    bodies[-1]["visits"] = [{"date": "2025-03-04", "labs": {}}]
    return bodies


async def _ask(
    gathered: Gathering, question: Question, subjects: Sequence[RiskRequest]
) -> list[Answered | Refused | BaseException]:
    asking = (gathered.ask(question, subject) for subject in subjects)
    return await asyncio.gather(*asking, return_exceptions=True)


def _said(told: Any) -> Any:
    return told.document if isinstance(told, Answered) else told


def test_answers_given_together_are_those_given_alone(room: Room, body: Body) -> None:
    subjects = [read_risk(one)[0] for one in _bodies(body, MOST_TOGETHER + 3)]
    lineup = room.lineup
    for options in (Options(), Options(models=("20-2-20",), intervals=False, contributions=False)):
        question = Question(lineup, lineup.choose(options.models), options, room.today())
        together = asyncio.run(_ask(Gathering(), question, subjects))
        alone = [question.of([subject])[0] for subject in subjects]
        # To the last bit: the documents are compared, not their rounded numbers.
        assert [_said(one) for one in together] == [_said(one) for one in alone]
        assert isinstance(together[-1], Refused)


def test_what_others_were_measured_for_changes_nothing(room: Room, body: Body) -> None:
    """Columns that only others have, and the order in which analytes were met first."""
    one, other = copy.deepcopy(body), copy.deepcopy(body)
    labs = one["visits"][-1]["labs"]
    # Typed kappa without lambda, a ratio as reported, and two values that want confirming.
    del labs["lambda_flc"]
    labs |= {
        "flc_ratio_involved": {"value": 120, "unit": "1"},
        "hemoglobin": {"value": 5.5, "unit": "g/dL"},
        "albumin": {"value": 1.2, "unit": "g/dL"},
    }
    other["visits"][0]["labs"] = {
        "albumin": {"value": 4.1, "unit": "g/dL"},
        "igg": {"value": 700, "unit": "mg/dL"},
        **other["visits"][0]["labs"],
    }
    subjects = [read_risk(each)[0] for each in (other, one)]
    question = Question(room.lineup, room.lineup.choose(None), Options(), room.today())
    together = question.of(subjects)
    for subject, said in zip(subjects, together, strict=True):
        (alone,) = question.of([subject])
        assert isinstance(said, Answered)
        assert isinstance(alone, Answered)
        assert said.document == alone.document
    assert len(together[1].document["warnings"]) > 1  # type: ignore[union-attr]


def test_answers_to_a_full_group_do_not_wake_the_collector(room: Room, body: Body) -> None:
    question = Question(room.lineup, room.lineup.choose(None), Options(), room.today())
    subjects = [read_risk(body)[0]] * MOST_TOGETHER
    question.of(subjects)
    usual = gc.get_threshold()
    gc.collect()
    before = [generation["collections"] for generation in gc.get_stats()]
    gc.set_threshold(MOST_ALIVE)
    try:
        told = question.of(subjects)
        assert [generation["collections"] for generation in gc.get_stats()] == before
    finally:
        gc.set_threshold(*usual)
    assert len(told) == MOST_TOGETHER


def test_different_questions_are_not_mixed_up(room: Room, body: Body) -> None:
    subject, lineup = read_risk(body)[0], room.lineup
    questions = [
        Question(lineup, lineup.choose([name]), Options(models=(name,)), room.today())
        for name in ("20-2-20", "mayo-2008", "20-2-20")
    ]

    async def ask() -> list[Answered | Refused]:
        gathered = Gathering()
        return await asyncio.gather(*(gathered.ask(q, subject) for q in questions))

    told = [one.document["estimates"][0]["model"] for one in asyncio.run(ask())]  # type: ignore[union-attr]
    assert told == ["20-2-20", "mayo-2008", "20-2-20"]


def test_whoever_makes_the_code_fail_fails_alone(
    room: Room, body: Body, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer, calls = gathering.answer, []

    def failing(subjects: Sequence[RiskRequest], *rest: Any, **more: Any) -> Any:
        calls.append(len(subjects))
        if any(subject.id == "faulty" for subject in subjects):
            raise RuntimeError("made for this test")
        return answer(subjects, *rest, **more)

    monkeypatch.setattr(gathering, "answer", failing)
    faulty = copy.deepcopy(body)
    faulty["subject"]["id"] = "faulty"
    subjects = [read_risk(one)[0] for one in (body, faulty, body)]
    question = Question(room.lineup, room.lineup.choose(None), Options(), room.today())
    told = asyncio.run(_ask(Gathering(), question, subjects))
    assert [type(one) for one in told] == [Answered, RuntimeError, Answered]
    assert calls == [3, 1, 1, 1]


def test_a_lone_request_waits_for_nobody(room: Room, body: Body) -> None:
    question = Question(room.lineup, room.lineup.choose(None), Options(), room.today())

    async def turns() -> int:
        asking = asyncio.ensure_future(Gathering().ask(question, read_risk(body)[0]))
        for turn in range(10):
            if asking.done():
                return turn
            await asyncio.sleep(0)
        raise AssertionError("not answered in ten turns of the loop")

    # One turn to ask, one to look round and two quiet ones, one to wake up: no timer, no sleep.
    assert asyncio.run(turns()) <= 6


def test_a_caller_who_leaves_takes_nobody_along(room: Room, body: Body) -> None:
    question = Question(room.lineup, room.lineup.choose(None), Options(), room.today())
    subject = read_risk(body)[0]

    async def ask() -> Answered | Refused:
        gathered = Gathering()
        leaving = asyncio.ensure_future(gathered.ask(question, subject))
        staying = asyncio.ensure_future(gathered.ask(question, subject))
        await asyncio.sleep(0)
        leaving.cancel()
        return await staying

    assert isinstance(asyncio.run(ask()), Answered)
