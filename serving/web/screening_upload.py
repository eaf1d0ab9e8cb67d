"""A dropped file: its name, its bytes, what its columns may be, and the lab rows it holds.

The file stays in memory. Between the two steps of the form it waits in the browser, packed into the
page, so that nothing of it is kept here: the second step brings it back.
"""

import base64
import binascii
import hashlib
import os
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from features.analytes import ANALYTES
from features.errors import ColumnError, FieldProblem, InputError, UnitError
from features.labs import LabRows
from features.sources import Format, read_visits
from features.sources.cells import numbers, texts
from features.sources.csv import LAB_COLUMNS, check_header
from features.sources.headers import guess_columns
from features.sources.long import LONG_COLUMNS
from features.sources.pangea import is_pangea
from features.sources.reading import SUBJECT_COLUMNS
from features.sources.table import Cells
from features.sources.tables import header_of, table_of
from serving.problems import MALFORMED, TOO_LARGE, ProblemError
from serving.web.parts import Part
from serving.web.screening_frames import FILE_BYTES, Column, Columns

__all__ = [
    "Upload",
    "read_upload",
    "rows_of_upload",
]

MOST_COLUMNS = 500
EXAMPLES = 3
LONGEST_EXAMPLE = 24
CELLS: Mapping[str, Cells] = {**SUBJECT_COLUMNS, **LONG_COLUMNS}
"""Kinds of cells by column; those that are not here are tests and hold numbers."""
FHIR_NAMES = (".json", ".ndjson", ".jsonl")


@dataclass(frozen=True, slots=True)
class Upload:
    """What a form brought.

    Parameters
    ----------
    name
        Of the file, without its folder.
    content
        Its bytes.
    names
        Columns as confirmed; None when nobody was asked yet.
    ask
        Whether the columns are to be shown whatever they are.
    """

    name: str
    content: bytes
    names: Mapping[str, str] | None = None
    ask: bool = False

    @property
    def digest(self) -> str:
        """SHA-256 of the bytes."""
        return hashlib.sha256(self.content).hexdigest()

    @contextmanager
    def opened(self) -> Iterator[Path]:
        """Path under which readers find the file, in memory and without a name on a disk."""
        held = os.memfd_create("upload")
        try:
            with os.fdopen(os.dup(held), "wb") as sink:
                sink.write(self.content)
            yield Path(f"/proc/self/fd/{held}")
        finally:
            os.close(held)


def read_upload(parts: Mapping[str, Part]) -> Upload:
    """The file of a form, and its columns where they were confirmed.

    Raises
    ------
    ProblemError
        If there is no file, or it is too large.
    """
    action = parts["action"].text if "action" in parts else ""
    if "packed" in parts:
        name = parts["name"].text if "name" in parts else ""
        names = {
            parts[f"name-{i}"].text: chosen.text
            for i in range(MOST_COLUMNS)
            if (chosen := parts.get(f"column-{i}")) is not None
            and chosen.text
            and f"name-{i}" in parts
        }
        content = _unpacked(parts["packed"].content)
        return Upload(_base(name), content, names, ask=action == "columns")
    given = parts.get("file")
    if given is None or given.filename is None or not given.filename:
        raise ProblemError(MALFORMED, "choose a file first")
    if len(given.content) > FILE_BYTES:
        raise _too_large()
    return Upload(_base(given.filename), given.content, ask=action == "columns")


