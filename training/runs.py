"""What a training leaves in MLflow: a parent run, a child run per candidate, data-only models.

Names are for people who open `mlflow ui` for the first time: metrics are called what the field
calls them and are the same in parents and children, so that a column compares them; a slash makes a
section of a run's page.
"""

import math
import time
import warnings
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import mlflow
from mlflow.data.code_dataset_source import CodeDatasetSource
from mlflow.data.meta_dataset import MetaDataset
from mlflow.entities import Metric, Param, RunTag
from mlflow.models import ModelSignature
from mlflow.models.model import ModelInfo
from mlflow.tracking import MlflowClient
from mlflow.types import ColSpec, Schema, TensorSpec
from mlflow.utils.mlflow_tags import MLFLOW_RUN_NOTE

from features.errors import GateError
from models.artefact import save_artefact
from models.learned import LearnedModel
from models.signature import sign
from training.bundles import CARD_HTML, CARD_MARKDOWN
from training.candidates import CANDIDATES
from training.documents import Documents
from training.fit import Final, Trained
from training.gate import Check, scan_artefact
from training.report.card import as_html, as_markdown, card_of
from training.software import code_version
from training.store import settled
from training.validation import OutOfFold

__all__ = [
    "card_folder",
    "log_candidate",
    "log_card",
    "log_model",
    "log_training",
    "write_artefact",
]

DIGEST_CHARACTERS = 32
"""MLflow keeps 36 characters of a dataset's digest; the whole one is a parameter of the run."""
METRICS = {"auc": "AUC", "brier": "Brier", "ipa": "IPA"}


def log_training(trained: Trained, documents: Documents) -> None:
    """Describe a training in the active run."""
    told = trained.candidate.model.provenance
    overrides = {
        f"override {check}": reason for check, reason in trained.diagnosis.overrides.items()
    }
    keys = ("study", "cohort", "cohort_digest", "subjects", "landmarks", "progressions", "seed")
    _log(
        params={key: told[key] for key in keys}
        | {"chosen": trained.chosen, "refits": len(trained.rule.model.refits)},
        tags={
            **{key: told[key] for key in ("study_hash", "cohort_kind")},
            "code": code_version(),
            "diagnosis": trained.diagnosis.status,
            **overrides,
        },
        metrics=_means(trained, trained.results[trained.chosen])
        | {
            f"gate/{_key(check.name)}": check.value
            for check in trained.verdict.checks
            if check.value is not None
        },
    )
    # Trainings on the same rows share it.
    settled(lambda: mlflow.log_input(_dataset(trained), context="training"))
    mlflow.log_dict(_verdict(trained), "gate.json")
    mlflow.log_dict(trained.diagnosis.to_dict(), "diagnosis.json")
    with TemporaryDirectory() as folder:
        for name, text in documents.texts.items():
            path = Path(folder) / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        mlflow.log_artifacts(folder)


def log_candidate(trained: Trained, name: str, tags: Mapping[str, str]) -> None:
    """Log one candidate as a child of the active run."""
    candidate, result = CANDIDATES[name], trained.results[name]
    part = {
        trained.chosen: "held to the gate",
        trained.verdict.against: "the published model to beat",
    }.get(name, "published model" if candidate.published else "not chosen")
    about = f"{candidate.label}: {part}. Means over the folds; `folds/` has each fold as a step."
    with mlflow.start_run(run_name=candidate.label, nested=True, tags=dict(tags)):
        _log(
            params=candidate.tuned(result.shortlist[0]).parameters(),
            tags={"candidate": name, "part": part, MLFLOW_RUN_NOTE: about},
            metrics=_means(trained, result),
            folds=result,
        )
        if any(result.settings):
            told = {"folds": result.settings, "short list": result.shortlist}
            mlflow.log_dict(told, "settings.json")


def write_artefact(
    trained: Trained, final: Final, directory: Path, private_key: Path | None
) -> Check:
    """Write a model into a new directory, as it would be stored, and look it through.

    With a private key it is signed, once and for all.

    Raises
    ------
    GateError
        If the artefact scan finds a patient row or anything foreign.
    """
    save_artefact(final.model, directory, boosters=final.boosters)
    scanned = scan_artefact(directory, trained.rows)
    if not scanned.passed:
        raise GateError(f"{final.model.name}: {scanned}: {scanned.reason}; nothing registered")
    if private_key is not None:
        sign(directory, private_key)
    return scanned


