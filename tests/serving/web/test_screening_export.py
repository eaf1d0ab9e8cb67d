"""What is taken away is safe to open, and says what the table says."""

import csv
import io
import zipfile
from typing import Any

import openpyxl

SIGNS = ("=", "+", "-", "@", "\t=", " =", "＝")


def test_no_identifier_becomes_a_formula(lists: Any) -> None:
    names = [f'{sign}HYPERLINK("{i}")' for i, sign in enumerate(SIGNS)]
    told = io.StringIO()
    csv.writer(told).writerows([name, *lists.HIGH.split(",")[1:]] for name in names)
    shown = lists.drop(f"{lists.HEADER}\n{told.getvalue()}").text
    rows = lists.exported(shown)
    # Readers trim identifiers.
    assert {row["subject_id"] for row in rows} == {f"'{name.strip()}" for name in names}
    for row in rows:
        for cell in row.values():
            assert not cell.lstrip().startswith(("=", "+", "-", "@", "＝"))
    book = lists.ask(shown, "export/xlsx").content
    sheet = openpyxl.load_workbook(io.BytesIO(book)).active
    cells = [cell for line in sheet.iter_rows() for cell in line if cell.value is not None]
    assert {cell.data_type for cell in cells} <= {"s", "n", "inlineStr"}
    assert {name.strip() for name in names} <= {cell.value for cell in cells}
    quoted = [cell for cell in cells if str(cell.value).startswith(("=", "+", "-", "@"))]
    assert len(quoted) == 6
    assert all(cell.quotePrefix for cell in quoted)
    assert b"<f>" not in zipfile.ZipFile(io.BytesIO(book)).read("xl/worksheets/sheet1.xml")


def test_the_workbook_says_what_the_table_says(lists: Any, page: str) -> None:
    book = lists.ask(page, "export/xlsx").content
    header, *lines = openpyxl.load_workbook(io.BytesIO(book)).active.iter_rows(values_only=True)
    told = lists.exported(page)
    assert list(header) == list(told[0])
    for line, row in zip(lines, told, strict=True):
        for cell, text in zip(line, row.values(), strict=True):
            if isinstance(cell, float | int):
                assert float(text) == cell
            else:
                assert (cell or "") == text
