"""The diagnosis as a whole: refused, overridden, written."""

import json
import time
from dataclasses import replace

import numpy as np
import pytest

from features.errors import DesignError, InputError
from training.cohorts import Cohort
from training.diagnosis import CHECKS, HEADER, examine
from training.simulation import simulate_cohort
from training.study import Study, read_study


@pytest.fixture(scope="module")
def leaking(simulated: Cohort) -> Cohort:
    outcome = simulated.outcomes.set_index("subject_id").loc[simulated.visits["subject_id"]]
    values = 0.8 + 0.7 * (outcome["event"] == 1).to_numpy()
    return replace(simulated, visits=simulated.visits.assign(creatinine_mg_dl=values))


def test_a_sound_cohort_is_not_refused_and_every_check_has_its_row(
    simulated: Cohort, smm: Study
) -> None:
    _, diagnosis = examine(simulated, smm)
    assert diagnosis.status == "warn"
    diagnosis.stop_if_refused()
    assert [row[0] for row in diagnosis.table()] == list(CHECKS)
    assert all(len(row) == len(HEADER) for row in diagnosis.table())
    assert all(f.advice for f in diagnosis.findings if f.status != "pass")


def test_a_refusal_is_one_line_with_check_reason_and_way(leaking: Cohort, smm: Study) -> None:
    _, diagnosis = examine(leaking, smm)
    assert diagnosis.status == "refuse"
    with pytest.raises(DesignError) as caught:
        diagnosis.stop_if_refused()
    said = str(caught.value)
    assert "\n" not in said
    assert "outcome-in-feature: creatinine_mg_dl nearly determines" in said
    assert "--override outcome-in-feature --because REASON" in said


def test_an_override_lets_through_and_leaves_its_reason(leaking: Cohort, smm: Study) -> None:
    reasons = {"outcome-in-feature": "a planted leak, for teaching", "units": "not needed"}
    _, diagnosis = examine(leaking, smm, overrides=reasons)
    diagnosis.stop_if_refused()
    kept = {"outcome-in-feature": "a planted leak, for teaching"}
    assert diagnosis.overrides == kept
    assert diagnosis.summary()["overridden"] == kept
    assert diagnosis.finding("outcome-in-feature").status == "refuse"
    told = {row[0]: row[1] for row in diagnosis.table()}
    assert told["outcome-in-feature"] == "overridden: a planted leak, for teaching"


def test_what_cannot_be_computed_cannot_be_overridden(simulated: Cohort, smm: Study) -> None:
    study = replace(smm, horizons_years=(2.0, 30.0))
    _, diagnosis = examine(simulated, study, overrides={"follow-up": "we hope"})
    with pytest.raises(DesignError, match="nothing can be trained without it"):
        diagnosis.stop_if_refused()


@pytest.mark.parametrize("overrides", [{"weather": "fine"}, {"units": "  "}, {"units": "x" * 1001}])
def test_an_override_needs_a_check_and_a_reason(
    simulated: Cohort, smm: Study, overrides: dict[str, str]
) -> None:
    with pytest.raises(InputError, match=r"--override: expected one of|--because: expected"):
        examine(simulated, smm, overrides=overrides)


def test_it_is_strict_json(leaking: Cohort, smm: Study) -> None:
    _, diagnosis = examine(leaking, smm)
    told = json.loads(json.dumps(diagnosis.to_dict(), allow_nan=False))
    assert told["study_hash"] == smm.hash
    assert [f["check"] for f in told["findings"]] == list(CHECKS)


def test_it_holds_no_identifier_and_no_value_of_a_subject(simulated: Cohort, smm: Study) -> None:
    visits = simulated.visits.copy()
    visits.loc[visits.index[0], "albumin_g_dl"] = 4.377377
    visits.loc[visits.index[1], "ldh_u_l"] = 99377.377
    _, diagnosis = examine(replace(simulated, visits=visits), smm)
    told = json.dumps(diagnosis.to_dict())
    assert not any(value in told for value in ("377377", "99377"))
    assert not any(subject in told for subject in simulated.outcomes["subject_id"])


def test_a_thousand_subjects_with_serial_visits_take_seconds() -> None:
    cohort, study = simulate_cohort(1000, seed=3), read_study("smm")
    began = time.process_time()
    examine(cohort, study)
    # 0.2 s of processor on a quiet machine.
    assert time.process_time() - began < 3


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("scenario", ["referral", "screened", "trial"])
def test_no_simulated_cohort_of_decent_size_is_refused(scenario: str, seed: int) -> None:
    cohort = simulate_cohort(600, seed=100 + seed, scenario=scenario)
    _, diagnosis = examine(cohort, read_study("smm"))
    assert not diagnosis.refusals, diagnosis.refusals


def test_rows_in_any_order_have_the_same_diagnosis(simulated: Cohort, smm: Study) -> None:
    order = np.random.default_rng(4).permutation(len(simulated.visits))
    shuffled = replace(simulated, visits=simulated.visits.iloc[order].reset_index(drop=True))
    _, one = examine(simulated, smm)
    _, other = examine(shuffled, smm)
    for a, b in zip(one.findings, other.findings, strict=True):
        assert (a.check, a.status, a.found) == (b.check, b.status, b.found)
