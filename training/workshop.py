"""Where the fits are done: several at a time, each kept when it is done, none done twice.

A piece of work is a function of arrays and a seed, under a name. What it gave is kept in a folder
until the training is registered, so that a training that was killed goes on where it stood. The
order in which pieces end changes nothing: each has its own seed and results are put together by
name.
"""

import hashlib
import io
import json
import os
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from threadpoolctl import threadpool_limits

__all__ = ["Piece", "Progress", "Result", "Workshop", "all_cores", "as_text", "from_text"]

Progress = Callable[[str, str], None]
Result = Mapping[str, np.ndarray[Any, Any]]


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of work.

    Parameters
    ----------
    name
        Unlike any other of the training.
    label
        For people, while it goes on.
    work
        Gives arrays by name, the same for the same arguments; a function of a module.
    arguments
        Of the function.
    """

    name: str
    label: str
    work: Callable[..., Result]
    arguments: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Workshop:
    """Processes and a place for finished work.

    Parameters
    ----------
    jobs
        Processes at a time; 1 works in this one.
    folder
        Where finished pieces are kept; None keeps nothing.
    progress
        Told a label before the first piece and after each, and how many of them are done.
    """

    jobs: int = 1
    folder: Path | None = None
    progress: Progress = lambda _label, _done: None

    def do(self, pieces: list[Piece]) -> dict[str, Result]:
        """Result of every piece by its name; only what is not kept already is done."""
        found: dict[str, Result] = {}

        def add(piece: Piece, result: Result) -> None:
            found[piece.name] = result
            tell(piece)

        def tell(piece: Piece) -> None:
            self.progress(piece.label, f"{len(found)} of {len(pieces)}")

        for piece in pieces:
            kept = self._kept(piece.name)
            if kept is not None:
                add(piece, kept)
        missing = [piece for piece in pieces if piece.name not in found]
        if missing:
            tell(missing[0])
        for piece, result in zip(missing, self._work(missing), strict=True):
            add(piece, result)
        return found

    def within(self, name: str) -> "Workshop":
        """The same with a folder of its own for one training."""
        return replace(self, folder=None if self.folder is None else self.folder / name)

    def clear(self) -> None:
        """Drop what is kept, when the training is registered and nobody needs it any more."""
        if self.folder is not None and self.folder.is_dir():
            for file in self.folder.glob("*.npz"):
                file.unlink()
            self.folder.rmdir()

    def _work(self, pieces: list[Piece]) -> Iterator[Result]:
        if self.folder is not None:
            self.folder.mkdir(parents=True, exist_ok=True)
        given = ((piece, self._place(piece.name)) for piece in pieces)
        if self.jobs == 1 or len(pieces) < 2:
            yield from (_do(*one) for one in given)
            return
        yield from Parallel(n_jobs=self.jobs, return_as="generator")(
            delayed(_do)(*one) for one in given
        )

    def _place(self, name: str) -> Path | None:
        if self.folder is None:
            return None
        return self.folder / f"{hashlib.sha256(name.encode()).hexdigest()[:24]}.npz"

    def _kept(self, name: str) -> Result | None:
        place = self._place(name)
        if place is None or not place.is_file():
            return None
        try:
            with np.load(io.BytesIO(place.read_bytes()), allow_pickle=False) as stored:
                return dict(stored)
        except (OSError, ValueError, zipfile.BadZipFile):
            # Written whole by rename: only a damaged disk comes here. Doing it again is right.
            return None


def _do(piece: Piece, place: Path | None) -> Result:
    # Threads of the linear algebra fight for the cores, and their sums differ in the last bit.
    with threadpool_limits(1):
        result = piece.work(*piece.arguments)
    if place is not None:
        with tempfile.NamedTemporaryFile(dir=place.parent, prefix=".", delete=False) as file:
            np.savez(file, allow_pickle=False, **result)
        Path(file.name).replace(place)
    return result


def as_text(settings: Mapping[str, float | int]) -> np.ndarray[Any, Any]:
    """Settings as an array that needs no pickle."""
    return np.array(json.dumps(dict(settings), sort_keys=True))


def from_text(stored: np.ndarray[Any, Any]) -> dict[str, float | int]:
    """Settings of such an array."""
    return dict(json.loads(str(stored)))


def all_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
