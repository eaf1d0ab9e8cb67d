import asyncio
from typing import Any

import pytest

from serving.access.loopback import LoopbackOnly
from serving.problems import ProblemError


def answered(server: Any) -> bool:
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope)

    async def nothing(*_: Any) -> Any: ...

    try:
        asyncio.run(LoopbackOnly(app)({"type": "http", "server": server}, nothing, nothing))
    except ProblemError as problem:
        assert problem.kind.status == 403
    return bool(seen)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1"])
def test_this_machine_is_answered(host: str) -> None:
    assert answered((host, 3000))


@pytest.mark.parametrize("host", ["10.0.0.7", "192.168.1.2", "0.0.0.0", "2001:db8::1"])
def test_no_other_address_is_answered_however_the_server_was_started(host: str) -> None:
    assert not answered((host, 3000))
