"""Records on their way to the audit log: those of one turn of the event loop go as one.

Requests answered together are recorded together, by one hand-over to the writer and one wake-up,
so that they also reply together.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from serving.audit import AuditLog
from serving.values import Json

__all__ = ["Ledger"]

Waiting = tuple[Sequence[Json], asyncio.Future[None]]


@dataclass(slots=True)
class Ledger:
    """What has still to be handed to one worker's audit log."""

    _waiting: list[Waiting] = field(default_factory=list)

    async def put(self, audit: AuditLog, records: Sequence[Json]) -> None:
        """Return when records are on disk.

        Raises
        ------
        AuditError
            If they cannot be written.
        """
        loop = asyncio.get_running_loop()
        written = loop.create_future()
        self._waiting.append((records, written))
        if len(self._waiting) == 1:
            loop.call_soon(self._hand_over, audit)
        await written

    def _hand_over(self, audit: AuditLog) -> None:
        group, self._waiting = self._waiting, []
        together = audit.append([record for records, _ in group for record in records])
        asyncio.wrap_future(together).add_done_callback(partial(_tell, group))


def _tell(group: Sequence[Waiting], together: asyncio.Future[None]) -> None:
    error = together.exception()
    for _, written in group:
        # One whose caller has gone is done already.
        if written.done():
            continue
        if error is None:
            written.set_result(None)
        else:
            written.set_exception(error)
