"""What is counted: answers, statuses, times and models. Never a value or an identifier.

A counter that several processes share is a lock and a write to a mapped file, and an answer counts
some forty things. So counts are gathered in memory and written once a second.
"""

import asyncio
import contextlib
import os
import time
from collections import Counter as Counted
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.multiprocess import MultiProcessCollector

from features.analytes import ANALYTES
from serving.counters import DIRECTORY, make_room
from serving.drift import bins_of
from serving.followed import REGISTRY
from serving.lineup import Lineup
from serving.values import Input

__all__ = ["MEDIA_TYPE", "Metrics"]

MEDIA_TYPE = CONTENT_TYPE_PLAIN_0_0_4
BUCKETS_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0, 5.0)
FLUSH_SECONDS = 1.0
"""What a worker counted is shown after this time at the latest; a killed one takes it along."""


class Metrics:
    """Counters of one worker; with several workers the exposition adds them up.

    Routes are the declared ones, so no caller can make labels grow.
    """

    def __init__(self) -> None:
        if DIRECTORY in os.environ:
            make_room()
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
        self._registry = Gauge(
            "smoulder_registry_fault",
            "Whether the registry that is followed cannot be",
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
        # Labels are checked and looked up under a lock; those of a route are always the same.
        self._took = lru_cache(maxsize=256)(self._seconds.labels)
        self._published = Gauge(
            "smoulder_model_published_timestamp_seconds",
            "When the version that answers was published; its age is the time since",
            ("model",),
            registry=self.registry,
            multiprocess_mode="livemax",
        )
        self._audit = Histogram(
            "smoulder_audit_seconds",
            "Time until the records of answers given together were on disk",
            buckets=BUCKETS_SECONDS,
            registry=self.registry,
        )
        self._inputs = Counter(
            "smoulder_inputs",
            "Values used, by tenth of the analyte's usual range",
            ("analyte", "bin"),
            registry=self.registry,
        )
        self._requested: Counted[tuple[str, str]] = Counted()
        self._said: Counted[tuple[str, str]] = Counted()
        self._used: dict[str, list[float]] = {name: [] for name in ANALYTES}
        self._flush_at = 0.0
        self._shown: set[tuple[str, str, str]] = set()

    def request(self, route: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        self._requested[route, str(status)] += 1
        self._took(route).observe(seconds)
        self._flush_soon()

    def estimates(self, told: Iterable[Mapping[str, Any]]) -> None:
        """Count what models said of any number of subjects."""
        self._said.update([(entry["model"], entry["status"]) for entry in told])
        self._flush_soon()

    def inputs(self, told: Iterable[Input]) -> None:
        """Count in which part of its usual range each value used lies."""
        used = self._used
        for entry in told:
            if entry.given is not None and entry.used is not None:
                used[entry.analyte].append(entry.used)
        self._flush_soon()

    def flush(self) -> None:
        """Write what was gathered."""
        self._flush_at = 0.0
        requested, self._requested = self._requested, Counted()
        for labels, number in requested.items():
            self._requests.labels(*labels).inc(number)
        said, self._said = self._said, Counted()
        for labels, number in said.items():
            self._estimates.labels(*labels).inc(number)
        for name, values in self._used.items():
            if values:
                for bin_, number in bins_of(name, values).items():
                    self._inputs.labels(name, bin_).inc(number)
                values.clear()

    def _flush_soon(self) -> None:
        """Flush within a second, though nobody should ask again."""
        now = time.monotonic()
        if not self._flush_at:
            self._flush_at = now + FLUSH_SECONDS
            with contextlib.suppress(RuntimeError):
                asyncio.get_running_loop().call_later(FLUSH_SECONDS, self.flush)
        elif now > self._flush_at:
            self.flush()

    def recorded(self, seconds: float) -> None:
        """Note how long answers given together waited for their records."""
        self._audit.observe(seconds)

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
        for name, card in lineup.cards.items():
            self._published.labels(name).set(card.published)
        self._shown = now
        self._registry.set(REGISTRY in lineup.faults)
        self._faults.set(len([name for name in lineup.faults if name != REGISTRY]))

    def exposition(self) -> bytes:
        """Prometheus text of all workers."""
        self.flush()
        if DIRECTORY not in os.environ:
            return generate_latest(self.registry)
        gathered = CollectorRegistry()
        MultiProcessCollector(gathered)  # type: ignore[no-untyped-call]
        return generate_latest(gathered)
