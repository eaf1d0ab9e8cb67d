"""What a training leaves in MLflow: a parent run, a child run per candidate, data-only models."""

import math
import tempfile
import warnings
from dataclasses import asdict
from pathlib import Path
from typing import Any

import mlflow
from mlflow.models import ModelSignature
from mlflow.models.model import ModelInfo
from mlflow.types import ColSpec, Schema, TensorSpec

from features.errors import GateError
from models.artefact import save_artefact
from models.learned import LearnedModel
from models.signature import sign
from training.bundles import CARD_HTML, CARD_MARKDOWN, JUDGEMENT
from training.candidates import CANDIDATES
from training.diagnosis import Diagnosis
from training.evaluation import write_judgement
from training.fit import RULE, Final, Trained
from training.gate import Check, scan_artefact
from training.judge import judge_panel
from training.judgement import Judgement
from training.panel import Panel, panel
from training.performance import Settings
from training.report.card import Card, as_html, as_markdown, card_of
from training.tables import PERSON, out_of_fold_tables

__all__ = [
    "card_folder",
    "log_candidate",
    "log_card",
    "log_model",
    "log_training",
    "write_artefact",
]


def log_training(trained: Trained) -> tuple[Judgement, Panel]:
    """Describe a training in the active run, and judge its out-of-fold risks."""
    provenance = trained.candidate.model.provenance
    mlflow.set_tags({key: str(provenance[key]) for key in ("study_hash", "cohort_kind")})
    mlflow.log_params(
        {
            key: provenance[key]
            for key in ("study", "cohort", "cohort_digest", "subjects", "progressions", "seed")
        }
    )
    mlflow.log_params({"chosen": trained.chosen, "members": len(trained.rule.model.refits)})
    _log_diagnosis(trained.diagnosis)
    mlflow.log_dict(_verdict(trained), "gate.json")
    for check in trained.verdict.checks:
        if check.value is not None:
            mlflow.log_metric(f"gate {_key(check.name)}", check.value)
    given = panel(*out_of_fold_tables(trained), cluster_column=PERSON)
    settings = Settings(thresholds=trained.study.gate.thresholds, reference=RULE)
    judgement = judge_panel(given, settings)
    with tempfile.TemporaryDirectory() as folder:
        write_judgement(
            judgement,
            given,
            title=f"{trained.study.label}, out of fold",
            settings=settings,
            out=Path(folder) / JUDGEMENT,
            report=Path(folder) / "judgement.html",
            diagnosis=trained.diagnosis,
        )
        mlflow.log_artifacts(folder)
    return judgement, given


def _log_diagnosis(diagnosis: Diagnosis) -> None:
    """Tables as JSON and in words; an override is a tag, to be found by whoever lists the runs."""
    overrides = {f"override {check}": reason for check, reason in diagnosis.overrides.items()}
    mlflow.set_tags({"diagnosis": diagnosis.status, **overrides})
    mlflow.log_dict(diagnosis.to_dict(), "diagnosis.json")


def log_candidate(trained: Trained, name: str) -> None:
    """Log one candidate as a child of the active run."""
    candidate, result = CANDIDATES[name], trained.results[name]
    with mlflow.start_run(run_name=candidate.label, nested=True):
        mlflow.set_tag("candidate", name)
        mlflow.log_params(candidate.parameters())
        for fold in result.folds:
            for metric in ("auc", "brier", "ipa"):
                value = getattr(fold, metric)
                if not math.isnan(value):
                    key = f"fold {metric} {fold.horizon_years:g}y"
                    mlflow.log_metric(key, value, step=fold.fold)
        for horizon in trained.study.horizons_years:
            for metric in ("auc", "brier", "ipa"):
                mlflow.log_metric(f"{metric} {horizon:g}y", result.mean(metric, horizon))


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


def log_card(
    trained: Trained, final: Final, judged: tuple[Judgement, Panel], version: str, gate: str
) -> Card:
    """Write the card of a registered version into the active run, as Markdown and as HTML."""
    card = card_of(trained, final, *judged, version=version, gate=gate)
    folder = card_folder(final.model.provenance["candidate"])
    mlflow.log_text(as_markdown(card), f"{folder}/{CARD_MARKDOWN}")
    mlflow.log_text(as_html(card), f"{folder}/{CARD_HTML}")
    return card


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
    """MLflow's metric names allow no % and no comma, and a slash makes a folder."""
    return name.replace("%", "percent").replace(",", "").replace("/", " over ")
