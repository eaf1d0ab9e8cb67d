"""OMOP CDM 5.4: a folder and a database say the same, and a bound is never a value."""

import contextlib

import pandas as pd
import pytest
import sqlalchemy

from features.errors import InputError
from features.history import FEMALE, MALE
from features.sources import read_visits
from features.sources.omop import read_omop
from features.visits import check

PERSON = pd.DataFrame(
    {"person_id": [1, 2], "gender_concept_id": [8507, 8532], "year_of_birth": [1950, 1960]}
)
CONCEPT = pd.DataFrame(
    {
        "concept_id": [3020491, 9529, 8751, 555],
        "vocabulary_id": ["LOINC", "UCUM", "UCUM", "SNOMED"],
        "concept_code": ["36916-5", "kg", "mg/L", "1"],
    }
)


def measurements(*rows):
    """Rows of person, concept, day, operator, value, unit concept, source value, source unit."""
    names = ["person_id", "measurement_concept_id", "measurement_date", "operator_concept_id"]
    names += ["value_as_number", "unit_concept_id", "measurement_source_value", "unit_source_value"]
    return pd.DataFrame(rows, columns=names)


USUAL = measurements(
    (1, 3000963, "2024-01-05", 4172703, 12.5, 8713, "", ""),
    (1, 0, "2024-01-05", None, 24.0, 8636, "33358-3", "g/L"),
    (2, 3016723, "2024-02-05", None, 88.0, 8749, "CREA", "umol/L"),
    (2, 3020491, "2024-02-05", None, 15.0, 8751, "", ""),
    (2, 12345, "2024-02-05", None, 140.0, 8753, "NA", "mmol/L"),
)


@pytest.fixture
def folder(tmp_path):
    def build(**tables):
        home = tmp_path / "omop"
        home.mkdir(exist_ok=True)
        for name, table in tables.items():
            table.to_csv(home / f"{name}.csv", index=False)
        return home

    return build


def values(rows):
    return {(c.analyte, c.unit): c.value.tolist() for c in rows.columns}


def test_concepts_units_and_people_become_lab_rows(folder):
    rows = read_visits(folder(person=PERSON, measurement=USUAL, concept=CONCEPT))
    assert values(rows) == {
        ("hemoglobin", "g/dL"): [12.5],
        ("m_protein", "g/L"): [24.0],
        ("creatinine", "umol/L"): [88.0],
        ("kappa_flc", "mg/L"): [15.0],
    }
    assert rows.subject_ids == ("1", "2")
    assert rows.sex.tolist() == [MALE, FEMALE]
    # Mid-1950 to January 2024, mid-1960 to February 2024.
    assert rows.age_years == pytest.approx([73.5, 73.5, 63.6, 63.6], abs=0.02)
    assert rows.row.tolist() == [2, 3, 4, 5]
    assert rows.notes == ("measurement: tests outside the catalogue are not used: 1",)
    assert not rows.problems


@pytest.fixture
def database(tmp_path):
    """SQLAlchemy URL of the usual tables."""
    url = f"sqlite:///{tmp_path}/cdm.db"
    engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool)
    for name, table in {"person": PERSON, "measurement": USUAL, "concept": CONCEPT}.items():
        table.to_sql(name, engine, index=False)
    return url


def test_a_database_says_what_a_folder_says(folder, database):
    ours = read_visits(database)
    theirs = read_visits(folder(person=PERSON, measurement=USUAL, concept=CONCEPT))
    assert values(ours) == values(theirs)
    assert ours.time_years.tolist() == theirs.time_years.tolist()
    assert ours.age_years.tolist() == theirs.age_years.tolist()


@pytest.mark.parametrize("usable", [True, False])
def test_every_connection_to_a_database_is_closed_once_it_is_read(database, usable):
    if not usable:
        engine = sqlalchemy.create_engine(database, poolclass=sqlalchemy.NullPool)
        with engine.begin() as connection:
            connection.execute(sqlalchemy.text("DROP TABLE person"))
    changes = []
    pool = sqlalchemy.Pool
    opened, closed = (lambda *_: changes.append(1)), (lambda *_: changes.append(-1))
    sqlalchemy.event.listen(pool, "connect", opened)
    sqlalchemy.event.listen(pool, "close", closed)
    try:
        with contextlib.nullcontext() if usable else pytest.raises(InputError, match="people"):
            read_visits(database)
    finally:
        sqlalchemy.event.remove(pool, "connect", opened)
        sqlalchemy.event.remove(pool, "close", closed)
    assert changes
    assert sum(changes) == 0


