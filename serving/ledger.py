"""Records on their way to the audit log: those of one turn of the event loop go as one.

Requests answered together are recorded together, by one hand-over to the writer and one wake-up,
so that they also reply together.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from serving.audit import AuditLog
from serving.values import Json

__all__ = ["Ledger"]

Waiting = tuple[Sequence[Json], asyncio.Future[None]]


@dataclass(slots=True)
class Ledger:
    """What has still to be handed to one worker's audit log.

    Parameters
    ----------
    recorded
        Told how many seconds records took to be on disk, once for those that went together.
    """

    recorded: Callable[[float], None]
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
        asyncio.wrap_future(together).add_done_callback(
            partial(self._tell, group, time.perf_counter())
        )

    def _tell(self, group: Sequence[Waiting], began: float, together: asyncio.Future[None]) -> None:
        error = together.exception()
        if error is None:
            self.recorded(time.perf_counter() - began)
        for _, written in group:
            # One whose caller has gone is done already.
            if written.done():
                continue
            if error is None:
                written.set_result(None)
            else:
                written.set_exception(error)
