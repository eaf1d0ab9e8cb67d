"""Out-of-fold risks as tables that judging reads."""

import pytest

from training.cohorts import Cohort
from training.fit import train
from training.judge import judge_panel
from training.metrics.brier import brier_score
from training.panel import panel
from training.performance import Settings
from training.study import Study
from training.tables import PERSON, out_of_fold_tables


def test_every_landmark_is_judged_and_grouped_by_person(simulated: Cohort, smm: Study) -> None:
    trained = train(simulated, smm, seed=1, refits=0)
    risks, outcomes = out_of_fold_tables(trained)
    assert len(outcomes) == len(trained.rows.subject)
    assert outcomes[PERSON].nunique() == trained.rows.subjects < len(outcomes)
    assert len(risks) == len(outcomes) * len(trained.results) * len(smm.horizons_years)
    judged = judge_panel(panel(risks, outcomes, cluster_column=PERSON), Settings(thresholds=(0.2,)))
    for name, result in trained.results.items():
        rows, risk = trained.rows, result.risk[0, :, smm.horizons_years.index(2.0)]
        alone = brier_score(rows.duration_years, rows.event, risk, 2.0)
        assert judged.row(name, 2.0).ipa.value == pytest.approx(alone.ipa.value, abs=1e-12)


def test_no_identifier_of_a_person_is_carried(simulated: Cohort, smm: Study) -> None:
    risks, outcomes = out_of_fold_tables(train(simulated, smm, seed=1, refits=0))
    ids = set(simulated.outcomes["subject_id"].astype(str))
    assert not ids & (set(risks["subject_id"]) | set(outcomes["subject_id"]))
