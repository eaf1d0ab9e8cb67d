import pytest

from serving.access import throttle
from serving.access.throttle import Throttle


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_caller_asks_as_often_as_allowed_over_time_and_no_more() -> None:
    clock = Clock()
    bucket = Throttle(60, burst=10, clock=clock)
    asked = 0
    for _ in range(1000):
        clock.now += 0.1
        asked += bucket.take("a") == 0
    # 10 at once, then one a second for the 100 s that pass.
    assert asked == pytest.approx(10 + 100, abs=1)


def test_the_wait_told_is_long_enough_and_not_longer() -> None:
    clock = Clock()
    bucket = Throttle(6, burst=1, clock=clock)
    assert bucket.take("a") == 0
    wait = bucket.take("a")
    assert wait == pytest.approx(10)
    clock.now += wait - 0.01
    assert bucket.take("a") > 0
    clock.now += 0.02
    assert bucket.take("a") == 0


def test_the_memory_of_callers_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "MOST_CALLERS", 5)
    bucket = Throttle(60, clock=Clock())
    for i in range(50):
        bucket.take(str(i))
    assert len(bucket._buckets) == 5
