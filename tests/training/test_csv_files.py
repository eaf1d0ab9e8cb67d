"""CSV files of outcomes, risks and visits."""

from training.csv_files import csv_frame


def test_names_that_differ_in_blanks_only_are_columns_of_their_own(tmp_path):
    file = tmp_path / "risks.csv"
    file.write_text("subject_id;risk; risk\nA;0,25;0,5\n", encoding="utf-8")
    frame = csv_frame(file, texts=("subject_id",))
    assert frame.iloc[0].tolist() == ["A", 0.25, 0.5]


def test_decimal_commas_are_read_beside_a_cell_that_is_no_number(tmp_path):
    (tmp_path / "visits.csv").write_text("id;light;m;k\n1,5;x;1,5;n.b.\n2;y;2,25;-3,5\n")
    frame = csv_frame(tmp_path / "visits.csv", texts={"id"}, dtype={"id": str})
    assert frame["m"].tolist() == [1.5, 2.25]
    assert frame["k"].tolist() == ["n.b.", "-3.5"]
    # What is text by its column keeps its comma.
    assert frame["id"].tolist() == ["1,5", "2"]
