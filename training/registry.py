"""Everything MLflow: tracked runs, registered versions, aliases, and bundles for serving.

Every training is a parent run with a child run per candidate. Every version is a data-only artefact
logged by loader module, so `mlflow.pyfunc.load_model` works with pickle forbidden. The alias
``champion`` is moved by the gate alone, ``previous`` remembers where it stood. A champion is also
laid out as a self-contained bundle that a serving process reads without MLflow.
"""

import json
import math
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("DO_NOT_TRACK", "true")
os.environ.setdefault("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")

import mlflow
from filelock import FileLock
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.models import ModelSignature
from mlflow.protos.databricks_pb2 import (
    INVALID_PARAMETER_VALUE,
    RESOURCE_ALREADY_EXISTS,
    RESOURCE_DOES_NOT_EXIST,
    ErrorCode,
)
from mlflow.tracking import MlflowClient
from mlflow.types import ColSpec, Schema, TensorSpec
from sqlalchemy.exc import SQLAlchemyError

from features.errors import GateError, InputError, RegistryError
from models.artefact import load_artefact, save_artefact
from models.learned import LearnedModel
from training.evaluation import write_judgement
from training.fit import RULE, Final, Trained
from training.judge import judge_panel
from training.panel import panel
from training.performance import Settings
from training.tables import PERSON, out_of_fold_tables

__all__ = ["CHAMPION", "Registered", "Registry"]

CHAMPION, PREVIOUS, CHALLENGER = "champion", "previous", "challenger"


@dataclass(frozen=True, slots=True)
class Registered:
    """One registered version.

    Parameters
    ----------
    name, version
        Of the registry.
    aliases
        Such as ``champion``.
    learner, study_hash, cohort, cohort_kind, gate
        What it is, from its tags; `gate` is ``passed``, ``refused`` or ``rule``.
    run_id
        Run that made it.
    """

    name: str
    version: str
    aliases: tuple[str, ...]
    learner: str
    study_hash: str
    cohort: str
    cohort_kind: str
    gate: str
    run_id: str


