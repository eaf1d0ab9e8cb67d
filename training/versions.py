"""One registered version, as the registry tells it."""

from dataclasses import dataclass
from datetime import UTC, datetime

from mlflow.entities.model_registry import ModelVersion

__all__ = ["Registered", "registered"]


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
    candidate
        Identifier of the learner.
    sha256
        Of the artefact's list of hashes; every answer carries it.
    created
        Moment of its registration, ISO 8601 in UTC.
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
    candidate: str
    sha256: str
    created: str


def registered(version: ModelVersion, aliases: tuple[str, ...]) -> Registered:
    """What MLflow keeps of a version, as ours."""
    tags = version.tags
    created = datetime.fromtimestamp((version.creation_timestamp or 0) / 1000, UTC)
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
        candidate=tags.get("candidate", ""),
        sha256=tags.get("sha256", ""),
        created=created.isoformat(timespec="seconds"),
    )