def test_parquet_with_dates_says_what_csv_says(folder, tmp_path):
    tables = {"person": PERSON, "measurement": USUAL, "concept": CONCEPT}
    theirs = read_omop(folder(**tables))
    home = tmp_path / "parquet"
    home.mkdir()
    dated = USUAL.assign(measurement_date=pd.to_datetime(USUAL["measurement_date"]))
    for name, table in (tables | {"measurement": dated}).items():
        table.to_parquet(home / f"{name}.parquet")
    ours = read_omop(home)
    assert values(ours) == values(theirs)
    assert ours.time_years.tolist() == theirs.time_years.tolist()


@pytest.mark.parametrize("operator", [4171756, 4171754, 4172704, 4171755])
def test_only_equality_makes_a_value(folder, operator):
    # <, <=, > and >= of the vocabulary's measurement operators.
    rows = read_omop(
        folder(
            person=PERSON,
            measurement=measurements(
                (1, 3000963, "2024-01-05", operator, 12.5, 8713, "", ""),
                (1, 3016723, "2024-01-05", 4172703, 1.0, 8840, "", ""),
            ),
        )
    )
    assert values(rows) == {("creatinine", "mg/dL"): [1.0]}
    assert [(p.row, p.field, p.severity) for p in rows.problems] == [
        (2, "operator_concept_id", "doubted")
    ]


def test_a_unit_is_taken_from_its_concept_else_as_written_else_refused(folder):
    rows = read_omop(
        folder(
            person=PERSON,
            measurement=measurements(
                (1, 3000963, "2024-01-05", None, 125.0, 0, "", "g/L"),
                (2, 3000963, "2024-01-05", None, 12.5, 0, "", ""),
            ),
        )
    )
    assert values(rows) == {("hemoglobin", "g/L"): [125.0]}
    assert list(check(rows).refusals()) == [1]


def test_observations_are_read_after_measurements(folder):
    observed = pd.DataFrame(
        {
            "person_id": [1],
            "observation_concept_id": [0],
            "observation_date": ["2024-01-05"],
            "value_as_number": [15.0],
            "unit_concept_id": [8554],
            "observation_source_value": ["11118-7"],
        }
    )
    rows = read_omop(folder(person=PERSON, measurement=USUAL, observation=observed))
    assert values(rows)["bmpc", "%"] == [15.0]


def test_codes_of_the_site_name_concepts_and_source_values(folder, written):
    codes = written("code,analyte\n777,kappa_flc\nLAMBDA,lambda_flc\n", "codes.csv")
    table = measurements(
        (1, 777, "2024-01-05", None, 15.0, 8751, "", ""),
        (1, 0, "2024-01-05", None, 9.0, 8751, "LAMBDA", ""),
    )
    rows = read_visits(folder(person=PERSON, measurement=table), codes=codes)
    assert values(rows) == {("kappa_flc", "mg/L"): [15.0], ("lambda_flc", "mg/L"): [9.0]}


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ({"measurement": USUAL}, "person: is missing"),
        ({"person": PERSON}, "measurement: is missing"),
        (
            {"person": PERSON, "measurement": USUAL.drop(columns="value_as_number")},
            r"measurement\.csv, row 1, header: has no column 'value_as_number'",
        ),
        (
            {"person": PERSON, "measurement": USUAL.iloc[4:]},
            "measurement: holds no test of the catalogue",
        ),
    ],
)
def test_what_is_missing_is_named(folder, tables, message):
    with pytest.raises(InputError, match=message):
        read_omop(folder(**tables))


def test_a_database_that_does_not_answer_is_one_line_without_its_password():
    with pytest.raises(InputError, match=r"^database: does not answer") as caught:
        read_visits("sqlite:////nowhere/Zebra.db")
    assert "Zebra" not in str(caught.value)


def test_a_value_that_is_text_refuses_its_subject(folder):
    text = USUAL.astype({"value_as_number": object})
    text.loc[0, "value_as_number"] = "Zebra"
    visits = check(read_omop(folder(person=PERSON, measurement=text, concept=CONCEPT)))
    assert visits.refusals() == {0: "row 2, value: is not a number"}


def test_a_table_of_facts_may_be_empty(folder):
    observed = pd.DataFrame(
        columns=["person_id", "observation_concept_id", "observation_date", "value_as_number"]
    )
    rows = read_omop(folder(person=PERSON, measurement=USUAL, observation=observed))
    assert values(rows)["creatinine", "umol/L"] == [88.0]
