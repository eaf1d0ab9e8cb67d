"""Whether a cohort is of the study's population."""

from collections.abc import Callable

import pytest

from training.cohorts import Cohort
from training.diagnosis import Finding
from training.simulation import simulate_cohort
from training.study import Study

Look = Callable[[str, Cohort, Study], Finding]


def test_people_at_another_stage_are_counted_and_told_above_one_in_ten(
    look: Look, drawn: Callable[..., Cohort], smm: Study
) -> None:
    def marrow(mgus: int) -> Cohort:
        # By IMWG 2014 below 10 % and an M-protein below 3 g/dL is MGUS; 60 % is an event.
        percent = [8.0] * mgus + [15.0] * (19 - mgus) + [60.0]
        return drawn([4.0] * 20, [0, 1] * 10, bmpc_percent=percent)

    few, many = look("population", marrow(1), smm), look("population", marrow(2), smm)
    said = "by IMWG 2014 at their first landmark {} of 20 subjects are not SMM ({} MGUS, 1 meets a"
    assert few.found.startswith(said.format(2, 1))
    assert many.found.startswith(said.format(3, 2))
    # 2 of 20 are one in ten, 3 are more.
    assert (few.status, many.status) == ("pass", "warn")


@pytest.mark.parametrize("scenario", ["referral", "screened", "trial"])
def test_the_simulated_cohorts_are_of_their_population(
    look: Look, smm: Study, scenario: str
) -> None:
    cohort = simulate_cohort(300, seed=5, scenario=scenario)
    assert look("population", cohort, smm).status == "pass"


def test_whom_nothing_stages_is_told_and_nobody_is_blamed(
    look: Look, mgus: Study, mgus2: Cohort
) -> None:
    # Without a marrow only an M-protein of 3 g/dL tells a stage: one person of mgus2 has it.
    found = look("population", mgus2, mgus)
    assert found.status == "pass"
    assert found.figures["others"] == 1
    # Twelve of 1,384 are refused for their values.
    assert found.figures["undetermined"] == 1371
