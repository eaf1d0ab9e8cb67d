"""Files of names: read to the letter, and refused where a column could be taken for another."""

import json

import pytest

from features.errors import ColumnError, InputError, UnitError
from features.sources.names import every_name, read_names

NAMES = {"Pat_ID": "subject_id", "Datum": "date", "HB": "hemoglobin_g_dl", "Ende": "event"}


def written(tmp_path, text):
    file = tmp_path / "names.json"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_names_are_kept_as_they_are_written_and_the_rest_of_a_cohort_file_passed_over(
    tmp_path, mark
):
    text = json.dumps({"name": "ours", "kind": "real", "columns": NAMES})
    assert read_names(written(tmp_path, mark + text)) == NAMES


@pytest.mark.parametrize(
    ("columns", "error", "message"),
    [
        ('{"HB": "igg_g_l", "HB": "hemoglobin_g_dl"}', ColumnError, "HB: is named twice; keep one"),
        ('{"HB": "igg_g_l", "hb ": "date"}', ColumnError, "hb : is named twice; keep one"),
        (
            '{"HB": "hemoglobin_g_dl", "Hgb": "hemoglobin_g_dl"}',
            ColumnError,
            "hemoglobin_g_dl: is named for both 'HB' and 'Hgb'; keep one",
        ),
        (
            '{"Krea": "creatinine"}',
            UnitError,
            "Krea: 'creatinine' has no unit; expected one of creatinine_mg_dl, creatinine_umol_l",
        ),
        (
            '{"Krea": "creatinine_mg_ml"}',
            UnitError,
            "Krea: 'creatinine_mg_ml' has a unit that is not understood; expected one of",
        ),
        (
            '{"HB": "haemoglobin_g_dl"}',
            ColumnError,
            "HB: 'haemoglobin_g_dl' is no column that is read; is 'hemoglobin_g_dl' meant?",
        ),
        (
            '{"HB": "Hb"}',
            ColumnError,
            "is 'hemoglobin_g_dl' or 'hemoglobin_g_l' or 'hemoglobin_mmol_l' meant?",
        ),
        ('{"Tod": "durations_years"}', ColumnError, "is 'duration_years' meant?"),
        ('{"Ward": "xyzzy"}', ColumnError, "Ward: 'xyzzy' is no column that is read$"),
        ('{"HB": 7}', InputError, "columns: expected columns, such as"),
        ('["HB"]', InputError, "columns: expected columns, such as"),
    ],
)
def test_a_file_of_names_is_refused_by_file_and_column(tmp_path, columns, error, message):
    file = written(tmp_path, f'{{"columns": {columns}}}')
    with pytest.raises(error, match=message) as caught:
        read_names(file)
    assert str(caught.value).startswith("names.json, ")


@pytest.mark.parametrize("text", ["", "[1]", '{"HB": "hemoglobin_g_dl"}', "{", "[" * 100_000])
def test_another_file_is_told_what_a_file_of_names_is(tmp_path, text):
    with pytest.raises(InputError, match=r'object with columns, such as \{"columns": \{"HB"'):
        read_names(written(tmp_path, text))


def test_a_file_of_names_that_is_not_there_is_told(tmp_path):
    with pytest.raises(InputError, match=r"names\.json, file: does not exist"):
        read_names(tmp_path / "names.json")


def test_names_of_the_other_table_are_passed_over():
    header = ["pat_id", "datum", "hb", "ende", "age"]
    assert every_name(header, NAMES, part="visits", source="v.csv") == {
        "pat_id": "subject_id",
        "datum": "date",
        "hb": "hemoglobin_g_dl",
        "ende": "ende",
        "age": "age",
    }
    assert every_name(["pat_id", "ende", "hb"], NAMES, part="outcomes", source="o.csv") == {
        "pat_id": "subject_id",
        "ende": "event",
        "hb": "hb",
    }


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (["pat_id", "datum", "hb1"], r"^v\.csv, HB: is no column of the file; is 'hb1' meant\?$"),
        (["pat_id", "datum", "hgb"], r"HB: is no column of the file; is 'hgb' meant\?$"),
        (["pat_id", "datum", "ldh_u_l"], "HB: is no column of the file$"),
        (["pat_nr", "datum", "hb"], r"Pat_ID: is no column of the file; is 'pat_nr' meant\?$"),
    ],
)
def test_a_named_column_that_is_not_there_is_told_with_the_nearest(header, message):
    with pytest.raises(ColumnError, match=message):
        every_name(header, NAMES, part="visits", source="v.csv")


@pytest.mark.parametrize("has", ["hemoglobin_g_dl", "subject_id"])
def test_a_column_beside_the_one_that_is_named_for_it_is_refused(has):
    message = rf"v\.csv, {has}: is a column of the file, and '(HB|Pat_ID)' is named for it"
    with pytest.raises(ColumnError, match=message):
        every_name(["pat_id", "datum", "hb", has], NAMES, part="visits", source="v.csv")


def test_subjects_may_be_called_as_they_are_read_in_one_of_two_tables():
    header = ["subject_id", "ende"]
    found = every_name(header, NAMES, part="outcomes", source="o.csv")
    assert found == {"subject_id": "subject_id", "ende": "event"}
    with pytest.raises(ColumnError, match="Pat_ID: is no column of the file"):
        every_name(["ende"], NAMES, part="outcomes", source="o.csv")


def test_two_names_can_change_places():
    crossed = {"kappa_flc_mg_l": "lambda_flc_mg_l", "lambda_flc_mg_l": "kappa_flc_mg_l"}
    assert every_name(list(crossed), crossed, part="visits", source="v.csv") == crossed
