"""One process per dropped file: started, fed, listened to, and ended if it takes too long."""

import asyncio
import contextlib
import logging
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import msgspec

from serving.problems import FAILED, NOT_READY, UNPROCESSABLE, ProblemError
from serving.room import Room
from serving.web.screening_frames import (
    ASKED,
    COLUMNS,
    HEAD,
    LISTED,
    READ,
    REFUSED,
    TOLD,
    Asked,
    Columns,
    Refusal,
    Task,
    Told,
)

__all__ = ["WALL_SECONDS", "screen_file"]

logger = logging.getLogger("smoulder.serving")

WALL_SECONDS = 90.0
"""Its own limit is on processor time; this one also ends a process that waits."""

KEPT = ("PATH", "PYTHONPATH", "LANG", "LC_ALL", "TZ")
"""Of the environment; a process that parses strangers' files is told no secrets."""

SINGLE = {"OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
"""One thread, so that the other processors stay with single requests."""

RECORDS_WAITING = 4
"""Parts of a list whose records wait together: they share the log's commits."""

AT_ONCE = 2
"""Lists a worker works on at once; another is asked to come again."""
_busy: set[object] = set()

Tell = Callable[[int, int], None]
"""Hears of how many patients of how many the list is made: refused, or answered and on record."""

TOO_MUCH = (
    "the file took more time or memory than a list may have; split it, or use `smoulder screen`"
)


@dataclass(frozen=True, slots=True)
class _Child:
    """A running process and what it says."""

    process: asyncio.subprocess.Process

    async def frame(self) -> tuple[bytes, bytes]:
        """Kind and content of the next frame."""
        assert self.process.stdout is not None
        head = await self.process.stdout.readexactly(HEAD)
        content = await self.process.stdout.readexactly(int.from_bytes(head[1:], "big"))
        return head[:1], content

    async def feed(self, task: Task, body: bytes) -> None:
        assert self.process.stdin is not None
        # A process that hangs up has said why, or its end says so.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.process.stdin.write(msgspec.json.encode(task) + b"\n")
            self.process.stdin.write(body)
            await self.process.stdin.drain()
            self.process.stdin.close()


async def screen_file(
    room: Room, body: bytes, content_type: str, request_id: str, *, tell: Tell
) -> bytes | Columns | Refusal:
    """A packed list, columns to confirm, or why there is neither; a list is on record by then.

    Parameters
    ----------
    room
        Of the worker.
    body, content_type
        Of the form.
    request_id
        Of the request.
    tell
        Told how many answers of how many are on record.

    Raises
    ------
    ProblemError
        503 where the list cannot be recorded or the worker has lists enough, 422 where the file
        takes too much, 500 for a fault of ours.
    """
    with _turn():
        return await _screen(room, body, content_type, request_id, tell)


@contextlib.contextmanager
def _turn() -> Iterator[None]:
    """One of the lists a worker works on at once."""
    if len(_busy) >= AT_ONCE:
        detail = "other lists are being screened; try again in a few seconds"
        raise ProblemError(NOT_READY, detail, headers={"Retry-After": "5"})
    turn = object()
    _busy.add(turn)
    try:
        yield
    finally:
        _busy.discard(turn)


async def _screen(
    room: Room, body: bytes, content_type: str, request_id: str, tell: Tell
) -> bytes | Columns | Refusal:
    task = Task(
        content_type=content_type,
        models_dir=str(room.models_dir),
        versions={name: model.version for name, model in room.lineup.learned.items()},
        today=room.today(),
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        "-m",
        "serving.web.screening_job",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={**{name: os.environ[name] for name in KEPT if name in os.environ}, **SINGLE},
    )
    child = _Child(process)
    feeding = asyncio.create_task(child.feed(task, body))
    del body
    try:
        async with asyncio.timeout(WALL_SECONDS):
            return await _listen(room, child, request_id, tell)
    except (asyncio.IncompleteReadError, TimeoutError):
        raise ProblemError(UNPROCESSABLE, TOO_MUCH) from None
    finally:
        feeding.cancel()
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        await process.wait()


async def _listen(
    room: Room, child: _Child, request_id: str, tell: Tell
) -> bytes | Columns | Refusal:
    """Follow what a process says until it has said all; its answers go on record meanwhile."""
    asked = Asked("", {}, ())
    waiting: list[asyncio.Task[int]] = []
    done = total = 0
    try:
        while True:
            kind, content = await child.frame()
            if kind == READ:
                total = msgspec.json.decode(content, type=int)
                tell(0, total)
            elif kind == ASKED:
                asked = msgspec.json.decode(content, type=Asked)
                done = total - asked.subjects
            elif kind == TOLD:
                if len(waiting) >= RECORDS_WAITING:
                    done += await waiting.pop(0)
                    tell(done, total)
                waiting.append(asyncio.create_task(_record(room, asked, content, request_id)))
            elif kind == LISTED:
                await asyncio.gather(*waiting)
                return content
            else:
                return _said(kind, content, request_id)
    finally:
        for task in waiting:
            task.cancel()


def _said(kind: bytes, content: bytes, request_id: str) -> Columns | Refusal:
    if kind == COLUMNS:
        return msgspec.json.decode(content, type=Columns)
    if kind == REFUSED:
        return msgspec.json.decode(content, type=Refusal)
    logger.error("request %s: %s", request_id, content.decode("utf-8", "replace")[:500])
    raise FAILED


async def _record(room: Room, asked: Asked, content: bytes, request_id: str) -> int:
    """Put a part of a list on record; how many subjects it has."""
    given = {"file": asked.file, "columns": asked.columns}
    told = [
        (given, one.subject, one.document(asked.shared))
        for one in msgspec.json.decode(content, type=tuple[Told, ...])
    ]
    await room.record("screening", request_id, told)
    return len(told)
