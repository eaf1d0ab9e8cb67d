"""The use case behind nothing: one ASGI function, no router, no framework, no supervisor.

    python -m benchmarks.peers.bare_asgi PORT MODELS_DIR AUDIT_DIR

It does what must be done for an answer – the body read to the letter, the use case with its
gathering, the durable record – and none of what the service puts around it: routes, problem
documents, headers, request limits, callers, metrics.
"""

import gc
import sys
import uuid
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

import msgspec
import uvicorn

from serving.answer import Answered
from serving.gathering import MOST_ALIVE, Question
from serving.request import read_risk
from serving.room import Room
from serving.strict_json import decode

Message = MutableMapping[str, Any]


def application(room: Room) -> Callable[..., Awaitable[None]]:
    """The function."""

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
            question = Question(
                room.lineup, room.lineup.choose(options.models), options, room.today()
            )
            told = await room.gathering.ask(question, subject)
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
    port, models, audit = sys.argv[1:]
    room = Room(Path(models), Path(audit))
    room.open()
    gc.collect()
    gc.freeze()
    gc.set_threshold(MOST_ALIVE)
    uvicorn.run(
        application(room),
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
