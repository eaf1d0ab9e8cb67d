"""How far a list is, told in the page it becomes: by comments at its head.

Nothing is kept that another request could ask about, so it is the answer itself that says it. Only
the script of the page asks for that: an answer that has begun can no longer change its status.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

from starlette.responses import Response, StreamingResponse

from serving.web.frame import headers_of

__all__ = ["Progress", "told_on_the_way"]

Share = tuple[int, int]
"""Patients whose answers are on record, and all."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Shares of one list, one after the other, and that there is no more to come."""

    shares: asyncio.Queue[Share | None] = field(default_factory=asyncio.Queue)

    def tell(self, done: int, total: int) -> None:
        """Say how many answers of how many are on record."""
        self.shares.put_nowait((done, total))

    def end(self, _: object = None) -> None:
        """Say that there is no more to come."""
        self.shares.put_nowait(None)


async def told_on_the_way(
    language: str, progress: Progress, answer: Callable[[], Awaitable[Response]]
) -> Response:
    """The answer to a list, its progress in front of it where there is any.

    Parameters
    ----------
    language
        Of the page.
    progress
        What `answer` tells on its way.
    answer
        Makes the page, whatever goes wrong.
    """
    making = asyncio.ensure_future(answer())
    making.add_done_callback(progress.end)
    try:
        first = await progress.shares.get()
        if first is None:
            return await making
    except asyncio.CancelledError:
        making.cancel()
        raise
    content = _content(first, progress, making)
    return StreamingResponse(content, headers=headers_of(language), media_type="text/html")


async def _content(
    share: Share | None, progress: Progress, making: asyncio.Future[Response]
) -> AsyncIterator[bytes]:
    try:
        while share is not None:
            yield b"<!-- %d/%d -->\n" % share
            share = await progress.shares.get()
        yield bytes((await making).body)
    finally:
        making.cancel()