class Registry:
    """A model registry under a folder, or at a tracking server.

    Parameters
    ----------
    root
        Holds ``mlflow.db``, ``artifacts`` and ``serving``.
    tracking_uri
        A team's tracking server or database instead of ``mlflow.db``; artifacts are then where that
        server keeps them.
    """

    def __init__(self, root: Path, *, tracking_uri: str | None = None) -> None:
        self.root = root.resolve()
        self.serving = self.root / "serving"
        # One process at a time: two that create the database would corrupt its migration, two that
        # register would each find no champion.
        self._lock = FileLock(self.root / ".lock")
        own = f"sqlite:///{self.root / 'mlflow.db'}"
        self.uri = tracking_uri or own
        self._artifacts = (self.root / "artifacts").as_uri() if self.uri == own else None
        mlflow.set_tracking_uri(self.uri)
        mlflow.set_registry_uri(self.uri)
        with _registry_errors():
            self.root.mkdir(parents=True, exist_ok=True)
        with _registry_errors(), self._lock:
            self.client = MlflowClient(self.uri, self.uri)
            self.client.search_experiments(max_results=1)

    def register(self, trained: Trained) -> tuple[Registered, Registered]:
        """Track a training, register what it made and let the gate decide.

        Returns
        -------
        (version, champion)
            The candidate's version, and who is champion now: the candidate if it passed, else the
            one that was, or the recalibrated rule if there was none. A champion of a real cohort
            stays when the candidate's is simulated; only `promote` puts that one in its place.
        """
        with _registry_errors(), self._lock:
            name = trained.study.registry_name
            mlflow.set_experiment(experiment_id=self._experiment(trained.study.name))
            with mlflow.start_run(run_name=f"{trained.study.name} seed {trained.seed}"):
                self._describe(trained)
                for candidate in trained.results:
                    self._log_candidate(trained, candidate)
                held = self._alias(name, CHAMPION)
                if held is None:
                    rule = self._log_version(trained, trained.rule, "rule")
                    self._move(name, CHAMPION, rule)
                gate = "passed" if trained.verdict.passed else "refused"
                version = self._log_version(trained, trained.candidate, gate)
                mlflow.set_tag("gate", gate)
                mlflow.set_tag("version", f"{name} {version}")
            if trained.verdict.passed and not _would_unseat_real_data(held, trained):
                self.promote(name, version)
            else:
                self._move(name, CHALLENGER, version)
            self.publish(name)
        return self.version(name, version), self.champion(name)

    def promote(self, name: str, version: str) -> None:
        """Make a version champion; only one that the gate passed, or the rule.

        Raises
        ------
        GateError
            If the gate refused this version.
        """
        with _registry_errors(), self._lock:
            found = self.version(name, version)
            if found.gate == "refused":
                raise GateError(f"{name} {version}: the gate refused it; see its run for the limit")
            held = self._alias(name, CHAMPION)
            # The database gives numbers, a person types text.
            if held is not None and str(held.version) != found.version:
                self._move(name, PREVIOUS, str(held.version))
            self._move(name, CHAMPION, found.version)
            self.publish(name)

    def rollback(self, name: str) -> Registered:
        """Make the previous champion champion again.

        Raises
        ------
        RegistryError
            If there is no previous champion.
        """
        with _registry_errors(), self._lock:
            previous = self._alias(name, PREVIOUS)
            if previous is None:
                raise RegistryError(f"{name}: there is no previous champion to go back to")
            self.promote(name, str(previous.version))
            return self.champion(name)

    def versions(self) -> list[Registered]:
        """Every registered version, newest first within a name."""
        with _registry_errors():
            found = []
            for model in self.client.search_registered_models():
                listed = self.client.search_model_versions(f"name = '{model.name}'")
                aliases: dict[str, list[str]] = {}
                for alias, version in model.aliases.items():
                    aliases.setdefault(str(version), []).append(alias)
                found += [
                    _registered(version, tuple(aliases.get(str(version.version), ())))
                    for version in sorted(listed, key=lambda v: -int(v.version))
                ]
            return found

    def version(self, name: str, version: str) -> Registered:
        """One registered version.

        Raises
        ------
        InputError
            If there is none of this name and number.
        """
        for found in self.versions():
            if (found.name, found.version) == (name, str(version)):
                return found
        known = ", ".join(f"{v.name} {v.version}" for v in self.versions()) or "none registered yet"
        raise InputError("version", f"{name} {version} is not registered; known: {known}")

    def champion(self, name: str) -> Registered:
        """The version that answers."""
        held = self._alias(name, CHAMPION)
        if held is None:
            raise RegistryError(f"{name}: has no champion; train it first")
        return self.version(name, str(held.version))

    def load(self, name: str, alias: str = CHAMPION) -> LearnedModel:
        """Verified model behind an alias."""
        with _registry_errors():
            held = self._alias(name, alias)
            if held is None:
                raise RegistryError(f"{name}: no version has the alias {alias}")
            with tempfile.TemporaryDirectory() as folder:
                artefact = self._download(held, Path(folder))
                return load_artefact(artefact, name=name, version=str(held.version))

    def publish(self, name: str) -> Path:
        """Lay the champion out for serving: a folder that appears whole, behind a link.

        Returns
        -------
        folder
            ``serving/NAME`` with ``artefact/`` and ``role.json``.
        """
        held = self.champion(name)
        self.serving.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=self.serving))
        try:
            with tempfile.TemporaryDirectory() as folder:
                version = self.client.get_model_version(name, held.version)
                artefact = self._download(version, Path(folder))
                load_artefact(artefact, name=name, version=held.version)
                shutil.copytree(artefact, fresh / "artefact")
            role = {
                "name": name,
                "version": held.version,
                "role": CHAMPION,
                "study_hash": held.study_hash,
                "cohort_kind": held.cohort_kind,
                "run_id": held.run_id,
            }
            (fresh / "role.json").write_text(json.dumps(role, indent=1) + "\n", encoding="utf-8")
            fresh.chmod(0o755)
            return _point(self.serving / name, fresh)
        except BaseException:
            shutil.rmtree(fresh, ignore_errors=True)
            raise

    def _experiment(self, name: str) -> str:
        found = self.client.get_experiment_by_name(name)
        if found is not None:
            return str(found.experiment_id)
        return str(self.client.create_experiment(name, artifact_location=self._artifacts))

    def _describe(self, trained: Trained) -> None:
        provenance = trained.candidate.model.provenance
        mlflow.set_tags({key: str(provenance[key]) for key in ("study_hash", "cohort_kind")})
        mlflow.log_params(
            {
                key: provenance[key]
                for key in ("study", "cohort", "cohort_digest", "subjects", "progressions", "seed")
            }
        )
        mlflow.log_params({"chosen": trained.chosen, "members": len(trained.rule.model.members)})
        mlflow.log_dict(_verdict(trained), "gate.json")
        for check in trained.verdict.checks:
            mlflow.log_metric(f"gate {_key(check.name)}", check.value)
        given = panel(*out_of_fold_tables(trained), cluster_column=PERSON)
        settings = Settings(thresholds=trained.study.gate.thresholds, reference=RULE)
        with tempfile.TemporaryDirectory() as folder:
            write_judgement(
                judge_panel(given, settings),
                given,
                title=f"{trained.study.label}, out of fold",
                settings=settings,
                out=Path(folder) / "judgement.json",
                report=Path(folder) / "judgement.html",
            )
            mlflow.log_artifacts(folder)

    def _log_candidate(self, trained: Trained, name: str) -> None:
        from training.candidates import CANDIDATES

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

    def _log_version(self, trained: Trained, final: Final, gate: str) -> str:
        name = trained.study.registry_name
        with tempfile.TemporaryDirectory() as folder:
            artefact = Path(folder) / "artefact"
            save_artefact(final.model, artefact, boosters=final.boosters)
            load_artefact(artefact)
            with warnings.catch_warnings():
                # An input example would be a patient row; the signature is written by hand.
                warnings.filterwarnings("ignore", message=".*input example was not provided")
                logged = mlflow.pyfunc.log_model(
                    name=f"{trained.study.name}-{final.model.provenance['candidate']}",
                    loader_module="models.artefact",
                    data_path=str(artefact),
                    signature=_signature(final.model),
                    pip_requirements=["smoulder"],
                )
        self._create(name)
        provenance = final.model.provenance
        tags = {
            "learner": provenance["learner"],
            "study_hash": provenance["study_hash"],
            "cohort": provenance["cohort"],
            "cohort_kind": provenance["cohort_kind"],
            "gate": gate,
        }
        version = self.client.create_model_version(
            name,
            source=logged.model_uri,
            run_id=logged.run_id,
            tags=tags,
            description=final.model.citation,
            model_id=logged.model_id,
        )
        return str(version.version)

    def _create(self, name: str) -> None:
        try:
            self.client.create_registered_model(name)
        except MlflowException as error:
            if error.error_code != ErrorCode.Name(RESOURCE_ALREADY_EXISTS):
                raise

    def _alias(self, name: str, alias: str) -> ModelVersion | None:
        try:
            return self.client.get_model_version_by_alias(name, alias)
        except MlflowException as error:
            absent = (RESOURCE_DOES_NOT_EXIST, INVALID_PARAMETER_VALUE)
            if error.error_code in [ErrorCode.Name(code) for code in absent]:
                return None
            raise

    def _move(self, name: str, alias: str, version: str) -> None:
        self.client.set_registered_model_alias(name, alias, version)

    def _download(self, version: ModelVersion, folder: Path) -> Path:
        source = f"models:/{version.name}/{version.version}"
        local = mlflow.artifacts.download_artifacts(artifact_uri=source, dst_path=str(folder))
        return Path(local) / "data" / "artefact"


