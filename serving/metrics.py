"""What is counted: answers, statuses, times and models. Never a value or an identifier."""

import os
from collections import Counter as Counted
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.multiprocess import MultiProcessCollector

from serving.lineup import Lineup

__all__ = ["MEDIA_TYPE", "Metrics", "forget_dead"]

MEDIA_TYPE = CONTENT_TYPE_PLAIN_0_0_4
BUCKETS_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0, 5.0)


DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"
"""Environment variable under which the supervisor names the folder that workers share."""


def forget_dead(folder: Path) -> None:
    """Remove what killed workers last said of themselves; their counts stay."""
    for path in folder.glob("gauge_live*.db"):
        owner = path.stem.rpartition("_")[2]
        if owner.isdigit() and not Path("/proc", owner).exists():
            path.unlink(missing_ok=True)


class Metrics:
    """Counters of one worker; with several workers the exposition adds them up.

    Routes are the declared ones, so no caller can make labels grow.
    """

    def __init__(self) -> None:
        if DIRECTORY in os.environ:
            forget_dead(Path(os.environ[DIRECTORY]))
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "smoulder_requests", "Requests answered", ("route", "status"), registry=self.registry
        )
        self._seconds = Histogram(
            "smoulder_request_seconds",
            "Time from the request's head to its answer",
            ("route",),
            buckets=BUCKETS_SECONDS,
            registry=self.registry,
        )
        self._estimates = Counter(
            "smoulder_estimates", "Estimates given", ("model", "status"), registry=self.registry
        )
        self._model = Gauge(
            "smoulder_model_info",
            "Learned models that answer",
            ("model", "version", "role"),
            registry=self.registry,
            multiprocess_mode="livemax",
        )
        self._faults = Gauge(
            "smoulder_model_faults",
            "Published directories that could not be loaded",
            registry=self.registry,
            multiprocess_mode="livemax",
        )
        self._unrecorded = Counter(
            "smoulder_unrecorded", "Answers held back for want of a record", registry=self.registry
        )
        self._feedback = Counter(
            "smoulder_cds_feedback",
            "What became of cards",
            ("outcome", "reason"),
            registry=self.registry,
        )
        # Labels are checked and looked up under a lock; a model and a status are always the same.
        self._said = lru_cache(maxsize=1024)(self._estimates.labels)
        self._shown: set[tuple[str, str, str]] = set()

    def request(self, route: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        self._requests.labels(route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def estimates(self, told: Iterable[Mapping[str, Any]]) -> None:
        """Count what models said of any number of subjects."""
        said = Counted((entry["model"], entry["status"]) for entry in told)
        for (model, status), number in said.items():
            self._said(model, status).inc(number)

    def feedback(self, outcome: str, reason: str) -> None:
        """Count what became of one card; the reason is one of ours, never a comment."""
        self._feedback.labels(outcome, reason).inc()

    def unrecorded(self) -> None:
        """Count a request whose answer could not be recorded."""
        self._unrecorded.inc()

    def lineup(self, lineup: Lineup) -> None:
        """Show which learned models answer."""
        now = {
            (name, model.version, lineup.cards[name].role) for name, model in lineup.learned.items()
        }
        for labels in self._shown - now:
            self._model.labels(*labels).set(0)
        for labels in now:
            self._model.labels(*labels).set(1)
        self._shown = now
        self._faults.set(len(lineup.faults))

    def exposition(self) -> bytes:
        """Prometheus text of all workers."""
        if DIRECTORY not in os.environ:
            return generate_latest(self.registry)
        gathered = CollectorRegistry()
        MultiProcessCollector(gathered)  # type: ignore[no-untyped-call]
        return generate_latest(gathered)
