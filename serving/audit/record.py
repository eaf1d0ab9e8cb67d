"""What is put on record of one answer, and how records are chained."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

import msgspec
from msgspec import UNSET, UnsetType

from serving.access.callers import CALLER
from serving.lineup import Card
from serving.values import Json

__all__ = ["GENESIS", "chain", "chained", "record_of"]

GENESIS = "0" * 64
"""Hash before the first record."""


def chained(before: str, seq: int, record: str) -> str:
    """Hash of a record that covers the one before.

    Examples
    --------
    >>> chained(GENESIS, 1, "{}")[:12]
    '857ee6299d26'
    """
    return hashlib.sha256(f"{before}\n{seq}\n{record}".encode()).hexdigest()


def chain(seq: int, head: str, records: Sequence[str]) -> Iterator[tuple[int, str, str]]:
    """Place, hash and text of records that follow one at a place with a hash."""
    for place, record in enumerate(records, seq + 1):
        head = chained(head, place, record)
        yield place, head, record


def record_of(
    *, request_id: str, route: str, answer: Json, cards: Mapping[str, Card], keyed: Json
) -> Json:
    """Record of one answer.

    Parameters
    ----------
    request_id, route
        Of the request.
    answer
        Document as the caller gets it.
    cards
        Learned models that may have answered.
    keyed
        Keyed hashes of input and subject.
    """
    return {
        "time": datetime.now(UTC).isoformat(timespec="microseconds"),
        "request_id": request_id,
        "route": route,
        "caller": CALLER.get(),
        **keyed,
        "as_of": answer["as_of"],
        "stage": answer["staging"]["stage"],
        "flags": sorted({warning["field"] for warning in answer["warnings"]}),
        "outputs": [_output(entry, cards.get(entry["model"])) for entry in answer["estimates"]],
    }


class _Output(msgspec.Struct):
    """What one model said; with the hash of its artefact where it is a learned one."""

    model: str
    version: str
    status: str
    risks: Sequence[Json]
    groups: Sequence[str]
    sha256: str | UnsetType | None = UNSET


def _output(entry: Json, card: Card | None) -> _Output:
    return _Output(
        entry["model"],
        entry["version"],
        entry["status"],
        entry["risks"],
        entry.get("groups", ()),
        UNSET if card is None else card.provenance.get("sha256"),
    )
