"""The page about training says what studies and the diagnosis hold."""

from dataclasses import fields, replace
from pathlib import Path

import pytest

from features.errors import DesignError
from training.diagnosis import CHECKS, examine
from training.search_space import Search
from training.simulation import simulate_cohort
from training.study import Folds, Rule, Study, read_study

PAGE = (Path(__file__).parents[1] / "docs" / "training.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", [Study, Folds, Rule, Search])
def test_every_line_of_a_study_is_told(kind: type) -> None:
    assert [f.name for f in fields(kind) if f"`{f.name}`" not in PAGE] == []


def test_every_check_has_its_row_in_order() -> None:
    section = PAGE.partition("## The diagnosis")[2]
    rows = [line.split("`")[1] for line in section.splitlines() if line.startswith("| `")]
    assert rows == list(CHECKS)


def test_the_refusal_shown_is_the_refusal_said() -> None:
    cohort = simulate_cohort(300, seed=11)
    outcome = cohort.outcomes.set_index("subject_id").loc[cohort.visits["subject_id"]]
    values = 0.8 + 0.7 * (outcome["event"] == 1).to_numpy()
    leaking = replace(cohort, name="ours", visits=cohort.visits.assign(creatinine_mg_dl=values))
    with pytest.raises(DesignError) as caught:
        examine(leaking, read_study("smm"))[1].stop_if_refused()
    assert f"smoulder: {caught.value}\n" in PAGE
