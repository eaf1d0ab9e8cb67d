"""When to try again what failed: soon at first, then ever more seldom."""

import time

__all__ = ["FIRST_SECONDS", "MOST_SECONDS", "Retries"]

FIRST_SECONDS, MOST_SECONDS = 10.0, 600.0


class Retries:
    """Names of what failed, each with the moment of its next try."""

    def __init__(self) -> None:
        self._next: dict[str, tuple[float, float]] = {}

    def due(self, name: str) -> bool:
        """Whether it is time to try again."""
        return name in self._next and time.monotonic() >= self._next[name][0]

    def put_off(self, name: str) -> None:
        """Note a failure; each puts the next try off twice as long."""
        _, last = self._next.get(name, (0.0, FIRST_SECONDS / 2))
        wait = min(2 * last, MOST_SECONDS)
        self._next[name] = time.monotonic() + wait, wait

    def forget(self, name: str) -> None:
        """Note that there is nothing to try again."""
        self._next.pop(name, None)
