import pytest

from serving import retries
from serving.retries import Retries


def test_each_failure_puts_the_next_try_off_twice_as_long_up_to_a_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 0.0
    monkeypatch.setattr(retries.time, "monotonic", lambda: now)
    tries = Retries()
    waits = []
    for _ in range(8):
        tries.put_off("a")
        began = now
        while not tries.due("a"):
            now += 1.0
        waits.append(now - began)
    assert waits == [10, 20, 40, 80, 160, 320, 600, 600]


def test_what_never_failed_or_was_forgotten_is_never_due(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "FIRST_SECONDS", 0.0)
    tries = Retries()
    assert not tries.due("a")
    tries.put_off("a")
    assert tries.due("a")
    tries.forget("a")
    assert not tries.due("a")
