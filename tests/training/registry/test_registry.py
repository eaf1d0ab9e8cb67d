"""The registry: a real MLflow on SQLite, data-only versions, aliases moved by the gate alone."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest

from features.errors import GateError, InputError, RegistryError
from models.artefact import load_artefact
from training.commands.results import tell_where
from training.documents import REPORT, Documents
from training.fit import Trained
from training.gate import Check, Verdict
from training.lineage import find_artefact, lineage
from training.registry import Registry

NAME = "mgus-progression"


on_every_backend = pytest.mark.parametrize(
    "registry", ["sqlite", "postgresql", "server"], indirect=True
)


def _judged(trained: Trained, *, passed: bool) -> Trained:
    check = Check("drawn", 1.0, "as the test wants it", passed)
    return replace(trained, verdict=Verdict(trained.chosen, (check,)))


@on_every_backend
def test_a_refused_candidate_leaves_the_rule_as_champion(
    registry: Registry, trained: Trained, documents: Documents
) -> None:
    version, champion, _ = registry.register(_judged(trained, passed=False), documents)
    assert (version.version, version.gate, version.aliases) == ("2", "refused", ("challenger",))
    assert (champion.version, champion.gate) == ("1", "rule")
    with pytest.raises(GateError, match="the gate refused it"):
        registry.promote(NAME, version.version)
    assert registry.champion(NAME).version == "1"


@on_every_backend
def test_a_candidate_that_passes_becomes_champion_and_can_be_rolled_back(
    registry: Registry, trained: Trained, documents: Documents
) -> None:
    version, champion, _ = registry.register(_judged(trained, passed=True), documents)
    assert version == champion
    assert registry.load(NAME).features == trained.candidate.model.features
    assert registry.rollback(NAME).version == "1"
    assert json.loads((registry.serving / NAME / "role.json").read_text())["version"] == "1"
    assert registry.rollback(NAME).version == "2"
    folders = [path for path in registry.serving.iterdir() if not path.is_symlink()]
    assert [(registry.serving / NAME).resolve()] == folders


@on_every_backend
def test_every_way_to_the_champion_gives_the_same_risks(
    registry: Registry, trained: Trained, documents: Documents
) -> None:
    registry.register(_judged(trained, passed=True), documents)
    model = trained.candidate.model
    frame = pd.DataFrame(trained.rows.columns(model.features)[:50], columns=list(model.features))
    expected = model.estimate_matrix(frame.to_numpy()).risk[:, 1]
    pyfunc = mlflow.pyfunc.load_model(f"models:/{NAME}@champion")
    bundle = load_artefact(registry.serving / NAME / "artefact")
    np.testing.assert_allclose(pyfunc.predict(frame)["risk_10y"], expected, atol=1e-12)
    for loaded in (bundle, registry.load(NAME)):
        risk = loaded.estimate_matrix(frame.to_numpy()).risk[:, 1]
        np.testing.assert_allclose(risk, expected, atol=1e-12)


def test_runs_hold_fold_metrics_the_gate_and_no_patient_row(
    registry: Registry, trained: Trained, documents: Documents
) -> None:
    version, *_ = registry.register(_judged(trained, passed=False), documents)
    experiment = registry.client.get_experiment_by_name("mgus")
    assert experiment is not None
    runs = registry.client.search_runs([experiment.experiment_id])
    children = {run.data.tags["candidate"]: run for run in runs if "candidate" in run.data.tags}
    assert set(children) == set(trained.results)
    history = registry.client.get_metric_history(children["rule"].info.run_id, "folds/AUC 10 years")
    assert [metric.step for metric in history] == [0, 1, 2]
    parent = registry.client.get_run(version.run_id)
    assert parent.data.params["cohort_digest"] == trained.rows.digest
    gate = mlflow.artifacts.load_dict(f"runs:/{version.run_id}/gate.json")
    assert gate["passed"] is False
    judged = mlflow.artifacts.load_dict(f"runs:/{version.run_id}/judgement.json")
    assert {row["model"] for row in judged["rows"]} == set(trained.results)
    report = mlflow.artifacts.load_text(f"runs:/{version.run_id}/judgement.html")
    assert "MGUS progression" in report
    files = [p for p in registry.root.rglob("*") if p.is_file()]
    assert not [p for p in files if p.suffix in (".pkl", ".pickle", ".joblib", ".py")]
    text = "".join("".join(p.read_text("utf-8").split()) for p in files if p.suffix == ".json")
    rows = trained.rows.columns(trained.candidate.model.features)
    assert "values" in text
    for row in rows[~np.isnan(rows).any(axis=1)]:
        assert ",".join(repr(float(value)) for value in row) not in text


def test_a_run_holds_the_settings_that_the_search_found(
    registry: Registry, trained: Trained, documents: Documents
) -> None:
    found = replace(
        trained.results["logistic"],
        settings=({"strength": 0.2}, {}, {"strength": 0.4}),
        shortlist=({"strength": 0.4}, {}),
    )
    searched = replace(trained, results={**trained.results, "logistic": found})
    version, *_ = registry.register(searched, documents)
    (run,) = registry.client.search_runs(
        [registry.client.get_run(version.run_id).info.experiment_id], "tags.candidate = 'logistic'"
    )
    assert run.data.params == {"strength": "0.4"}
    told = json.loads(mlflow.artifacts.load_text(f"{run.info.artifact_uri}/settings.json"))
    assert told["folds"] == list(found.settings) and told["short list"] == list(found.shortlist)


def test_a_run_holds_its_diagnosis_and_a_tag_for_every_override(
    registry: Registry, trained: Trained, documents: Documents
) -> None:
    overridden = replace(trained.diagnosis, overrides={"duplicates": "twins, checked by hand"})
    drawn = replace(trained, diagnosis=overridden)
    version, *_ = registry.register(_judged(drawn, passed=False), documents)
    tags = registry.client.get_run(version.run_id).data.tags
    assert tags["diagnosis"] == "warn"
    assert tags["override duplicates"] == "twins, checked by hand"
    told = mlflow.artifacts.load_dict(f"runs:/{version.run_id}/diagnosis.json")
    assert told == overridden.to_dict()
    report = mlflow.artifacts.load_text(f"runs:/{version.run_id}/judgement.html")
    assert overridden.finding("sample-size").found in report


def test_a_second_training_meets_the_champion_of_the_first(
    registry: Registry, trained: Trained, documents: Documents
) -> None:
    registry.register(_judged(trained, passed=True), documents)
    version, champion, _ = registry.register(_judged(trained, passed=False), documents)
    assert (version.version, champion.version) == ("3", "2")


def test_promoting_the_champion_again_keeps_the_way_back(
    registry: Registry, trained: Trained, documents: Documents
) -> None:
    version, *_ = registry.register(_judged(trained, passed=True), documents)
    registry.promote(NAME, version.version)
    assert registry.rollback(NAME).version == "1"


def test_a_demonstration_never_takes_the_place_of_a_model_of_real_data(
    registry: Registry, trained: Trained, documents: Documents
) -> None:
    registry.register(_judged(trained, passed=True), documents)
    model = trained.candidate.model
    simulated = replace(model, provenance={**model.provenance, "cohort_kind": "simulated"})
    drawn = replace(trained, candidate=replace(trained.candidate, model=simulated))
    version, champion, _ = registry.register(_judged(drawn, passed=True), documents)
    assert (version.gate, version.aliases) == ("passed", ("challenger",))
    assert champion.version == "2"
    registry.promote(NAME, version.version)
    assert registry.champion(NAME).version == version.version


def test_a_training_that_breaks_off_leaves_no_run_running_and_the_champion_in_place(
    registry: Registry, trained: Trained, documents: Documents, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.register(_judged(trained, passed=True), documents)

    def interrupted(*_: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(registry, "_add", interrupted)
    with pytest.raises(KeyboardInterrupt):
        registry.register(_judged(trained, passed=True), documents)
    experiment = registry.client.get_experiment_by_name("mgus")
    assert experiment is not None
    runs = registry.client.search_runs([experiment.experiment_id])
    assert {run.info.status for run in runs} == {"FINISHED", "FAILED"}
    assert registry.champion(NAME).version == "2"
    assert json.loads((registry.serving / NAME / "role.json").read_text())["version"] == "2"


def test_a_second_training_waits_for_the_first_to_be_registered(
    registry: Registry, trained: Trained, documents: Documents
) -> None:
    other = Registry(registry.root)
    with ThreadPoolExecutor(1) as pool:
        with registry.store.lock:
            second = pool.submit(other.register, _judged(trained, passed=False), documents)
            with pytest.raises(TimeoutError):
                second.result(timeout=1.0)
            assert registry.versions() == []
        assert second.result().champion.version == "1"


@pytest.mark.parametrize("name", ["a file", "mlflow.db"])
def test_a_folder_that_cannot_be_used_is_one_clear_line(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("neither a folder nor a database")
    root = tmp_path if name == "mlflow.db" else tmp_path / name
    with pytest.raises(RegistryError, match="registry") as caught:
        Registry(root)
    assert "\n" not in str(caught.value)


def test_what_is_not_there_is_one_clear_line(registry: Registry) -> None:
    with pytest.raises(InputError, match="none registered yet"):
        registry.promote(NAME, "9")
    with pytest.raises(RegistryError, match="no previous champion"):
        registry.rollback(NAME)
    with pytest.raises(RegistryError, match="has no champion"):
        registry.champion(NAME)


def test_only_one_xgboost_is_installed() -> None:
    from importlib.metadata import packages_distributions

    assert packages_distributions()["xgboost"] == ["xgboost-cpu"]


@on_every_backend
def test_an_answer_leads_back_to_the_rows(
    registry: Registry, trained: Trained, documents: Documents
) -> None:
    version, *_ = registry.register(_judged(trained, passed=True), documents)
    served = load_artefact(registry.serving / NAME / "artefact")
    (found,) = find_artefact(registry, served.provenance["sha256"])
    assert found == version
    traced = lineage(registry, found.name, found.version)
    assert traced.unaltered and traced.logged
    assert traced.cohort_digest == trained.rows.digest
    assert traced.version.study_hash == trained.study.hash
    assert dict(traced.steps())["rows"] == trained.rows.digest


def test_the_same_training_twice_is_known_by_its_bytes(
    registry: Registry, trained: Trained, documents: Documents
) -> None:
    once, *_ = registry.register(_judged(trained, passed=True), documents)
    assert registry.duplicates(once) == []
    again, *_ = registry.register(_judged(trained, passed=True), documents)
    assert again.version != once.version
    assert [found.version for found in registry.duplicates(again)] == [once.version]


def test_the_report_of_a_training_is_told_as_a_file_to_open(
    registry: Registry,
    trained: Trained,
    documents: Documents,
    capsys: pytest.CaptureFixture[str],
) -> None:
    version, *_ = registry.register(_judged(trained, passed=True), documents)
    tell_where(registry.root, version.run_id, own_registry=True)
    first = capsys.readouterr().out.splitlines()[0]
    report = Path(first.removeprefix("Report, for any browser: "))
    assert report.read_text(encoding="utf-8") == documents.texts[REPORT]
    # Artifacts that a server keeps are no file here.
    tell_where(registry.root / "elsewhere", version.run_id, own_registry=False)
    assert "Report" not in capsys.readouterr().out


def test_an_artefact_that_nobody_registered_is_told(registry: Registry) -> None:
    with pytest.raises(InputError, match="no registered version"):
        find_artefact(registry, "0" * 64)
    with pytest.raises(InputError, match="at least 8 characters"):
        find_artefact(registry, "0")


@on_every_backend
def test_a_newcomer_finds_words_names_and_the_rows(
    registry: Registry, trained: Trained, documents: Documents
) -> None:
    version, *_ = registry.register(_judged(trained, passed=False), documents)
    experiment = registry.client.get_experiment_by_name("mgus")
    assert experiment is not None
    assert "IPA 10 years" in experiment.tags["mlflow.note.content"]
    run = registry.client.get_run(version.run_id)
    assert run.info.run_name == "logistic refused, mgus2, seed 1"
    assert "The gate refuses it" in run.data.tags["mlflow.note.content"]
    assert run.data.metrics["AUC 10 years"] == trained.results["logistic"].mean("auc", 10.0)
    (given,) = run.inputs.dataset_inputs
    assert (given.dataset.name, given.dataset.digest) == ("mgus2", trained.rows.digest[:32])
    listed = registry.client.list_artifacts(version.run_id, "plots")
    assert "plots/calibration-10-years.svg" in [file.path for file in listed]
    card = mlflow.artifacts.load_text(f"runs:/{version.run_id}/cards/logistic/card.md")
    assert card.startswith("# MGUS progression, version 2")
    assert "| 18a | Funding | TODO |" in card
    model = registry.client.get_registered_model(NAME)
    assert "challenger" in model.description
    children = registry.client.search_runs(
        [experiment.experiment_id], f"tags.`mlflow.parentRunId` = '{version.run_id}'"
    )
    parts = {run.info.run_name: run.data.tags["part"] for run in children}
    assert parts["Published rule, recalibrated"] == "the published model to beat"
    assert parts["Penalised logistic regression"] == "held to the gate"
