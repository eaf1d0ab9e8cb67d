"""Every broken file gives its clear line, none a traceback, and good rows survive bad ones."""

import importlib.util
import json
from pathlib import Path

import pytest

from features.errors import ColumnError
from features.sources import read_visits

BROKEN = Path(__file__).parents[2] / "data" / "broken"
EXPECTED = json.loads((BROKEN / "expected.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def made():
    """The module that made the files and says what is said of one."""
    spec = importlib.util.spec_from_file_location("make_broken", BROKEN / "make_broken.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_sixty_files_and_more_are_kept_and_each_has_its_expectation():
    kept = {path.name for path in BROKEN.iterdir()} - {"make_broken.py", "expected.json"}
    assert kept - {"__pycache__"} == set(EXPECTED)
    assert len(kept) >= 60


@pytest.mark.parametrize("name", EXPECTED)
def test_a_broken_file_gives_its_clear_line(made, name):
    assert made.said_of(BROKEN / name) == EXPECTED[name]


@pytest.mark.parametrize("name", EXPECTED)
def test_no_line_repeats_what_a_patients_row_holds(name):
    lines = "\n".join([EXPECTED[name].get("stops", ""), *EXPECTED[name].get("says", [])])
    assert lines
    assert "Zebra" not in lines
    assert "777" not in lines


@pytest.mark.parametrize("name", [n for n, said in EXPECTED.items() if "says" in said])
def test_good_rows_beside_bad_ones_survive(name):
    assert "GOOD" in EXPECTED[name]["answered"]


@pytest.mark.parametrize("name", [n for n, said in EXPECTED.items() if "stops" in said])
def test_what_stops_a_file_names_the_file_in_one_line(name):
    said = EXPECTED[name]["stops"]
    assert said.startswith(name)
    assert "\n" not in said


def test_a_header_of_a_million_columns_is_refused_at_once(made, written):
    path = written(made.million_columns())
    with pytest.raises(ColumnError, match=r"^visits\.csv, row 1, header: is longer than 500000"):
        read_visits(path)