def _would_unseat_real_data(held: ModelVersion | None, trained: Trained) -> bool:
    """Whether a demonstration would take the place of a model that learnt from people."""
    kind = trained.candidate.model.provenance["cohort_kind"]
    return held is not None and held.tags.get("cohort_kind") == "real" and kind != "real"


def _point(place: Path, fresh: Path) -> Path:
    """Point a link at a new folder in one step: a reader finds the old one or the new one."""
    old = place.resolve() if place.is_symlink() else None
    link = fresh.with_name(f"{fresh.name}.link")
    link.symlink_to(fresh.name, target_is_directory=True)
    link.replace(place)
    if old is not None:
        shutil.rmtree(old, ignore_errors=True)
    return place


def _registered(version: ModelVersion, aliases: tuple[str, ...]) -> Registered:
    tags = version.tags
    return Registered(
        name=version.name,
        version=str(version.version),
        aliases=tuple(sorted(aliases)),
        learner=tags.get("learner", ""),
        study_hash=tags.get("study_hash", ""),
        cohort=tags.get("cohort", ""),
        cohort_kind=tags.get("cohort_kind", ""),
        gate=tags.get("gate", ""),
        run_id=version.run_id or "",
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
        "against": RULE,
        "checks": [
            {"name": c.name, "value": c.value, "limit": c.limit, "passed": c.passed}
            for c in trained.verdict.checks
        ],
    }


def _key(name: str) -> str:
    """MLflow's metric names allow no % and no comma, and a slash makes a folder."""
    return name.replace("%", "percent").replace(",", "").replace("/", " over ")


@contextmanager
def _registry_errors() -> Iterator[None]:
    """Errors of MLflow, its database and its folder as one of ours, without rows or stack."""
    try:
        yield
    except MlflowException as error:
        raise RegistryError(f"the model registry refused: {error.error_code}") from error
    except SQLAlchemyError as error:
        raise RegistryError(
            "the model registry's database cannot be used: expected one that MLflow made"
        ) from error
    except OSError as error:
        raise RegistryError(
            f"the model registry cannot use {error.filename or 'its folder'}: {error.strerror}"
        ) from error
