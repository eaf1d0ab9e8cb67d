"""Finished work is kept, and none is done twice."""

from pathlib import Path

import numpy as np

from training.workshop import Piece, Result, Workshop, as_text, from_text


def _square(number: int, marks: Path) -> Result:
    with (marks / "done").open("a") as file:
        file.write(f"{number}\n")
    return {"square": np.array([number**2]), "told": as_text({"number": number})}


def _pieces(marks: Path, count: int) -> list[Piece]:
    return [Piece(f"square {i}", "squares", _square, (i, marks)) for i in range(count)]


def _done(marks: Path) -> list[int]:
    return sorted(int(line) for line in (marks / "done").read_text().split())


def test_what_is_kept_is_not_done_again_whatever_the_number_of_processes(tmp_path: Path) -> None:
    told: list[tuple[str, str]] = []

    def tell(label: str, done: str) -> None:
        told.append((label, done))

    Workshop(1, tmp_path / "work", tell).do(_pieces(tmp_path, 3))
    found = Workshop(1, tmp_path / "work", tell).do(_pieces(tmp_path, 5))
    assert _done(tmp_path) == [0, 1, 2, 3, 4]
    # Before anything is done, after each, and once more before what was not kept.
    counts = ["0 of 3", "1 of 3", "2 of 3", "3 of 3"]
    counts += ["1 of 5", "2 of 5", "3 of 5", "3 of 5", "4 of 5", "5 of 5"]
    assert told == [("squares", count) for count in counts]
    for i in range(5):
        assert found[f"square {i}"]["square"].tolist() == [i**2]
        assert from_text(found[f"square {i}"]["told"]) == {"number": i}
    # Another process finds only what can be imported: a builtin for work.
    others = [Piece(f"other {i}", "", dict, ([("own", np.array([i]))],)) for i in range(4)]
    again = Workshop(2, tmp_path / "work").do([*_pieces(tmp_path, 5), *others])
    assert [again[f"other {i}"]["own"].tolist() for i in range(4)] == [[0], [1], [2], [3]]
    assert _done(tmp_path) == [0, 1, 2, 3, 4]


def test_a_damaged_result_is_made_again(tmp_path: Path) -> None:
    shop = Workshop(1, tmp_path / "work")
    shop.do(_pieces(tmp_path, 1))
    (file,) = (tmp_path / "work").iterdir()
    file.write_bytes(file.read_bytes()[:40])
    assert shop.do(_pieces(tmp_path, 1))["square 0"]["square"].tolist() == [0]
    assert _done(tmp_path) == [0, 0]


def test_nothing_is_left_when_a_training_is_over(tmp_path: Path) -> None:
    shop = Workshop(1, tmp_path / "work").within("one training")
    shop.do(_pieces(tmp_path, 2))
    assert len(list((tmp_path / "work" / "one training").iterdir())) == 2
    shop.clear()
    assert not (tmp_path / "work" / "one training").exists()
