"""Headers as laboratories write them: what is guessed, what is left to choose, what is not."""

import pytest

from features.analytes import ANALYTES
from features.errors import ColumnError
from features.sources import read_visits
from features.sources.csv import LAB_COLUMNS
from features.sources.headers import COLUMNS, SYNONYMS, guess_columns


def test_every_column_of_the_catalogue_is_itself():
    assert guess_columns(COLUMNS) == {name: (name,) for name in COLUMNS}


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("Patient ID", "subject_id"),
        ("Entnahmedatum", "date"),
        ("Geschlecht", "sex"),
        ("M-Protein (g/L)", "m_protein_g_l"),
        ("Paraprotein g/l", "m_protein_g_l"),
        ("M-Spike, g/dL", "m_protein_g_dl"),
        ("FLC kappa [mg/L]", "kappa_flc_mg_l"),
        ("λ free light chains mg/dl", "lambda_flc_mg_dl"),
        ("Hämoglobin in g/dl", "hemoglobin_g_dl"),
        ("Kreatinin (µmol/l)", "creatinine_umol_l"),
        ("Krea mmol/L", "creatinine_mmol_l"),
        ("BM plasma cells %", "bmpc_percent"),
        ("β2-Microglobulin (mg/L)", "b2m_mg_l"),
        ("Urine M-protein (mg/24h)", "urine_m_protein_mg_24h"),
        ("κ/λ ratio", "flc_ratio_kappa_lambda"),
        ("involved/uninvolved FLC ratio", "flc_ratio_involved"),
        ("t(4;14)", "fish_t_4_14"),
        ("del(17p)", "fish_del_17p"),
    ],
)
def test_a_name_with_its_unit_is_one_column(name, column):
    assert guess_columns([name]) == {name: (column,)}


def test_a_unit_is_never_guessed():
    for name, analyte in ANALYTES.items():
        synonym = SYNONYMS.get(name, "").split(",")[0].strip()
        if len(analyte.units) > 1 and synonym:
            found = guess_columns([synonym])[synonym]
            assert {LAB_COLUMNS[column][0] for column in found} == {name}
            assert len(found) > 1


def test_a_ratio_that_may_be_either_is_left_to_choose():
    assert guess_columns(["FLC ratio"]) == {
        "FLC ratio": ("flc_ratio_involved", "flc_ratio_kappa_lambda")
    }


@pytest.mark.parametrize(
    "name", ["Ward", "", "Hb (furlongs)", "Ionised calcium (mmol/L)", "age g/L", "kappa_flc_ok"]
)
def test_what_is_not_known_is_left_out(name):
    assert guess_columns([name]) == {name: ()}


def test_a_column_is_proposed_once_and_the_exact_name_wins():
    found = guess_columns(["Hb g/dL", "hemoglobin_g_dl", "MRN", "Patient"])
    assert found == {
        "Hb g/dL": (),
        "hemoglobin_g_dl": ("hemoglobin_g_dl",),
        "MRN": ("subject_id",),
        "Patient": (),
    }


def test_no_spelling_stands_for_two_things():
    spelled = [s.strip() for words in SYNONYMS.values() for s in words.split(",")]
    assert len(spelled) == len(set(spelled))
    assert set(SYNONYMS) <= {*ANALYTES, *COLUMNS}


OWN = "MRN,Besuch,Krea,Ward,Hb\nA,2024-03-01,1.2,7,13.1\nA,2024-09-01,1.4,7,128\n"


def test_a_file_with_its_own_names_reads_as_the_same_file_renamed(tmp_path):
    (tmp_path / "own.csv").write_text(OWN)
    names = {
        "mrn": "subject_id",
        "besuch": "date",
        "krea": "creatinine_mg_dl",
        "hb": "hemoglobin_g_dl",
    }
    plain = OWN.replace(
        "MRN,Besuch,Krea,Ward,Hb", "subject_id,date,creatinine_mg_dl,ward,hemoglobin_g_dl"
    )
    (tmp_path / "plain.csv").write_text(plain)
    own, same = read_visits(tmp_path / "own.csv", names=names), read_visits(tmp_path / "plain.csv")
    assert [(c.analyte, c.unit, c.value.tolist()) for c in own.columns] == [
        (c.analyte, c.unit, c.value.tolist()) for c in same.columns
    ]
    assert own.time_years.tolist() == same.time_years.tolist()
    assert own.notes == ()


def test_a_long_file_is_read_by_its_own_names(tmp_path):
    (tmp_path / "long.csv").write_text("pid,day,test,result,einheit\n1,2024-03-01,bmpc,12,%\n")
    names = dict(
        zip(
            ("pid", "day", "test", "result", "einheit"),
            ("subject_id", "date", "analyte", "value", "unit"),
            strict=True,
        )
    )
    (column,) = read_visits(tmp_path / "long.csv", names=names).columns
    assert (column.analyte, column.value.tolist()) == ("bmpc", [12.0])


def test_two_columns_cannot_be_read_as_one(tmp_path):
    (tmp_path / "own.csv").write_text(OWN)
    names = {"mrn": "subject_id", "besuch": "date", "krea": "bmpc_percent", "hb": "bmpc_percent"}
    with pytest.raises(ColumnError, match="bmpc_percent: is given twice"):
        read_visits(tmp_path / "own.csv", names=names)
    with pytest.raises(ColumnError, match="day: is no column of the file"):
        read_visits(tmp_path / "own.csv", names={"day": "date"})
