"""Records of one turn of the loop are handed over as one, and succeed or fail as one."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any

from features.errors import AuditError
from serving.ledger import Ledger


class Log:
    """An audit log that notes what it is handed."""

    def __init__(self, error: Exception | None = None) -> None:
        self.groups: list[Sequence[Any]] = []
        self.error = error

    def append(self, records: Sequence[Any]) -> Future[None]:
        self.groups.append(records)
        written: Future[None] = Future()
        if self.error is None:
            written.set_result(None)
        else:
            written.set_exception(self.error)
        return written


async def _put(log: Any, *groups: list[Any]) -> list[BaseException | None]:
    ledger = Ledger(lambda _: None)
    putting = (ledger.put(log, records) for records in groups)
    return await asyncio.gather(*putting, return_exceptions=True)


def test_records_of_one_turn_reach_the_log_together_and_in_order() -> None:
    log = Log()
    assert asyncio.run(_put(log, [{"n": 1}], [{"n": 2}, {"n": 3}], [])) == [None] * 3
    assert log.groups == [[{"n": 1}, {"n": 2}, {"n": 3}]]


def test_a_group_that_cannot_be_written_is_told_to_everyone_in_it() -> None:
    told = asyncio.run(_put(Log(AuditError("the disk is full")), [{"n": 1}], [{"n": 2}]))
    assert [type(error) for error in told] == [AuditError] * 2


def test_those_that_go_together_are_timed_once_and_only_once_they_are_on_disk() -> None:
    times: list[float] = []

    async def put(log: Any) -> None:
        ledger = Ledger(times.append)
        putting = (ledger.put(log, [{"n": n}]) for n in range(3))
        await asyncio.gather(*putting, return_exceptions=True)

    asyncio.run(put(Log(AuditError("the disk is full"))))
    assert times == []
    asyncio.run(put(Log()))
    assert len(times) == 1
    assert times[0] >= 0


def test_a_caller_who_leaves_is_recorded_all_the_same_and_takes_nobody_along() -> None:
    async def put() -> list[Sequence[Any]]:
        log, ledger = Log(), Ledger(lambda _: None)
        leaving = asyncio.ensure_future(ledger.put(log, [{"n": 1}]))  # type: ignore[arg-type]
        staying = asyncio.ensure_future(ledger.put(log, [{"n": 2}]))  # type: ignore[arg-type]
        await asyncio.sleep(0)
        leaving.cancel()
        await staying
        return log.groups

    assert asyncio.run(put()) == [[{"n": 1}, {"n": 2}]]
