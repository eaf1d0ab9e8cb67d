"""From an answer back to the rows: version, artefact, run, study, rows and code.

An answer names its model's version and the SHA-256 of its artefact's manifest; the audit log keeps
both. From there everything is found here, down to the digest of the rows the model learnt from.
"""

from dataclasses import asdict, dataclass

from features.errors import InputError
from training.registry import Registry
from training.runs import DIGEST_CHARACTERS
from training.store import registry_errors
from training.versions import Registered

__all__ = ["Lineage", "find_artefact", "lineage"]

LEAST_CHARACTERS = 8
"""Of a SHA-256 that is looked for; fewer could be of several artefacts."""


@dataclass(frozen=True, slots=True)
class Lineage:
    """Where a version comes from.

    Parameters
    ----------
    version
        As registered.
    unaltered
        Whether the stored artefact is the one whose SHA-256 was noted at its registration.
    cohort_digest
        SHA-256 of the training rows.
    logged
        Whether the run logged a dataset of this digest as its input.
    seed
        Of folds, learners and bootstrap.
    code
        Version of the software, with its commit.
    """

    version: Registered
    unaltered: bool
    cohort_digest: str
    logged: bool
    seed: str
    code: str

    def to_dict(self) -> dict[str, object]:
        """As plain values."""
        return asdict(self)

    def steps(self) -> list[tuple[str, str]]:
        """What and which, from the answer to the rows."""
        found = self.version
        return [
            ("model", f"{found.name}, version {found.version} ({', '.join(found.aliases) or '–'})"),
            ("artefact", f"{found.sha256} ({'unaltered' if self.unaltered else 'ALTERED'})"),
            ("learner", f"{found.learner}; gate: {found.gate}"),
            ("registered", found.created),
            ("run", found.run_id),
            ("code", self.code),
            ("study", found.study_hash),
            ("cohort", f"{found.cohort} ({found.cohort_kind}), seed {self.seed}"),
            ("rows", f"{self.cohort_digest}{'' if self.logged else ' (not logged as input)'}"),
        ]


def lineage(registry: Registry, name: str, version: str) -> Lineage:
    """Where a registered version comes from.

    Raises
    ------
    InputError
        If there is none of this name and number.
    """
    found = registry.version(name, version)
    model = registry.load_version(name, version)
    with registry_errors():
        run = registry.client.get_run(found.run_id)
    digest = str(run.data.params.get("cohort_digest", ""))
    given = [] if run.inputs is None else run.inputs.dataset_inputs
    inputs = {each.dataset.digest for each in given}
    return Lineage(
        version=found,
        unaltered=model.provenance["sha256"] == found.sha256,
        cohort_digest=digest,
        logged=digest[:DIGEST_CHARACTERS] in inputs,
        seed=str(run.data.params.get("seed", "")),
        code=run.data.tags.get("code", ""),
    )


def find_artefact(registry: Registry, sha256: str) -> list[Registered]:
    """Versions whose artefact has this SHA-256, or begins with it; the same seed gives the same.

    Raises
    ------
    InputError
        If there is none, or too little is given.
    """
    if len(sha256) < LEAST_CHARACTERS:
        raise InputError("sha256", f"expected at least {LEAST_CHARACTERS} characters")
    found = [each for each in registry.versions() if each.sha256.startswith(sha256.lower())]
    if not found:
        raise InputError("sha256", "no registered version has an artefact of this SHA-256")
    return found
