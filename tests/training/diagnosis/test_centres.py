"""How many centres there are."""

from dataclasses import replace

import numpy as np

from training.cohorts import Cohort
from training.study import Study


def test_several_centres_with_events_pass(look, simulated: Cohort, smm: Study) -> None:
    found = look("centres", simulated, smm)
    assert found.status == "pass"
    assert found.figures["centres"] == simulated.visits["centre"].nunique()
    assert 2 <= found.figures["held_out"] <= found.figures["centres"]


def test_one_centre_or_none_is_warned(look, simulated: Cohort, smm: Study) -> None:
    one = replace(simulated, visits=simulated.visits.assign(centre="here"))
    none = replace(simulated, visits=simulated.visits.drop(columns="centre"))
    found = [look("centres", cohort, smm) for cohort in (one, none)]
    assert [f.status for f in found] == ["warn", "warn"]
    assert [f.found for f in found] == ["all subjects are of one centre", "no centre is named"]


def test_centres_too_small_to_be_held_out_are_warned(look, simulated: Cohort, smm: Study) -> None:
    """One large centre and many of ten subjects each."""
    number = simulated.visits["subject_id"].str[1:].astype(int)
    small = np.where(number > 200, "c" + (number // 10).astype(str), "large")
    found = look("centres", replace(simulated, visits=simulated.visits.assign(centre=small)), smm)
    assert found.status == "warn"
    assert found.figures["held_out"] == 1
