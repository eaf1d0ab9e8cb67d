"""A file of visits in, a file of risks out."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from features.errors import InputError
from features.labs import LabRows
from features.sources import read_visits
from models.catalogue import PUBLISHED, choose
from serving.scoring import score, write_table

MODELS = choose(["20-2-20", "pangea-smm"])
VISITS = """\
subject_id,date,age,m_protein_g_dl,flc_ratio_involved,bmpc_percent,creatinine_mg_dl,hemoglobin_g_dl
b,2024-03-01,60,2.5,30,25,0.9,13
a,2024-01-01,70,1.0,5,12,0.9,13
b,2023-03-01,59,2.0,20,20,0.9,13
c,2024-01-01,65,25,5,12,0.9,13
a,2023-01-01,69,1.0,5,,0.9,13
"""


@pytest.fixture
def rows(tmp_path: Path) -> LabRows:
    path = tmp_path / "visits.csv"
    path.write_text(VISITS)
    return read_visits(path)


def test_every_row_keeps_its_place_and_the_refused_ones_their_reason(rows: LabRows) -> None:
    table = score(rows, MODELS, at="every")[0].to_pandas()
    assert table["subject_id"].tolist() == ["b", "a", "b", "c", "a"]
    assert str(table["date"][0])[:10] == "2024-03-01"
    assert table["20-2-20.status"].tolist() == ["ok", "ok", "ok", "refused", "partial"]
    assert table["20-2-20.group"].tolist() == ["high", "low", "low", "", "low|intermediate"]
    assert "m_protein_g_dl" in table["20-2-20.reason"][3]
    assert "g/L" in table["20-2-20.reason"][3]
    assert "25" not in table["20-2-20.reason"][3]
    assert table["20-2-20.risk_2y"][0] == 0.442
    assert table["20-2-20.risk_2y_lower"][4] == 0.062
    assert table["20-2-20.risk_2y_upper"][4] == 0.179


def test_the_last_visit_stands_for_a_subject_in_order_of_first_appearance(rows: LabRows) -> None:
    table = score(rows, MODELS, at="last")[0].to_pandas()
    assert table["subject_id"].tolist() == ["b", "a", "c"]
    assert [str(day)[:10] for day in table["date"]] == ["2024-03-01", "2024-01-01", "2024-01-01"]
    assert table["20-2-20.group"].tolist() == ["high", "low", ""]


def test_the_first_visit_knows_nothing_of_the_later_ones(rows: LabRows, tmp_path: Path) -> None:
    first = score(rows, MODELS, at="first")[0].to_pandas()
    assert [str(day)[:10] for day in first["date"]] == ["2023-03-01", "2023-01-01", "2024-01-01"]
    earlier = (line for line in VISITS.splitlines(keepends=True) if line[1:6] != ",2024")
    (tmp_path / "earlier.csv").write_text("".join(earlier))
    alone = score(read_visits(tmp_path / "earlier.csv"), MODELS, at="last")[0].to_pandas()
    # The subject refused for its only visit is not in the second file.
    pd.testing.assert_frame_equal(first[:2].astype(object), alone.astype(object))


def test_the_last_visit_is_scored_as_among_all_visits(rows: LabRows) -> None:
    every = score(rows, MODELS, at="every")[0].to_pandas().iloc[[0, 1, 3]].reset_index(drop=True)
    last = score(rows, MODELS, at="last")[0].to_pandas()
    # Texts are encoded by the table they are in; what they say is what counts.
    pd.testing.assert_frame_equal(every.astype(object), last.astype(object))


def test_future_visits_are_refused_on_the_day_asked_about(rows: LabRows) -> None:
    as_of = (np.datetime64("2024-02-01") - np.datetime64("1970-01-01")).astype(int) / 365.25
    table = score(rows, MODELS, at="last", as_of_years=float(as_of))[0].to_pandas()
    assert table["20-2-20.status"].tolist() == ["refused", "ok", "refused"]
    assert "future" in table["20-2-20.reason"][0]


def test_all_published_models_answer_the_golden_file_at_every_visit() -> None:
    golden = Path("tests/data/pangea_smm_golden.csv")
    expected = pd.read_csv(golden)
    models = choose(["pangea-smm-marrow", "pangea-smm-no-marrow"])
    table = score(read_visits(golden), models, at="every")[0].to_pandas()
    for variant, column in (("marrow", "marrow"), ("no-marrow", "no_marrow")):
        for horizon in (1, 2, 5, 10):
            got = table[f"pangea-smm-{variant}.risk_{horizon}y"]
            want = expected[f"{column}_risk_{horizon}y"]
            known = want.notna()
            assert known.sum() > 400
            np.testing.assert_allclose(got[known], want[known], atol=1e-9, rtol=0)


@pytest.mark.parametrize("name", ["scores.csv", "scores.parquet"])
def test_a_table_appears_whole(rows: LabRows, tmp_path: Path, name: str) -> None:
    table, _ = score(rows, list(PUBLISHED.values()))
    write_table(table, tmp_path / name)
    read = pd.read_csv if name.endswith("csv") else pq.read_table
    got = read(tmp_path / name)
    assert (got if isinstance(got, pd.DataFrame) else got.to_pandas()).shape == table.shape
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(["visits.csv", name])


def test_a_name_of_no_format_and_a_folder_that_is_not_there_are_refused(
    rows: LabRows, tmp_path: Path
) -> None:
    table, _ = score(rows, MODELS)
    with pytest.raises(InputError, match=r"\.csv or \.parquet"):
        write_table(table, tmp_path / "scores.txt")
    with pytest.raises(InputError, match="folder does not exist"):
        write_table(table, tmp_path / "none" / "scores.csv")


def test_a_place_that_cannot_be_written_is_one_clear_line_and_leaves_nothing(
    rows: LabRows, tmp_path: Path
) -> None:
    table, _ = score(rows, MODELS)
    (tmp_path / "folder.csv").mkdir()
    before = sorted(tmp_path.iterdir())
    with pytest.raises(InputError, match=r"folder\.csv: cannot be written: Is a directory"):
        write_table(table, tmp_path / "folder.csv")
    assert sorted(tmp_path.iterdir()) == before


def test_a_long_file_scored_in_runs_is_scored_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = read_visits(Path("tests/data/pangea_smm_golden.csv"))
    whole = score(rows, MODELS, at="every")[0]
    monkeypatch.setattr("serving.scoring.PART_VISITS", 50)
    runs = score(rows, MODELS, at="every")[0]
    assert runs.column_names == whole.column_names
    for name in whole.column_names:
        assert runs[name].to_pylist() == whole[name].to_pylist(), name


def test_refused_subjects_between_runs_keep_their_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "sorted.csv"
    lines = VISITS.replace("\n", "\n\n").split("\n\n")
    head, b2, a2, b1, c, a1 = lines[:6]
    first = c.replace("c,", "0,")
    path.write_text("\n".join([head, first, a1, a2, b1, b2, c]))
    rows = read_visits(path)
    whole = score(rows, MODELS, at="every")[0].to_pydict()
    monkeypatch.setattr("serving.scoring.PART_VISITS", 1)
    assert score(rows, MODELS, at="every")[0].to_pydict() == whole
    assert whole["subject_id"] == ["0", "a", "a", "b", "b", "c"]
    assert whole["20-2-20.status"] == ["refused", "partial", "ok", "ok", "ok", "refused"]
