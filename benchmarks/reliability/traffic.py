"""Requests whose right answers are known, asked by many at once; and what became of them."""

import asyncio
import contextlib
import copy
import http.client
import itertools
import json
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from benchmarks.reliability.served import Served, publish
from serving.app import application
from serving.audit import verify
from serving.audit.store import store_of
from serving.examples import EXAMPLE
from serving.room import Room

__all__ = ["HEADERS", "Asked", "Traffic", "asked_bodies", "traffic", "unrecorded"]

HEADERS = {"content-type": "application/json"}
BODIES = 24
ASKERS = 6
SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Asked:
    """A request with the answers that are right, one per version that may answer."""

    body: bytes
    right: Sequence[Any]


def asked_bodies(
    shifts: Sequence[float] = (0.0,), run_ids: Sequence[str] = ("0" * 12, "0" * 12)
) -> list[Asked]:
    """Requests, with what this program says in process for versions 1, 2, … of the model."""
    bodies = [json.dumps(_varied(i)).encode() for i in range(BODIES)]
    told = [_answers(bodies, str(1 + i), shift, run_ids[i]) for i, shift in enumerate(shifts)]
    return [Asked(body, right) for body, *right in zip(bodies, *told, strict=True)]


def _varied(i: int) -> dict[str, Any]:
    body = copy.deepcopy(EXAMPLE)
    body["subject"]["age"] = 50 + i
    body["visits"][1]["labs"]["m_protein"]["value"] = 10 + i
    body["visits"][1]["labs"]["bmpc"]["value"] = 5 + 2 * i
    return body


def _answers(bodies: Sequence[bytes], version: str, shift: float, run_id: str) -> list[Any]:
    with tempfile.TemporaryDirectory() as home:
        models_dir = Path(home, "models")
        models_dir.mkdir()
        publish(models_dir, version, shift=shift, run_id=run_id)
        room = Room(models_dir, Path(home, "audit"))
        room.open()
        try:
            return asyncio.run(_ask_in_process(room, bodies))
        finally:
            room.close()


async def _ask_in_process(room: Room, bodies: Sequence[bytes]) -> list[Any]:
    transport = httpx.ASGITransport(application(room))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        answers = [await client.post("/v1/risk", content=body, headers=HEADERS) for body in bodies]
    assert {answer.status_code for answer in answers} == {200}
    return [_without_id(answer.content)[1] for answer in answers]


def _without_id(content: bytes) -> tuple[str, Any]:
    answer = json.loads(content)
    return answer.pop("request_id"), answer


@dataclass(slots=True)
class Traffic:
    """What became of requests.

    Parameters
    ----------
    acknowledged
        Moment and request id of every answer of 200.
    statuses
        How often each status, ``broken`` for a connection that ended without an answer.
    wrong
        Answers of 200 that say something else than they must.
    seconds
        Time of every acknowledged answer.
    """

    acknowledged: list[tuple[float, str]] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)
    wrong: int = 0
    seconds: list[float] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)

    def ask(self, port: int, asked: Sequence[Asked], first: int) -> None:
        """Ask again and again until told to stop."""
        connection: http.client.HTTPConnection | None = None
        i = first
        while not self._stop.is_set():
            i += 1
            each = asked[i % len(asked)]
            if connection is None:
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
            try:
                began = time.monotonic()
                connection.request("POST", "/v1/risk", each.body, HEADERS)
                response = connection.getresponse()
                content = response.read()
            except (OSError, http.client.HTTPException):
                self.statuses["broken"] += 1
                connection.close()
                connection = None
                time.sleep(0.02)
                continue
            self.statuses[str(response.status)] += 1
            if response.status == 200:
                self._take(began, content, each)
            else:
                time.sleep(0.02)
        if connection is not None:
            connection.close()

    def _take(self, began: float, content: bytes, asked: Asked) -> None:
        name, answer = _without_id(content)
        now = time.monotonic()
        self.acknowledged.append((now, name))
        self.seconds.append(now - began)
        if answer not in asked.right:
            self.wrong += 1

    def stop(self) -> None:
        """Have everybody finish the request they are at."""
        self._stop.set()

    def longest_silence(self) -> float:
        """Longest time between two acknowledged answers, in seconds."""
        moments = sorted(moment for moment, _ in self.acknowledged)
        return max((b - a for a, b in itertools.pairwise(moments)), default=float("inf"))


@contextlib.contextmanager
def traffic(served: Served, asked: Sequence[Asked], askers: int = ASKERS) -> Iterator[Traffic]:
    """Requests going on while something happens."""
    found = Traffic()
    threads = [
        threading.Thread(target=found.ask, args=(served.port, asked, 7 * i), daemon=True)
        for i in range(askers)
    ]
    for thread in threads:
        thread.start()
    try:
        yield found
    finally:
        found.stop()
        for thread in threads:
            thread.join(timeout=2 * SECONDS)


def unrecorded(served: Served, found: Traffic) -> int:
    """Acknowledged answers without a record, after the chain of the log has been checked."""
    assert found.acknowledged, "nothing was answered, so nothing can be said of answers"
    verdict = verify(served.audit_dir, served.audit_url)
    assert verdict.broken_at is None, verdict
    rows = store_of(served.audit_dir, served.audit_url).rows()
    recorded = {json.loads(text)["request_id"] for _, _, text in rows}
    return len({name for _, name in found.acknowledged} - recorded)
