"""Explainable boosting: InterpretML's own model, as tables that need no InterpretML."""

import subprocess
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from features.errors import ArtefactError, InputError
from models.additive import AdditiveLearner
from models.artefact import save_artefact
from training.candidates import CANDIDATES, ebm
from training.cohorts import Cohort
from training.fit import train
from training.gate.scan import scan_artefact
from training.landmarks import TrainingSet
from training.metrics.censoring import ipcw_weights
from training.study import Study

LOAD = """
import sys
from pathlib import Path
sys.modules["interpret"] = None
from models.artefact import load_artefact
model = load_artefact(Path(sys.argv[1]))
print(type(model.learner).__name__, model.provenance["candidate"])
"""


def test_tables_give_what_interpretml_answers(smm_rows: TrainingSet, smm: Study) -> None:
    """The same model by InterpretML alone, asked at values that the cohort does not hold too."""
    from interpret.glassbox import ExplainableBoostingClassifier

    learner = CANDIDATES["ebm"].fit(smm_rows, smm, seed=5).learner
    assert isinstance(learner, AdditiveLearner)
    known = ipcw_weights(smm_rows.duration_years, smm_rows.event, 2.0)
    used = known.weights > 0
    peer = ExplainableBoostingClassifier(
        feature_types=[cuts[np.isfinite(cuts)].tolist() for cuts in learner.cuts],
        interactions=0,
        validation_size=0,
        outer_bags=1,
        early_stopping_rounds=0,
        max_rounds=100,
        learning_rate=0.05,
        reg_lambda=10.0,
        monotone_constraints=[smm.monotone.get(name, 0) for name in smm_rows.features],
        n_jobs=1,
        random_state=5,
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Missing values detected")
        peer.fit(smm_rows.values[used], known.case[used], known.weights[used])
    generator = np.random.default_rng(1)
    values = smm_rows.values[generator.integers(0, len(smm_rows.values), 400)]
    values *= generator.choice([0.0, 0.5, 1.0, 3.0], values.shape)
    values[generator.random(values.shape) < 0.2] = np.nan
    # At the cuts themselves, where one step ends and the next begins.
    values[:100, 0] = generator.choice(learner.cuts[0][np.isfinite(learner.cuts[0])], 100)
    found = learner.margin(values)[:, smm.horizons_years.index(2.0)]
    np.testing.assert_allclose(found, peer.decision_function(values), rtol=0, atol=1e-12)


def test_contributions_average_zero_over_the_training_rows(
    mgus_rows: TrainingSet, mgus: Study
) -> None:
    learner = CANDIDATES["ebm"].fit(mgus_rows, mgus, seed=0).learner
    known = ipcw_weights(mgus_rows.duration_years, mgus_rows.event, 10.0)
    added = learner.contributions(mgus_rows.values, 1)
    average = (known.weights[:, None] * added).sum(axis=0) / known.weights.sum()
    np.testing.assert_allclose(average, 0.0, atol=1e-9)
    assert np.abs(added).max() > 0.1


def test_a_model_is_trained_scanned_and_read_where_interpretml_is_not(
    mgus2: Cohort, mgus: Study, tmp_path: Path
) -> None:
    trained = train(mgus2, mgus, candidate="ebm", seed=1, refits=2)
    assert trained.chosen == "ebm"
    assert 0.6 < trained.results["ebm"].mean("auc", 10.0) < 0.7
    save_artefact(trained.candidate.model, tmp_path / "artefact")
    assert scan_artefact(tmp_path / "artefact", trained.rows).passed
    read = [sys.executable, "-c", LOAD, str(tmp_path / "artefact")]
    done = subprocess.run(read, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["AdditiveLearner", "ebm"]


def test_without_the_extra_it_is_told_with_the_line_to_type(
    mgus2: Cohort, mgus: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ebm, "find_spec", lambda _: None)
    listed = replace(mgus, search=replace(mgus.search, candidates=("logistic", "ebm")))
    for study, candidate in ((mgus, "ebm"), (listed, None)):
        with pytest.raises(InputError, match=r"pip install 'smoulder\[ebm\]'"):
            train(mgus2, study, candidate=candidate)


def test_tables_that_differ_from_interpretml_are_never_kept(
    mgus_rows: TrainingSet, mgus: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        AdditiveLearner, "margin", lambda self, values: np.zeros((len(values), len(self.score)))
    )
    with pytest.raises(ArtefactError, match="InterpretML"):
        CANDIDATES["ebm"].fit(mgus_rows, mgus, seed=0)
