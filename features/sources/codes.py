"""A site's own codes for the tests of the catalogue: a CSV file with `code` and `analyte`."""

from collections.abc import Mapping
from pathlib import Path

from features.analytes import ANALYTES, Analyte
from features.errors import ColumnError, DuplicateError, InputError
from features.sources.cells import texts
from features.sources.tables import header_of, table_of

__all__ = ["read_codes"]


def read_codes(path: Path | str | None) -> Mapping[str, Analyte]:
    """Code to analyte; empty without a file.

    Raises
    ------
    InputError
        If a column is missing, an analyte is not in the catalogue or a code is given twice.
    """
    if path is None:
        return {}
    path = Path(path)
    header = header_of(path)
    for name in ("code", "analyte"):
        if name not in header:
            message = f"has no column '{name}'; a file of codes has 'code' and 'analyte'"
            raise ColumnError("header", message, row=1, source=path.name)
    table = table_of(path, {"code": "text", "analyte": "text"})
    found: dict[str, Analyte] = {}
    cells = zip(
        table.row.tolist(),
        texts(table.columns["code"]).to_pylist(),
        texts(table.columns["analyte"]).to_pylist(),
        strict=True,
    )
    for row, code, name in cells:
        if name not in ANALYTES:
            message = f"is not in the catalogue: {', '.join(ANALYTES)}"
            raise InputError("analyte", message, row=row, source=path.name)
        if code in found:
            message = "is given twice; one code names one analyte"
            raise DuplicateError("code", message, row=row, source=path.name)
        found[code] = ANALYTES[name]
    return found
