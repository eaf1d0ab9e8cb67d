"""Every status that the document declares is reached, and none that it does not declare appears."""

import asyncio
import copy
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NoReturn

import pytest

from serving import limits
from serving.access.callers import SCOPES, needed
from serving.access.keys import add_key
from serving.app import application
from serving.openapi import document
from serving.problems import MEDIA_TYPE

Body = dict[str, Any]

DOCUMENT = document()
OPERATIONS = {
    (method.upper(), path): operation
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
    if method != "parameters"
}
IDS = [f"{method} {path}" for method, path in OPERATIONS]
MODULES = ("serving.api", "serving.fhir.routes", "serving.cds_hooks.routes")


class Caller:
    """One operation, asked in every way that leads to a status of its own."""

    def __init__(self, method: str, path: str, room: Any, client_of: Any, home: Path) -> None:
        self.method, self.path, self.room = method, path.format(name="20-2-20"), room
        self.home, self.client_of = home, client_of
        self.open = client_of(application(room))
        content = OPERATIONS[method, path].get("requestBody", {}).get("content", {})
        self.headers: dict[str, str] = {}
        self.body: Any = None
        for media_type, described in content.items():
            self.headers = {"content-type": media_type}
            self.body = copy.deepcopy(described["examples"]["made-up"]["value"])

    def ask(self, **changes: Any) -> Any:
        """The example, with changes to how it is asked."""
        client = changes.pop("client", self.open)
        headers = {**self.headers, **changes.pop("headers", {})}
        content = None if self.body is None else json.dumps(changes.pop("body", self.body))
        options = {"content": content, **changes}
        path, method = options.pop("path", self.path), options.pop("method", self.method)
        return client.request(method, path, headers=headers, **options)

    def guarded(self, directory: str, scopes: list[str], settings: str = "") -> Any:
        """The application behind its door, and the headers of a key."""
        home = self.home / directory
        home.mkdir()
        (home / "access.toml").write_text(settings)
        _, key = add_key(home, "tester", scopes)
        return self.client_of(application(self.room, home)), {"authorization": f"Bearer {key}"}

    def ways(self, monkeypatch: pytest.MonkeyPatch) -> dict[int, Any]:
        """How each status is reached; asked in this order."""
        return {
            200: self.ask,
            401: lambda: self.ask(client=self.guarded("nobody", ["risk"])[0]),
            403: self.forbidden,
            404: lambda: self.ask(path="/v1/models/no-such-model"),
            405: lambda: self.ask(method="DELETE"),
            400: lambda: self.ask(content="{"),
            408: lambda: self.slow(monkeypatch),
            412: lambda: self.ask(body={**self.body, "prefetch": {}}),
            413: lambda: self.ask(headers={"content-length": "2000000000"}),
            415: lambda: self.ask(headers={"content-type": "text/csv"}),
            422: self.impossible,
            429: self.too_often,
            500: lambda: self.failing(monkeypatch),
            503: self.not_ready,
        }

    def impossible(self) -> Any:
        if "subjects" in self.body:
            return self.ask(body={"subjects": []})
        return self.ask(content=json.dumps(self.body).replace("g/L", "mg/dl"))

    def forbidden(self) -> Any:
        need = needed(self.path)
        client, headers = self.guarded("other", [name for name in SCOPES if name != need])
        return self.ask(client=client, headers=headers)

    def too_often(self) -> Any:
        rate = "[rate]\nper_minute = 1\nburst = 1\n"
        client, headers = self.guarded("hasty", list(SCOPES), rate)
        self.ask(client=client, headers=headers)
        return self.ask(client=client, headers=headers)

    def slow(self, monkeypatch: pytest.MonkeyPatch) -> Any:
        async def never() -> AsyncIterator[bytes]:
            yield b"{"
            await asyncio.sleep(5)
            yield b"}"

        with monkeypatch.context() as patch:
            patch.setattr(limits, "BODY_SECONDS", 0.05)
            return self.ask(content=never())

    def failing(self, monkeypatch: pytest.MonkeyPatch) -> Any:
        def broken(*_: Any, **__: Any) -> NoReturn:
            raise RuntimeError("a fault of ours")

        with monkeypatch.context() as patch:
            for module in MODULES:
                patch.setattr(f"{module}.Response", broken)
            return self.ask()

    def not_ready(self) -> Any:
        self.room.ready = False
        try:
            return self.ask()
        finally:
            self.room.ready = True


@pytest.mark.parametrize(("method", "path"), OPERATIONS, ids=IDS)
def test_every_declared_status_is_reached_and_no_other(
    method: str,
    path: str,
    room: Any,
    client_of: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caller = Caller(method, path, room, client_of, tmp_path)
    declared = {int(status) for status in OPERATIONS[method, path]["responses"]}
    reached = {}
    for status, way in caller.ways(monkeypatch).items():
        if status in declared:
            reached[status] = way()
    told = {status: response.status_code for status, response in reached.items()}
    assert told == {status: status for status in declared}
    for status, response in reached.items():
        if status != 200:
            assert response.headers["content-type"] == MEDIA_TYPE


def test_the_ways_know_every_status_that_is_declared_anywhere(room: Any, client_of: Any) -> None:
    declared = {int(s) for operation in OPERATIONS.values() for s in operation["responses"]}
    caller = Caller("POST", "/v1/risk", room, client_of, Path())
    assert declared == set(caller.ways(pytest.MonkeyPatch()))


@pytest.mark.parametrize(("method", "path"), OPERATIONS, ids=IDS)
def test_what_is_not_declared_cannot_be_reached_either(
    method: str, path: str, room: Any, client_of: Any, tmp_path: Path
) -> None:
    caller = Caller(method, path, room, client_of, tmp_path)
    declared = {int(status) for status in OPERATIONS[method, path]["responses"]}
    ways = [lambda: caller.ask(headers={"content-length": "2000000000"}), caller.not_ready]
    ways += [lambda: caller.ask(content="{"), lambda: caller.ask(headers={"content-type": "a/b"})]
    ways += [lambda: caller.ask(params={"x": "\x00"}), lambda: caller.ask(content=b"\xff")]
    assert {way().status_code for way in ways} <= declared
