import asyncio
from typing import Any

import pytest

from serving import limits
from serving.limits import read_body
from serving.problems import ProblemError


def read(*chunks: bytes, headers: dict[str, str] | None = None, most: int = 10) -> bytes:
    messages = [
        {"type": "http.request", "body": chunk, "more_body": i < len(chunks) - 1}
        for i, chunk in enumerate(chunks)
    ]

    async def receive() -> Any:
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    return asyncio.run(read_body(receive, headers or {}, most_bytes=most))


def test_a_body_of_exactly_the_limit_is_read() -> None:
    assert read(b"12345", b"67890") == b"1234567890"


@pytest.mark.parametrize("declared", ["0", "3", "not a number", "-1", "9" * 30])
def test_one_byte_more_is_refused_whatever_was_declared(declared: str) -> None:
    with pytest.raises(ProblemError) as caught:
        read(b"12345", b"678901", headers={"content-length": declared})
    assert caught.value.kind.status == 413


def test_a_body_that_breaks_off_is_malformed() -> None:
    async def receive() -> Any:
        return {"type": "http.disconnect"}

    with pytest.raises(ProblemError) as caught:
        asyncio.run(read_body(receive, {}, most_bytes=10))
    assert caught.value.kind.status == 400


def test_a_slow_body_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BODY_SECONDS", 0.02)

    async def receive() -> Any:
        await asyncio.sleep(60)

    with pytest.raises(ProblemError) as caught:
        asyncio.run(read_body(receive, {}, most_bytes=10))
    assert caught.value.kind.status == 408
