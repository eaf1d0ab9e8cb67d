"""What every route of one worker shares: models, counters and the calendar."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from features.errors import AuditError
from serving.audit import AuditLog, record_of
from serving.gathering import Gathering
from serving.ledger import Ledger
from serving.lifecycle import Watch
from serving.lineup import Lineup
from serving.metrics import Metrics
from serving.problems import NOT_READY, ProblemError
from serving.request import EPOCH
from serving.values import Json

__all__ = ["Room", "latest_today"]

logger = logging.getLogger("smoulder.serving")

AUDIT = "audit"
"""Name under which a fault of the record stands beside those of models."""

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
    audit_dir
        Where answers are recorded.
    today
        The latest day that is not in the future.
    audit_url
        PostgreSQL database of the records, for several replicas.
    """

    models_dir: Path
    audit_dir: Path
    today: Callable[[], int] = latest_today
    audit_url: str | None = None
    metrics: Metrics = field(default_factory=Metrics)
    gathering: Gathering = field(default_factory=Gathering)
    ledger: Ledger = field(init=False)
    watch: Watch = field(init=False)
    audit: AuditLog = field(init=False)
    ready: bool = False

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.metrics.recorded)
        self.watch = Watch(self.models_dir, self.metrics.lineup)
        self.audit = AuditLog(self.audit_dir, self.audit_url)

    @property
    def lineup(self) -> Lineup:
        """Models that answer now."""
        if not self.ready:
            raise ProblemError(NOT_READY, "models are still being loaded; try again in a second")
        return self.watch.lineup

    @property
    def faults(self) -> Mapping[str, str]:
        """What is wrong now: with models, with the registry, with the record."""
        found = self.lineup.faults
        if self.audit.fault is None:
            return found
        return {**found, AUDIT: f"the last answer could not be recorded: {self.audit.fault}"}

    def open(self) -> None:
        """Load the models, watch for new ones, and start recording."""
        self.audit.open()
        self.watch.start()
        self.ready = True

    def close(self) -> None:
        """Stop watching, and write what is still to be recorded and counted."""
        self.ready = False
        self.watch.stop()
        self.audit.close()
        self.metrics.flush()

    async def record(
        self, route: str, request_id: str, told: Sequence[tuple[object, str | None, Json]]
    ) -> None:
        """Count answers and put them on record; returns when the record is on disk.

        Parameters
        ----------
        route, request_id
            Of the request.
        told
            Per answer: the subject's request as decoded, its identifier, and the answer.

        Raises
        ------
        ProblemError
            503 if they cannot be recorded; then they must not be given.
        """
        cards = self.watch.lineup.cards
        records = [
            record_of(
                request_id=request_id,
                route=route,
                answer=answer,
                cards=cards,
                keyed={
                    "input": self.audit.keyed(asked),
                    "subject": None if subject is None else self.audit.keyed(subject),
                },
            )
            for asked, subject, answer in told
        ]
        try:
            await self.ledger.put(self.audit, records)
        except AuditError as error:
            self.metrics.unrecorded()
            logger.error("request %s: %s", request_id, error)
            raise ProblemError(NOT_READY, "the answer could not be recorded; try again") from None
        self.metrics.inputs(entry for _, _, answer in told for entry in answer["inputs"])
        self.metrics.estimates(entry for _, _, answer in told for entry in answer["estimates"])
