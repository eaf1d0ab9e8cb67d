"""What every route of one worker shares: models, counters and the calendar."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from serving.lifecycle import Watch
from serving.lineup import Lineup
from serving.metrics import Metrics
from serving.problems import NOT_READY, ProblemError
from serving.request import EPOCH

__all__ = ["Room", "latest_today"]

EASTMOST = timedelta(hours=14)


def latest_today() -> int:
    """Today in the time zone where it begins first, days since 1970-01-01.

    A visit dated by a clinic east of the server is not a visit in the future.
    """
    return (datetime.now(UTC) + EASTMOST).toordinal() - EPOCH


@dataclass(slots=True)
class Room:
    """State of one worker.

    Parameters
    ----------
    models_dir
        Where learned models are published.
    today
        The latest day that is not in the future.
    """

    models_dir: Path
    today: Callable[[], int] = latest_today
    metrics: Metrics = field(default_factory=Metrics)
    watch: Watch = field(init=False)
    ready: bool = False

    def __post_init__(self) -> None:
        self.watch = Watch(self.models_dir, self.metrics.lineup)

    @property
    def lineup(self) -> Lineup:
        """Models that answer now."""
        if not self.ready:
            raise ProblemError(NOT_READY, "models are still being loaded; try again in a second")
        return self.watch.lineup

    def open(self) -> None:
        """Load the models and watch for new ones."""
        self.watch.start()
        self.ready = True

    def close(self) -> None:
        """Stop watching."""
        self.ready = False
        self.watch.stop()