def log_model(trained: Trained, final: Final, artefact: Path) -> ModelInfo:
    """Log an artefact as a model of the active run: data, read by loader module."""
    with warnings.catch_warnings():
        # An input example would be a patient row; the signature is written by hand.
        warnings.filterwarnings("ignore", message=".*input example was not provided")
        logged: ModelInfo = mlflow.pyfunc.log_model(
            name=f"{trained.study.name}-{final.model.provenance['candidate']}",
            loader_module="models.artefact",
            data_path=str(artefact),
            signature=_signature(final.model),
            pip_requirements=["smoulder"],
        )
    return logged


def card_folder(candidate: str) -> str:
    """Where in a run the card of one of its models is."""
    return f"cards/{candidate}"


def log_card(trained: Trained, final: Final, documents: Documents, version: str, gate: str) -> None:
    """Write the card of a registered version into the active run, as Markdown and as HTML."""
    card = card_of(trained, final, documents.judgement, documents.given, version=version, gate=gate)
    folder = card_folder(final.model.provenance["candidate"])
    mlflow.log_text(as_markdown(card), f"{folder}/{CARD_MARKDOWN}")
    mlflow.log_text(as_html(card), f"{folder}/{CARD_HTML}")


def _log(
    *,
    params: Mapping[str, Any],
    tags: Mapping[str, Any],
    metrics: Mapping[str, float],
    folds: OutOfFold | None = None,
) -> None:
    """Everything of the active run in one transaction."""
    now = int(time.time() * 1000)
    active = mlflow.active_run()
    assert active is not None
    of_folds = [] if folds is None else _of_folds(folds, now)
    MlflowClient().log_batch(
        active.info.run_id,
        metrics=[Metric(key, value, now, 0) for key, value in metrics.items()] + of_folds,
        params=[Param(key, str(value)) for key, value in params.items()],
        tags=[RunTag(key, str(value)) for key, value in tags.items()],
    )


def _of_folds(result: OutOfFold, now: int) -> list[Metric]:
    return [
        Metric(f"folds/{METRICS[metric]} {fold.horizon_years:g} years", value, now, fold.fold)
        for fold in result.folds
        for metric in METRICS
        if not math.isnan(value := getattr(fold, metric))
    ]


def _means(trained: Trained, result: OutOfFold) -> dict[str, float]:
    return {
        f"{label} {horizon:g} years": mean
        for horizon in trained.study.horizons_years
        for metric, label in METRICS.items()
        if not math.isnan(mean := result.mean(metric, horizon))
    }


class Rows(MetaDataset):
    """Training rows by name and digest."""

    @property
    def profile(self) -> None:
        """Nothing: a profile would be of patients."""
        return


def _dataset(trained: Trained) -> Rows:
    """The rows by name and digest; they themselves stay where they are."""
    told = trained.candidate.model.provenance
    source = {
        "cohort": told["cohort"],
        "kind": told["cohort_kind"],
        "sha256": told["cohort_digest"],
    }
    columns: list[ColSpec | TensorSpec] = [
        ColSpec("double", name, required=False) for name in trained.rows.features
    ]
    return Rows(
        CodeDatasetSource(source),
        name=told["cohort"],
        digest=trained.rows.digest[:DIGEST_CHARACTERS],
        schema=Schema(columns),
    )


def _signature(model: LearnedModel) -> ModelSignature:
    """Written by hand: inferred from data it would refuse integers and missing columns."""
    inputs: list[ColSpec | TensorSpec] = [
        ColSpec("double", name, required=False) for name in model.features
    ]
    outputs: list[ColSpec | TensorSpec] = [
        ColSpec("double", f"risk_{horizon:g}y{end}")
        for horizon in model.horizons_years
        for end in ("", "_lower", "_upper")
    ]
    return ModelSignature(inputs=Schema(inputs), outputs=Schema(outputs))


def _verdict(trained: Trained) -> dict[str, Any]:
    return {
        "candidate": trained.verdict.candidate,
        "passed": trained.verdict.passed,
        "against": trained.verdict.against,
        "checks": [asdict(check) for check in trained.verdict.checks],
    }


def _key(name: str) -> str:
    """MLflow's metric names allow no % and no comma, and a slash makes a section."""
    cleaned = name.replace("%", "percent").replace(",", "").replace("observed/expected", "O to E")
    return cleaned.replace("/", " over ")
