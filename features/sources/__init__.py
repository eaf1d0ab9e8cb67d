"""Readers, one per format, all to the same lab rows.

Each is imported when it is asked for: a server reads FHIR and needs no reader of tables.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from features.errors import InputError
from features.labs import LabRows

if TYPE_CHECKING:
    from features.sources.tables import Names

__all__ = ["Format", "detected_format", "read_visits"]

Format = Literal["auto", "csv", "pangea", "fhir", "omop"]


def read_visits(
    path: Path | str,
    *,
    format: Format = "auto",  # noqa: A002
    codes: Path | str | None = None,
    names: "Names | None" = None,
) -> LabRows:
    """Lab rows of a file, a folder or a database, in the order of the source.

    Parameters
    ----------
    path
        CSV or Parquet (wide, long or PANGEA's), FHIR Bundle or NDJSON, a folder of OMOP tables, or
        a database URL with OMOP tables.
    format
        How it is laid out; ``auto`` looks at the name and the first bytes. ``csv`` is the wide or
        the long layout, whichever the header shows, as CSV or Parquet.
    codes
        CSV file with the columns ``code`` and ``analyte`` that maps a site's own codes to the
        catalogue; FHIR and OMOP only.
    names
        A table's own column names to those of the wide or the long layout.

    Raises
    ------
    InputError
        If the source as a whole cannot be used; a cell that cannot is a problem of its subject.
    """
    if format not in get_args(Format):
        raise InputError("format", f"is not known; expected one of {', '.join(get_args(Format))}")
    if names is not None:
        return _read_layout(Path(path), names)
    chosen = detected_format(path) if format == "auto" else format
    if chosen == "fhir":
        from features.sources.fhir import read_fhir

        return read_fhir(path, codes=codes)
    if chosen == "omop":
        from features.sources.omop import read_omop

        return read_omop(path, codes=codes)
    if chosen == "pangea":
        from features.sources.pangea import read_pangea

        return read_pangea(path)
    return _read_layout(Path(path))


def _read_layout(path: Path, names: "Names | None" = None) -> LabRows:
    """Lab rows of the wide or the long layout, whichever the header shows."""
    from features.sources.csv import read_table
    from features.sources.long import read_long
    from features.sources.tables import header_of

    read = read_long if "value" in header_of(path, names) else read_table
    return read(path, names=names)


def detected_format(path: Path | str) -> Format:
    """How a source is laid out, by its name and its first bytes."""
    if "://" in str(path):
        return "omop"
    file = Path(path)
    if file.is_dir():
        return "omop"
    if file.suffix.lower() in {".json", ".ndjson", ".jsonl"}:
        return "fhir"
    if file.is_file():
        with file.open("rb") as opened:
            if opened.read(64).lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"{"):
                return "fhir"
    from features.sources.pangea import is_pangea
    from features.sources.tables import header_of

    return "pangea" if is_pangea(header_of(file)) else "csv"
