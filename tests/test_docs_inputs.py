"""The page about inputs says what the readers do."""

from pathlib import Path

import pytest

from features.analytes import ANALYTES, column_name
from features.errors import SmoulderError
from features.sources import read_visits
from features.sources.reading import SUBJECT_COLUMNS
from features.visits import check

PAGE = (Path(__file__).parents[1] / "docs" / "inputs.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ANALYTES)
def test_every_test_is_listed_with_its_columns_and_codes(name):
    analyte = ANALYTES[name]
    columns = ", ".join(dict.fromkeys(f"`{column_name(name, unit)}`" for unit in analyte.units))
    codes = ", ".join(analyte.loinc) or "–"
    assert f"| {analyte.label} | {columns} | {codes} |" in PAGE


def test_every_column_of_a_subject_is_named():
    assert all(f"`{name}`" in PAGE for name in SUBJECT_COLUMNS)


def test_the_lines_shown_are_the_lines_said(tmp_path):
    path = tmp_path / "visits.csv"
    path.write_text("subject_id,years,m_protein_mg_ml\nA,0,18\n")
    with pytest.raises(SmoulderError) as caught:
        read_visits(path)
    assert str(caught.value) in PAGE
    path.write_text("subject_id,years,hemoglobin_g_dl\nA,0,13\nB,0,131\n")
    (finding,) = check(read_visits(path)).findings
    assert f"visits.csv, {finding}" in PAGE
