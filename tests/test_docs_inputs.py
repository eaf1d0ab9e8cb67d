"""The page about inputs says what the readers do."""

from pathlib import Path

import pytest

from features.analytes import ANALYTES, column_name
from features.errors import SmoulderError
from features.sources import read_visits
from features.sources.headers import COLUMNS
from features.sources.names import every_name, read_names
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


def test_the_file_of_names_shown_reads_the_header_shown_and_the_refusals_are_those_said(
    tmp_path: Path,
) -> None:
    section = PAGE.partition("## Your own column names\n")[2].partition("\n## ")[0]
    header = section.split("`")[1].lower().split(";")
    file = tmp_path / "names.json"
    file.write_text(section.split("```json\n")[1].split("```")[0], encoding="utf-8")
    read_by = every_name(header, read_names(file), part="visits", source="extract.csv")
    assert set(read_by.values()) <= set(COLUMNS)
    with pytest.raises(SmoulderError) as absent:
        other = ["kreatinin" if name == "krea" else name for name in header]
        every_name(other, read_names(file), part="visits", source="extract.csv")
    file.write_text('{"columns": {"Krea": "creatinine"}}')
    with pytest.raises(SmoulderError) as unitless:
        read_names(file)
    assert f"\n{absent.value}\n{unitless.value}\n" in section
