import asyncio
from typing import Any

import pytest

from serving.access.loopback import LoopbackOnly
from serving.problems import ProblemError


def answered(server: Any, named: bytes | None = b"localhost:3000") -> bool:
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope)

    async def nothing(*_: Any) -> Any: ...

    try:
        headers = [] if named is None else [(b"host", named)]
        scope = {"type": "http", "server": server, "headers": headers}
        asyncio.run(LoopbackOnly(app)(scope, nothing, nothing))
    except ProblemError as problem:
        assert problem.kind.status == 403
    return bool(seen)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1"])
def test_this_machine_is_answered(host: str) -> None:
    assert answered((host, 3000))


@pytest.mark.parametrize("host", ["10.0.0.7", "192.168.1.2", "0.0.0.0", "2001:db8::1"])
def test_no_other_address_is_answered_however_the_server_was_started(host: str) -> None:
    assert not answered((host, 3000))


@pytest.mark.parametrize(
    "named",
    [
        b"127.0.0.1",
        b"127.0.0.1:3000",
        b"LOCALHOST:3000",
        b"smoulder.localhost",
        b"[::1]:3000",
        None,
    ],
)
def test_this_machines_own_names_are_answered(named: bytes | None) -> None:
    assert answered(("127.0.0.1", 3000), named)


@pytest.mark.parametrize(
    "named",
    [
        b"evil.example",
        b"evil.example:3000",
        b"127.0.0.1.evil.example",
        b"localhost.evil.example",
        b"192.168.1.2",
        b"[2001:db8::1]:3000",
        b"",
        b"\xff",
    ],
)
def test_a_name_that_somebody_else_had_point_here_is_not(named: bytes) -> None:
    assert not answered(("127.0.0.1", 3000), named)
