import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.errors import InputError, ValueRangeError
from training.judge import judge
from training.judgement import Judgement

ORACLES = Path(__file__).parents[1] / "oracles"
TABLE = pd.read_csv(ORACLES / "mgus2.csv")
OUTCOMES = TABLE[["duration_years", "event"]].assign(subject_id=np.arange(len(TABLE)))
ROW_KEYS = (
    "model horizon_years n events competing censored observed predicted oe auc auc_lower auc_upper "
    "brier brier_null ipa calibration_intercept calibration_slope ici e50 e90 net_benefit"
)


def risks(*, horizons: tuple[float, ...] = (5.0, 10.0), size: int = len(TABLE)) -> pd.DataFrame:
    return pd.concat(
        [
            pd.DataFrame(
                {
                    "subject_id": np.arange(size),
                    "model": model,
                    "horizon_years": horizon,
                    "risk": TABLE[model][:size],
                }
            )
            for model in ("good", "noisy", "rule")
            for horizon in horizons
        ]
    )


@pytest.fixture(scope="module")
def judgement() -> Judgement:
    return judge(risks(), OUTCOMES)


def test_the_json_has_every_key_of_the_interface(judgement: Judgement) -> None:
    written = json.loads(judgement.to_json())
    assert set(ROW_KEYS.split()) <= set(written["rows"][0])
    assert set(written["rows"][0]["net_benefit"]) == {"0.05", "0.1"}
    keys = {"model", "reference", "horizon_years", "delta_auc", "lower", "upper", "p"}
    assert keys <= set(written["contrasts"][0])
    assert len(written["rows"]) == 6 and len(written["contrasts"]) == 6


def test_the_command_agrees_with_score_on_mgus2(judgement: Judgement) -> None:
    # Nobody is weighted more than the floor allows at 10 years, so that R's weights are ours.
    constants = pd.read_csv(ORACLES / "riskregression.csv", keep_default_na=False)
    constants = constants[(constants["sample"] == "mgus2") & (constants["horizon"] == 10)]
    for quantity in ("auc", "brier", "ipa", "net_benefit_0.05", "net_benefit_0.1"):
        rows = constants[(constants["quantity"] == quantity) & constants["model"].isin(TABLE)]
        assert len(rows) == 3
        for row in rows.itertuples():
            found = judgement.row(row.model, 10.0)
            name, _, threshold = quantity.rpartition("_")
            value = getattr(found, quantity) if not name else found.net_benefit[threshold]
            assert value.value == pytest.approx(float(row.value), abs=1e-8)


def test_contrasts_are_paired_and_reverse_with_the_reference() -> None:
    forth = judge(risks(horizons=(10.0,)), OUTCOMES, reference="good").contrasts
    assert [(c.model, c.reference) for c in forth] == [("noisy", "good"), ("rule", "good")]
    back = judge(risks(horizons=(10.0,)), OUTCOMES, reference="noisy").contrasts[0]
    assert back.delta_auc.delta.value == pytest.approx(-(forth[0].delta_auc.delta.value or 0))
    assert back.delta_auc.p == pytest.approx(forth[0].delta_auc.p)


def test_the_order_of_rows_does_not_matter(judgement: Judgement) -> None:
    shuffled = judge(
        risks().sample(frac=1, random_state=0).sort_values("model", kind="stable"),
        OUTCOMES.sample(frac=1, random_state=1),
    )
    for row in judgement.rows:
        other = shuffled.row(row.model, row.horizon_years)
        assert other.auc.value == pytest.approx(row.auc.value, abs=1e-12)
        assert other.auc.standard_error == pytest.approx(row.auc.standard_error, abs=1e-12)
        assert other.ici.value == pytest.approx(row.ici.value, abs=1e-9)


def test_models_on_different_subjects_are_compared_on_those_they_share() -> None:
    both = risks(horizons=(10.0,))
    missing = (both["model"] == "noisy") & (both["subject_id"] < 200)
    part = judge(both[~missing], OUTCOMES, reference="good")
    assert part.row("good", 10.0).n == 1384 and part.row("noisy", 10.0).n == 1184
    assert part.contrasts[0].n == 1184
    alike = judge(both[both["subject_id"] >= 200], OUTCOMES, reference="good")
    assert part.contrasts[0].delta_auc == alike.contrasts[0].delta_auc


def test_a_bootstrap_is_reproducible_and_near_the_influence_interval() -> None:
    two = risks(horizons=(10.0,)).query("model != 'rule'")
    drawn = [judge(two, OUTCOMES, bootstrap=200, seed=4).contrasts[0] for _ in range(2)]
    assert drawn[0] == drawn[1]
    assert drawn[0].interval == "bootstrap"
    smooth = judge(two, OUTCOMES).contrasts[0].delta_auc.delta
    assert drawn[0].delta_auc.delta.standard_error == pytest.approx(smooth.standard_error, rel=0.2)


def test_nothing_is_silently_nan_when_nobody_progresses() -> None:
    nobody = OUTCOMES.assign(event=0)
    written = judge(risks(), nobody).to_dict()
    reasons = written["rows"][0]["not_estimable"]
    assert reasons["auc"] == "no progression is observed by 5 years"
    assert written["rows"][0]["auc"] is None
    json.loads(json.dumps(written, allow_nan=False))


def test_a_horizon_beyond_follow_up_says_so_in_every_cell() -> None:
    row = judge(risks(horizons=(50.0,)), OUTCOMES).row("good", 50.0)
    for estimate in (row.observed, row.oe, row.auc, row.brier, row.ipa, row.calibration_slope,
                     row.ici, row.concordance, *row.net_benefit.values()):  # fmt: skip
        assert "follow-up ends before 50 years" in str(estimate.reason)


