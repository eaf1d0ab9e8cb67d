"""The artefact scan: what would be stored is whole, is data, and holds no patient row.

An artefact goes to places the cohort may never go. Its arrays are looked through for the training
rows themselves: as rows within any array, in double or single precision, and as anything that has
one entry per row or per subject.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from features.history import Floats
from models.artefact import load_artefact
from training.gate.verdict import Check
from training.landmarks import TrainingSet

__all__ = ["scan_artefact"]

SUFFIXES = (".json", ".npz", ".ubj")
SUMS = "SHA256SUMS"
PICKLE = tuple(b"\x80" + bytes([protocol]) for protocol in range(2, 6))
"""How a pickle begins since protocol 2; older ones are text that no reader of ours takes."""
LEAST_KNOWN = 4
"""Fewer values in a row are met by chance, as the three cuts of 20/2/20, and tell of nobody."""
LEAST_ROWS = 50
"""Below this a dimension equals a number of rows by chance."""
OF_TREES = ("feature", "threshold", "missing_left", "leaf")
"""Have an entry per tree, and a forest may have as many trees as a cohort has subjects."""


def scan_artefact(directory: Path, rows: TrainingSet) -> Check:
    """Number of findings in an artefact; the reason names the first, never a value.

    Parameters
    ----------
    directory
        Of the artefact.
    rows
        What the model learnt from.

    Raises
    ------
    ArtefactError
        If the artefact is not whole or its golden rows do not come out.
    """
    model = load_artefact(directory)
    found = list(_foreign(directory))
    if not found:
        found = [
            finding
            for name, array in _arrays(directory)
            for finding in _patient_rows(name, array, rows, model.features)
        ]
    limit = "0 findings of patient rows, pickles or foreign files"
    reason = found[0] if found else None
    return Check("artefact scan", float(len(found)), limit, not found, reason)


def _foreign(directory: Path) -> Iterator[str]:
    for path in sorted(p for p in directory.rglob("*") if p.is_file()):
        name = path.relative_to(directory).as_posix()
        if name != SUMS and path.suffix not in SUFFIXES:
            yield f"{name} is of no kind that belongs there"
        if path.read_bytes()[:2] in PICKLE:
            yield f"{name} is a pickle"


def _arrays(directory: Path) -> Iterator[tuple[str, Floats]]:
    """Every number in the artefact, as arrays by name."""
    for path in sorted(directory.rglob("*.npz")):
        with np.load(path, allow_pickle=False) as stored:
            for name, array in stored.items():
                if array.dtype.kind in "fiub":
                    yield f"{path.name}:{name}", array.astype(np.float64)
    for path in sorted(directory.rglob("*.json")):
        content = json.loads(path.read_text(encoding="utf-8"))
        yield path.name, np.array(list(_numbers(content)), dtype=np.float64)
        for length in _lengths(content):
            yield f"{path.name}: a list", np.full(length, np.nan)


def _lengths(value: Any) -> Iterator[int]:
    """Lengths of all lists in a nest of lists and mappings."""
    if isinstance(value, list):
        yield len(value)
    if isinstance(value, list | dict):
        for item in value if isinstance(value, list) else value.values():
            yield from _lengths(item)


def _numbers(value: Any) -> Iterator[float]:
    """Numbers of a nest of lists and mappings in their order; null is a value not known."""
    if isinstance(value, dict):
        for item in value.values():
            yield from _numbers(item)
    elif isinstance(value, list):
        for item in value:
            yield from _numbers(item)
    elif value is None:
        yield np.nan
    elif isinstance(value, int | float):
        yield float(value)


def _patient_rows(
    name: str, array: Floats, rows: TrainingSet, features: tuple[str, ...]
) -> Iterator[str]:
    sizes = {len(rows.subject): "row", rows.subjects: "subject"}
    counted = not name.endswith(OF_TREES)
    for size, what in sizes.items():
        if counted and size >= LEAST_ROWS and size in array.shape:
            yield f"{name} has an entry for each training {what}"
            return
    if _holds(array.reshape(-1), rows.columns(features)):
        yield f"{name} holds a training row"


def _holds(flat: Floats, values: Floats) -> bool:
    """Whether any row of values stands, in its order, anywhere in a flat array."""
    told = values[(~np.isnan(values)).sum(axis=1) >= LEAST_KNOWN].astype(np.float32)
    width = values.shape[1]
    if not len(told) or flat.size < width:
        return False
    single = flat.astype(np.float32)
    # Looked for where the most telling column has one of its values: few places remain.
    kinds = [np.unique(column[~np.isnan(column)]).size for column in told.T]
    anchor = int(np.argmax(kinds))
    starts = np.flatnonzero(np.isin(single, told[:, anchor])) - anchor
    starts = starts[(starts >= 0) & (starts + width <= single.size)]
    if not starts.size:
        return False
    windows = single[starts[:, None] + np.arange(width)]
    rows = {row.tobytes() for row in np.nan_to_num(told, nan=np.inf)}
    return any(row.tobytes() in rows for row in np.nan_to_num(windows, nan=np.inf))
