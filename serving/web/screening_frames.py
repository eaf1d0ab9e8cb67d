"""What the process that screens a file and the worker that asked for it say to each other.

A task goes in, frames come out: a byte for the kind, four for the length, then content. Content is
JSON decoded by type, never code, so that a process taken over by a hostile file says nothing else.
"""

from collections.abc import Sequence
from typing import BinaryIO

import msgspec

from features.errors import FieldProblem
from serving.values import Json

__all__ = [
    "ASKED",
    "COLUMNS",
    "FAULT",
    "FILE_BYTES",
    "HEAD",
    "LISTED",
    "READ",
    "REFUSED",
    "TOLD",
    "Asked",
    "Column",
    "Columns",
    "Frame",
    "Refusal",
    "Task",
    "Told",
    "write_frame",
]

REFUSED, COLUMNS, READ, ASKED = b"R", b"C", b"N", b"A"
TOLD, LISTED, FAULT = b"T", b"L", b"F"
"""Kinds of frames: a list is how many were read, what was asked, what was told, and itself."""

FILE_BYTES = 32 * 1024 * 1024
"""Largest file: some 300,000 visits as CSV."""

HEAD = 5
"""Bytes before the content: kind and length."""


class Task(msgspec.Struct, frozen=True):
    """What to do with the body that follows.

    Parameters
    ----------
    content_type
        Of the body.
    models_dir
        Where learned models are published.
    versions
        Learned models that answer now; another version is not used.
    today
        Days since 1970-01-01; later visits are refused.
    """

    content_type: str
    models_dir: str
    versions: dict[str, str]
    today: int


class Refusal(msgspec.Struct, frozen=True):
    """Why a file is not screened.

    Parameters
    ----------
    file
        Its name; empty where there is none.
    errors
        Fields and what was expected of them.
    status
        Of the answer.
    """

    file: str
    errors: tuple[FieldProblem, ...]
    status: int = 422


class Asked(msgspec.Struct, frozen=True):
    """What the records of one list have in common.

    Parameters
    ----------
    file
        SHA-256 of its bytes.
    columns
        As confirmed.
    shared
        Entries that many subjects share.
    subjects
        How many are told something.
    """

    file: str
    columns: dict[str, str]
    shared: tuple[Json, ...]
    subjects: int = 0


class Told(msgspec.Struct, frozen=True):
    """What one subject was told, as the record keeps it.

    Parameters
    ----------
    subject
        Its identifier.
    as_of, stage
        Of the answer.
    doubted
        Whether anything wants confirming.
    estimates
        Of every model: its entry, or the place of the entry in a table that many share.
    """

    subject: str
    as_of: str
    stage: str
    doubted: bool
    estimates: tuple[int | Json, ...]

    def document(self, shared: Sequence[Json]) -> Json:
        """The answer, with the members that `Room.record` keeps."""
        return {
            "as_of": self.as_of,
            "staging": {"stage": self.stage},
            "warnings": [{"field": "visits"}] if self.doubted else [],
            "inputs": [],  # a list is somebody's choice of patients, and would pass for drift
            "estimates": [
                shared[entry] if isinstance(entry, int) else entry for entry in self.estimates
            ],
        }


class Column(msgspec.Struct, frozen=True):
    """A column of the file.

    Parameters
    ----------
    name
        As the file has it, normalised.
    examples
        First different values, cut short.
    candidates
        What it may be; one is a guess to confirm, several need a choice.
    likely
        Those of several candidates in whose unit the middle value is usual.
    """

    name: str
    examples: tuple[str, ...]
    candidates: tuple[str, ...]
    likely: tuple[str, ...] = ()


class Columns(msgspec.Struct, frozen=True):
    """A file whose columns are to be confirmed.

    Parameters
    ----------
    file
        Its name.
    rows
        How many it has.
    columns
        In the order of the file.
    packed
        The file itself, to be handed back.
    chosen
        Columns as chosen before, where that did not do.
    problems
        Why not.
    """

    file: str
    rows: int
    columns: tuple[Column, ...]
    packed: str
    chosen: dict[str, str] = {}
    problems: tuple[FieldProblem, ...] = ()


class Frame(msgspec.Struct, frozen=True):
    """One thing said: a kind and its content."""

    kind: bytes
    content: bytes


def write_frame(sink: BinaryIO, frame: Frame) -> None:
    """Say one thing."""
    sink.write(frame.kind + len(frame.content).to_bytes(HEAD - 1, "big") + frame.content)
    sink.flush()
