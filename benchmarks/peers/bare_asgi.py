"""The use case behind nothing: one ASGI function, no router, no framework, no supervisor.

    python -m benchmarks.peers.bare_asgi PORT MODELS_DIR AUDIT_DIR [free]

It does what must be done for an answer – the body read to the letter, the use case with its
gathering, the durable record – and none of what the service puts around it: routes, problem
documents, headers, request limits, callers, metrics. With `free` the use case costs nothing: the
first answer is given to everybody, and what is left is the least that any model would cost here.
"""

import gc
import sys
import uuid
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import uvicorn

from serving.answer import Answered, Refused
from serving.gathering import MOST_ALIVE, Question
from serving.request import Options, RiskRequest, read_risk
from serving.room import Room
from serving.strict_json import decode

Message = MutableMapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Free(Question):
    """A question that is answered once."""

    _told: list[Answered | Refused] = field(default_factory=list)

    def of(self, subjects: Sequence[RiskRequest]) -> list[Answered | Refused]:
        if not self._told:
            self._told.extend(Question.of(self, subjects[:1]))
        return self._told * len(subjects)


def application(room: Room, *, free: bool = False) -> Callable[..., Awaitable[None]]:
    """The function."""
    first: list[Question] = []

    def question(options: Options) -> Question:
        models = room.lineup.choose(options.models)
        if not free:
            return Question(room.lineup, models, options, room.today())
        if not first:
            first.append(_Free(room.lineup, models, options, room.today()))
        return first[0]

    async def app(
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        if scope["type"] != "http":
            return
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        status, answer = 200, b"{}"
        if scope["path"] == "/v1/risk":
            asked = decode(body)
            subject, options = read_risk(asked)
            told = await room.gathering.ask(question(options), subject)
            if isinstance(told, Answered):
                name = uuid.uuid4().hex
                await room.record("risk", name, [(asked, subject.id, told.document)])
                answer = msgspec.json.encode({"request_id": name, **told.to_send()})
            else:
                status = 422
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(answer)).encode()),
        ]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    return app


def main() -> None:
    """Serve until stopped."""
    port, models, audit, *free = sys.argv[1:]
    room = Room(Path(models), Path(audit))
    room.open()
    gc.collect()
    gc.freeze()
    gc.set_threshold(MOST_ALIVE)
    uvicorn.run(
        application(room, free=bool(free)),
        host="127.0.0.1",
        port=int(port),
        loop="uvloop",
        http="httptools",
        lifespan="off",
        access_log=False,
        log_level="warning",
    )
    room.close()


if __name__ == "__main__":
    main()
