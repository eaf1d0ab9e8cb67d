"""CSV files of outcomes, risks and visits."""

from training.csv_files import csv_frame


def test_names_that_differ_in_blanks_only_are_columns_of_their_own(tmp_path):
    file = tmp_path / "risks.csv"
    file.write_text("subject_id;risk; risk\nA;0,25;0,5\n", encoding="utf-8")
    frame = csv_frame(file, texts=("subject_id",))
    assert frame.iloc[0].tolist() == ["A", 0.25, 0.5]
