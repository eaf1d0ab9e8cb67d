"""Registered versions and who answers: the aliases, and the ways between them.

Every training is a parent run with a child run per candidate (`training.runs`). Every version is a
data-only artefact logged by loader module, so `mlflow.pyfunc.load_model` works with pickle
forbidden. The alias ``champion`` is moved by the gate alone, ``previous`` remembers where it stood.
A champion is also laid out as a bundle (`training.bundles`) that a serving process reads without
MLflow.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import NamedTuple

import mlflow
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import (
    INVALID_PARAMETER_VALUE,
    RESOURCE_ALREADY_EXISTS,
    RESOURCE_DOES_NOT_EXIST,
    ErrorCode,
)

from features.errors import GateError, InputError, RegistryError
from models.artefact import load_artefact
from models.learned import LearnedModel
from models.signature import signing_key
from training.bundles import CARD_HTML, CARD_MARKDOWN, CHALLENGER, JUDGEMENT, Bundle, publish
from training.documents import Documents, documents_of
from training.fit import Final, Trained
from training.gate import Check, Verdict, champion_checks
from training.notes import experiment_note, model_note, run_note, version_note
from training.runs import (
    card_folder,
    log_candidate,
    log_card,
    log_model,
    log_training,
    write_artefact,
)
from training.software import code_version
from training.store import Store, registry_errors, settled
from training.versions import Registered, registered

__all__ = ["CHALLENGER", "CHAMPION", "PREVIOUS", "Registered", "Registration", "Registry"]

CHAMPION, PREVIOUS = "champion", "previous"


class Registration(NamedTuple):
    """What became of a training.

    Parameters
    ----------
    version
        The candidate's.
    champion
        Who answers now: the candidate if it passed, else the one that did, or the recalibrated rule
        if there was none. A champion of a real cohort stays when the candidate's is simulated; only
        `Registry.promote` puts that one in its place.
    verdict
        Of the whole gate.
    """

    version: Registered
    champion: Registered
    verdict: Verdict


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
        self.store = Store(root, tracking_uri)
        self.root, self.client = self.store.root, self.store.client
        self.serving = self.root / "serving"

    def register(self, trained: Trained, documents: Documents | None = None) -> Registration:
        """Track a training, register what it made and let the gate decide.

        The gate is complete only here: the champion that answers now and the artefact as it would
        be stored are held to it as well.

        Parameters
        ----------
        trained
            The training.
        documents
            What is written about it, if that was made already.

        Raises
        ------
        GateError
            If the artefact holds a patient row or anything foreign; nothing is registered then.
        """
        documents = documents or documents_of(trained)
        with registry_errors(), self.store.lock, tempfile.TemporaryDirectory() as folder:
            name = trained.study.registry_name
            # MLflow keeps the last part of the path: `_download` looks for an "artefact".
            candidate, rule = (Path(folder) / part / "artefact" for part in ("candidate", "rule"))
            key = signing_key(self.root)
            scanned = write_artefact(trained, trained.candidate, candidate, key)
            write_artefact(trained, trained.rule, rule, key)
            held = self._alias(name, CHAMPION)
            trained = self._held_to_champion(trained, scanned)
            with self._run(trained):
                log_training(trained, documents)
                for each in trained.results:
                    log_candidate(trained, each, self.store.owner())
                if held is None:
                    first = self._add(trained, trained.rule, rule, documents, "rule")
                    self._move(name, CHAMPION, first)
                gate = "passed" if trained.verdict.passed else "refused"
                version = self._add(trained, trained.candidate, candidate, documents, gate)
                mlflow.set_tags({"gate": gate, "version": f"{name} {version}"})
            if trained.verdict.passed and not _would_unseat_real_data(held, trained):
                self.promote(name, version)
            else:
                self._move(name, CHALLENGER, version)
                self.publish(name)
        return Registration(self.version(name, version), self.champion(name), trained.verdict)

    def promote(self, name: str, version: str) -> None:
        """Make a version champion; only one that the gate passed, or the rule.

        Raises
        ------
        GateError
            If the gate refused this version.
        """
        with registry_errors(), self.store.lock:
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
        with registry_errors(), self.store.lock:
            previous = self._alias(name, PREVIOUS)
            if previous is None:
                raise RegistryError(f"{name}: there is no previous champion to go back to")
            self.promote(name, str(previous.version))
            return self.champion(name)

    def versions(self) -> list[Registered]:
        """Every registered version, newest first within a name."""
        with registry_errors():
            found = []
            for model in self.client.search_registered_models():
                listed = self.client.search_model_versions(f"name = '{model.name}'")
                aliases: dict[str, list[str]] = {}
                for alias, version in model.aliases.items():
                    aliases.setdefault(str(version), []).append(alias)
                found += [
                    registered(version, tuple(aliases.get(str(version.version), ())))
                    for version in sorted(listed, key=lambda v: -int(v.version))
                ]
            return found

    def history(self, name: str) -> list[Registered]:
        """Every version of a name, newest first."""
        return [found for found in self.versions() if found.name == name]

    def duplicates(self, version: Registered) -> list[Registered]:
        """Other versions with the bytes of this one, newest first."""
        return [
            found
            for found in self.history(version.name)
            if found.sha256 == version.sha256 and found.version != version.version
        ]

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
        return self.version(name, str(self._held(name, CHAMPION).version))

    def load(self, name: str, alias: str = CHAMPION) -> LearnedModel:
        """Verified model behind an alias."""
        return self.load_version(name, str(self._held(name, alias).version))

    def load_version(self, name: str, version: str) -> LearnedModel:
        """Verified model of a version."""
        with registry_errors(), tempfile.TemporaryDirectory() as folder:
            found = self.client.get_model_version(name, version)
            artefact = self._download(found, Path(folder))
            return load_artefact(artefact, name=name, version=str(found.version))

    def publish(self, name: str, alias: str = CHAMPION, *, serving: Path | None = None) -> Path:
        """Lay a version out for serving.

        Parameters
        ----------
        name, alias
            Which version.
        serving
            Folder of the bundles; the registry's own when None.

        Returns
        -------
        place
            ``serving/NAME``.
        """
        with registry_errors(), tempfile.TemporaryDirectory() as folder:
            return publish(self.bundle(name, alias, Path(folder)), serving or self.serving)

    def bundle(self, name: str, alias: str, folder: Path) -> Bundle:
        """What a serving process is given of the version behind an alias.

        Parameters
        ----------
        name, alias
            Which version; the alias is its role.
        folder
            Where its files are put.
        """
        with registry_errors():
            held = self._held(name, alias)
            found = self.version(name, str(held.version))
            card = card_folder(found.candidate)
            files = {
                JUDGEMENT: JUDGEMENT,
                CARD_MARKDOWN: f"{card}/{CARD_MARKDOWN}",
                CARD_HTML: f"{card}/{CARD_HTML}",
            }
            role = {
                "name": name,
                "version": found.version,
                "role": alias,
                "study_hash": found.study_hash,
                "cohort_kind": found.cohort_kind,
                "run_id": found.run_id,
            }
            return Bundle(
                artefact=self._download(held, folder),
                role=role,
                documents={
                    file: mlflow.artifacts.load_text(f"runs:/{found.run_id}/{path}")
                    for file, path in files.items()
                },
                history=[asdict(version) for version in self.history(name)],
            )

    @contextmanager
    def _run(self, trained: Trained) -> Iterator[None]:
        """Parent run of a training in the experiment of its study."""
        study = trained.study
        # Set, not only given to the parent: its children would go to the default experiment.
        mlflow.set_experiment(
            experiment_id=self.store.experiment(study.name, experiment_note(study))
        )
        cohort = trained.candidate.model.provenance["cohort"]
        gate = "passed" if trained.verdict.passed else "refused"
        with mlflow.start_run(
            # A list of runs shows how a name begins: first what tells trainings apart.
            run_name=f"{trained.chosen} {gate}, {cohort}, seed {trained.seed}",
            tags=self.store.owner(),
            description=run_note(trained),
        ):
            yield

    def _held_to_champion(self, trained: Trained, scanned: Check) -> Trained:
        """The training with the whole gate: the champion that answers now, and the scan."""
        name, checks = trained.study.registry_name, []
        if self._alias(name, CHAMPION) is not None:
            checks = champion_checks(
                trained.rows,
                trained.study,
                trained.results,
                trained.chosen,
                self.load(name),
                seed=trained.seed,
            )
        return replace(trained, verdict=trained.verdict.also(*checks, scanned))

    def _add(
        self,
        trained: Trained,
        final: Final,
        artefact: Path,
        documents: Documents,
        gate: str,
    ) -> str:
        name = trained.study.registry_name
        logged = log_model(trained, final, artefact)
        self._create(name, model_note(trained.study))
        provenance = final.model.provenance
        told = ("candidate", "learner", "study_hash", "cohort", "cohort_kind", "cohort_digest")
        version = self.client.create_model_version(
            name,
            source=logged.model_uri,
            run_id=logged.run_id,
            tags={"gate": gate}
            | {key: provenance[key] for key in told}
            | {
                "sha256": load_artefact(artefact).provenance["sha256"],
                "code": code_version(),
            },
            description=version_note(trained, final, gate),
            model_id=logged.model_id,
        )
        number = str(version.version)
        log_card(trained, final, documents, number, gate)
        return number

    def _create(self, name: str, description: str) -> None:
        try:
            self.client.create_registered_model(name, description=description)
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

    def _held(self, name: str, alias: str) -> ModelVersion:
        held = self._alias(name, alias)
        if held is None:
            raise RegistryError(f"{name}: has no {alias}; train it first")
        return held

    def _move(self, name: str, alias: str, version: str) -> None:
        settled(lambda: self.client.set_registered_model_alias(name, alias, version))

    def _download(self, version: ModelVersion, folder: Path) -> Path:
        source = f"models:/{version.name}/{version.version}"
        local = mlflow.artifacts.download_artifacts(artifact_uri=source, dst_path=str(folder))
        return Path(local) / "data" / "artefact"


def _would_unseat_real_data(held: ModelVersion | None, trained: Trained) -> bool:
    """Whether a demonstration would take the place of a model that learnt from people."""
    kind = trained.candidate.model.provenance["cohort_kind"]
    return held is not None and held.tags.get("cohort_kind") == "real" and kind != "real"
