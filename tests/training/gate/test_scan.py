"""The artefact scan finds patient rows, pickles and foreign files, and nothing where nothing is."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from features.errors import ArtefactError
from models.artefact import save_artefact
from models.learned import LearnedModel
from models.learners import LinearLearner
from models.refits import Refits
from training.candidates import CANDIDATES
from training.gate.scan import scan_artefact
from training.landmarks import TrainingSet
from training.study import Study


@pytest.fixture(scope="module")
def model(learned_model: LearnedModel, mgus_rows: TrainingSet, mgus: Study) -> LearnedModel:
    fit = CANDIDATES["logistic"].fit(mgus_rows, mgus, seed=1)
    return replace(
        learned_model,
        learner=fit.learner,
        refits=Refits.none(len(fit.features), 2),
        features=fit.features,
        necessary=mgus.necessary,
        expected=mgus.expected,
        plausible=np.nanquantile(mgus_rows.values, [0.05, 0.95], axis=0).T,
    )


Saved = Callable[..., Path]


@pytest.fixture
def saved(tmp_path: Path, model: LearnedModel) -> Saved:
    """Artefact of the model, with parts and manifest entries that a careless author adds."""

    def save(*, extra: dict[str, bytes] | None = None, **changes: object) -> Path:
        directory = tmp_path / "artefact"
        save_artefact(replace(model, **changes), directory, boosters=extra)  # type: ignore[arg-type]
        return directory

    return save


def _complete(rows: TrainingSet) -> np.ndarray:
    return rows.values[~np.isnan(rows.values).any(axis=1)]


def test_an_honest_artefact_has_no_findings(saved: Saved, mgus_rows: TrainingSet) -> None:
    check = scan_artefact(saved(), mgus_rows)
    assert (check.value, check.passed) == (0.0, True)


@pytest.mark.parametrize("kind", [np.float64, np.float32])
def test_one_patient_row_in_an_array_is_found(
    saved: Saved, model: LearnedModel, mgus_rows: TrainingSet, kind: type
) -> None:
    learner = model.learner
    assert isinstance(learner, LinearLearner)
    row = _complete(mgus_rows)[7].astype(kind).astype(np.float64)
    check = scan_artefact(saved(learner=replace(learner, centre=row)), mgus_rows)
    assert not check.passed
    assert check.reason == "arrays.npz:learner.centre holds a training row"


def test_one_patient_row_in_the_manifest_is_found(
    saved: Saved, model: LearnedModel, mgus_rows: TrainingSet
) -> None:
    example = {"example": [1, *_complete(mgus_rows)[3].tolist()]}
    check = scan_artefact(saved(provenance={**model.provenance, **example}), mgus_rows)
    assert check.reason == "manifest.json holds a training row"


def test_something_for_each_training_row_is_found(
    saved: Saved, model: LearnedModel, mgus_rows: TrainingSet
) -> None:
    risks = np.linspace(0, 1, len(mgus_rows.subject))
    directory = saved()
    with np.load(directory / "arrays.npz") as stored:
        arrays = dict(stored)
    np.savez(directory / "arrays.npz", **arrays, risks=risks)
    _hash_again(directory, "arrays.npz")
    check = scan_artefact(directory, mgus_rows)
    assert check.reason == "arrays.npz:risks has an entry for each training subject"
    # By its content a forest of so many trees is told from patients.
    np.savez(directory / "arrays.npz", **arrays, **{"0.leaf": np.ones((len(risks), 2))})
    _hash_again(directory, "arrays.npz")
    assert scan_artefact(directory, mgus_rows).passed


def test_a_list_for_each_subject_in_the_manifest_is_found(
    saved: Saved, model: LearnedModel, mgus_rows: TrainingSet
) -> None:
    ids = {"ids": [f"P{code}" for code in range(mgus_rows.subjects)]}
    check = scan_artefact(saved(provenance={**model.provenance, **ids}), mgus_rows)
    assert check.reason == "manifest.json: a list has an entry for each training subject"


def _hash_again(directory: Path, name: str) -> None:
    sums = directory / "SHA256SUMS"
    digest = hashlib.sha256((directory / name).read_bytes()).hexdigest()
    lines = [
        f"{digest}  {name}" if line.endswith(name) else line
        for line in sums.read_text().splitlines()
    ]
    sums.write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("model.pkl", b"x", "model.pkl is of no kind that belongs there"),
        ("booster.ubj", b"\x80\x04\x95", "booster.ubj is a pickle"),
    ],
)
def test_a_pickle_is_found_under_any_name(
    saved: Saved, mgus_rows: TrainingSet, name: str, content: bytes, told: str
) -> None:
    assert scan_artefact(saved(extra={name: content}), mgus_rows).reason == told


def test_golden_rows_that_do_not_come_out_are_no_artefact(
    saved: Saved, mgus_rows: TrainingSet
) -> None:
    directory = saved()
    golden = json.loads((directory / "golden.json").read_text())
    golden["risk"][0][0] += 0.01
    (directory / "golden.json").write_text(json.dumps(golden))
    _hash_again(directory, "golden.json")
    with pytest.raises(ArtefactError, match="golden rows"):
        scan_artefact(directory, mgus_rows)