def _base(name: str) -> str:
    """Name of a file without folders, in one line of printable signs."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(sign for sign in last if sign.isprintable())[:120]


def _too_large() -> ProblemError:
    size = FILE_BYTES >> 20
    return ProblemError(
        TOO_LARGE, f"a file may have at most {size} MB; split it, or use `smoulder screen`"
    )


def _unpacked(packed: bytes) -> bytes:
    """The file as handed back; a small parcel that would grow too large is refused."""
    try:
        reader = zlib.decompressobj()
        content = reader.decompress(base64.b64decode(packed, validate=True), FILE_BYTES + 1)
    except (binascii.Error, zlib.error):
        raise ProblemError(
            MALFORMED, "the file was not handed back whole; choose it again"
        ) from None
    if len(content) > FILE_BYTES:
        raise _too_large()
    return content


def rows_of_upload(upload: Upload, path: Path) -> LabRows | Columns:
    """Lab rows of the file, or its columns where they have to be confirmed first.

    Raises
    ------
    InputError
        If the file as a whole cannot be used.
    """
    if _is_fhir(upload):
        return read_visits(path, format="fhir")
    header = header_of(path)
    if len(header) > MOST_COLUMNS:
        raise InputError("header", f"has {len(header)} columns; at most {MOST_COLUMNS} are read")
    if upload.ask:
        return _describe_columns(upload, path, header)
    if upload.names is not None:
        try:
            return read_visits(path, names=upload.names)
        except (ColumnError, UnitError) as error:
            return _describe_columns(upload, path, header, error.problem)
    layout = _known_layout(header)
    if layout is None:
        return _describe_columns(upload, path, header)
    return read_visits(path, format=layout)


def _is_fhir(upload: Upload) -> bool:
    start = upload.content[:64].lstrip(b"\xef\xbb\xbf \r\n\t")
    return start[:1] in (b"{", b"[") or upload.name.lower().endswith(FHIR_NAMES)


def _known_layout(header: tuple[str, ...]) -> Format | None:
    """Layout of a header that leaves nothing to guess, else None."""
    if is_pangea(header):
        return "pangea"
    if any(found and found != (name,) for name, found in guess_columns(header).items()):
        return None
    if "value" in header:
        return "csv"
    try:
        check_header(header, source="")
    except InputError:
        return None
    return "csv"


def _describe_columns(
    upload: Upload, path: Path, header: tuple[str, ...], problem: FieldProblem | None = None
) -> Columns:
    """What each column holds and may be."""
    guesses = guess_columns(header)
    table = table_of(path, {name: _cells(guesses[name]) for name in header})
    return Columns(
        file=upload.name,
        rows=len(table),
        columns=tuple(_column(name, table.columns[name], guesses[name]) for name in header if name),
        chosen=dict(upload.names or {}),
        problems=() if problem is None else (FieldProblem(problem.field, problem.expected),),
        packed=base64.b64encode(zlib.compress(upload.content, 1)).decode("ascii"),
    )


def _cells(candidates: tuple[str, ...]) -> Cells:
    """What the cells of a column should hold, where all it may be agree."""
    kinds: set[Cells] = {CELLS.get(candidate, "number") for candidate in candidates}
    return "number" if kinds == {"number"} else "text"


def _column(name: str, cells: pa.Array, candidates: tuple[str, ...]) -> Column:
    examples: dict[str, None] = {}
    for text in texts(cells[:200]).to_pylist():
        if text and len(examples) < EXAMPLES:
            cut = text if len(text) <= LONGEST_EXAMPLE else f"{text[:LONGEST_EXAMPLE]}…"
            examples[cut] = None
    likely = _likely(cells, candidates) if len(candidates) > 1 else ()
    return Column(name, tuple(examples), candidates, likely)


def _likely(cells: pa.Array, candidates: tuple[str, ...]) -> tuple[str, ...]:
    """Candidates in whose unit the middle value of the column is usual."""
    values, _ = numbers(cells)
    known = values[~np.isnan(values)]
    if not known.size:
        return ()
    middle = float(np.median(known))
    return tuple(name for name in candidates if _usual(name, middle))


def _usual(column: str, value: float) -> bool:
    name, unit = LAB_COLUMNS[column]
    analyte = ANALYTES[name]
    low, high = (
        bound if bound is not None else limit
        for bound, limit in zip(analyte.warn, analyte.error, strict=True)
    )
    return low <= value * analyte.units[unit] <= high
