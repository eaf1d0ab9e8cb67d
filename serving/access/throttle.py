"""How often one caller may ask: a bucket of requests that fills with time.

Counted on the monotonic clock, because a wall clock set back would lock callers out for as long as
it was set back; and without a timer, because one is started on the way of a request.
"""

import time
from collections import OrderedDict
from collections.abc import Callable

__all__ = ["MOST_CALLERS", "Throttle"]

MOST_CALLERS = 10_000
"""Buckets kept; the one unused for longest is forgotten, and would be full by then."""


class Throttle:
    """Buckets of one worker, one per caller.

    Parameters
    ----------
    per_minute
        Requests a caller may make in a minute, over time.
    burst
        Requests it may make at once; as many as in a minute when omitted.
    clock
        Seconds that never go back.
    """

    def __init__(
        self,
        per_minute: float,
        *,
        burst: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._per_second = per_minute / 60
        self._most = per_minute if burst is None else burst
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, name: str) -> float:
        """Seconds until a caller may ask again; 0 when it may ask now, and then it has asked.

        Examples
        --------
        >>> throttle = Throttle(60, burst=1, clock=lambda: 0.0)
        >>> throttle.take("a"), throttle.take("a"), throttle.take("b")
        (0.0, 1.0, 0.0)
        """
        left = self._left(name)
        if left < 1:
            return (1 - left) / self._per_second
        self._buckets[name] = (left - 1, self._clock())
        self._buckets.move_to_end(name)
        if len(self._buckets) > MOST_CALLERS:
            self._buckets.popitem(last=False)
        return 0.0

    def _left(self, name: str) -> float:
        left, since = self._buckets.get(name, (self._most, 0.0))
        return min(self._most, left + (self._clock() - since) * self._per_second)