def test_a_subgroup_with_few_progressions_is_not_judged() -> None:
    groups = pd.DataFrame(
        {"subject_id": OUTCOMES["subject_id"], "centre": np.where(TABLE.index < 60, "x", "y")}
    )
    parts = judge(risks(horizons=(5.0,)), OUTCOMES, subgroups=groups).subgroups
    small = next(part for part in parts if part.level == "x").performance
    assert "a subgroup needs 10" in str(small.auc.reason)
    assert small.observed.estimable and small.n == 60
    large = next(part for part in parts if part.level == "y").performance
    assert large.auc.estimable and small.n + large.n == 1384


def test_a_number_is_cut_at_its_quartiles() -> None:
    groups = pd.DataFrame({"subject_id": OUTCOMES["subject_id"], "age": np.arange(1384.0)})
    parts = judge(risks(horizons=(5.0,)), OUTCOMES, subgroups=groups).subgroups
    assert len({part.level for part in parts}) == 4
    assert {part.performance.n for part in parts} == {346}


def test_a_person_at_several_landmarks_counts_once_in_intervals() -> None:
    twice = pd.concat([OUTCOMES, OUTCOMES.assign(subject_id=OUTCOMES["subject_id"] + 10_000)])
    twice["person"] = twice["subject_id"] % 10_000
    one = risks(horizons=(5.0,)).query("model == 'good'")
    both = pd.concat([one, one.assign(subject_id=one["subject_id"] + 10_000)])
    once, ignored = judge(one, OUTCOMES).rows[0], judge(both, twice).rows[0]
    clustered = judge(both, twice, cluster_column="person").rows[0]
    for name, close in (("auc", 1e-6), ("brier", 1e-6), ("observed", 0.01), ("oe", 0.01)):
        error = getattr(once, name).standard_error
        assert getattr(clustered, name).standard_error == pytest.approx(error, rel=close)
        assert getattr(ignored, name).standard_error == pytest.approx(
            error / math.sqrt(2), rel=0.01
        )
    benefit = once.net_benefit["0.05"].standard_error or 0.0
    assert clustered.net_benefit["0.05"].standard_error == pytest.approx(benefit, rel=0.01)
    assert ignored.net_benefit["0.05"].standard_error == pytest.approx(
        benefit / math.sqrt(2), rel=0.01
    )
    assert (clustered.n, clustered.people) == (2768, 1384)
    assert (clustered.events, clustered.people_progressed) == (2 * once.events, once.events)


def test_treating_all_is_as_unsure_as_there_are_people() -> None:
    twice = pd.concat([OUTCOMES, OUTCOMES.assign(subject_id=OUTCOMES["subject_id"] + 10_000)])
    twice["person"] = twice["subject_id"] % 10_000
    one = risks(horizons=(5.0,)).query("model == 'good'")
    both = pd.concat([one, one.assign(subject_id=one["subject_id"] + 10_000)])
    once = judge(one, OUTCOMES).strategies[0]
    clustered = judge(both, twice, cluster_column="person").strategies[0]
    for found, expected in (
        (clustered.observed, once.observed),
        (clustered.net_benefit["0.05"], once.net_benefit["0.05"]),
    ):
        assert found.value == pytest.approx(expected.value)
        assert found.standard_error == pytest.approx(expected.standard_error, rel=0.01)


def test_a_subgroup_needs_people_who_progress_and_not_their_landmarks() -> None:
    progressed = OUTCOMES.query("event == 1 and duration_years <= 5")["subject_id"].head(6)
    few = pd.concat([OUTCOMES, OUTCOMES.assign(subject_id=OUTCOMES["subject_id"] + 10_000)])
    few["person"] = few["subject_id"] % 10_000
    one = risks(horizons=(5.0,)).query("model == 'good'")
    both = pd.concat([one, one.assign(subject_id=one["subject_id"] + 10_000)])
    named = few[["subject_id"]].assign(part=np.where(few["person"].isin(progressed), "six", "rest"))
    parts = judge(both, few, subgroups=named, cluster_column="person").subgroups
    (six,) = (part.performance for part in parts if part.level == "six")
    assert (six.events, six.people_progressed) == (12, 6)
    assert six.auc.reason == "6 progressions by 5 years; a subgroup needs 10"


def test_codes_that_name_every_row_change_nothing() -> None:
    one = risks(horizons=(5.0,))
    named = OUTCOMES.assign(person=OUTCOMES["subject_id"])
    assert judge(one, named, cluster_column="person") == judge(one, OUTCOMES)


@pytest.mark.parametrize("thresholds", [(0.0,), (1.0,), (0.05, 1.2)])
def test_thresholds_are_risks(thresholds: tuple[float, ...]) -> None:
    with pytest.raises(ValueRangeError, match="thresholds"):
        judge(risks(), OUTCOMES, thresholds=thresholds)


def test_an_unknown_reference_is_named_with_the_known() -> None:
    with pytest.raises(InputError, match="good, noisy, rule"):
        judge(risks(), OUTCOMES, reference="best")


def test_a_judgement_holds_no_value_per_subject(judgement: Judgement) -> None:
    assert "array" not in repr(judgement)
    assert all(row.auc.influence is None for row in judgement.rows)
    assert all(row.delta_auc.delta.influence is None for row in judgement.contrasts)


def test_distances_and_concordance_have_intervals_when_cohorts_are_resampled() -> None:
    plain, drawn = (
        judge(risks(horizons=(5.0,)), OUTCOMES, bootstrap=count, seed=4).row("good", 5.0)
        for count in (0, 40)
    )
    for name in ("ici", "e50", "e90", "concordance"):
        without, found = getattr(plain, name), getattr(drawn, name)
        assert without.lower is None
        assert found.value == without.value
        assert found.lower < found.value < found.upper
