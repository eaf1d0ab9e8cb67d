"""Bundles: whole or not there, the old one until the new one is complete."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from features.errors import ArtefactError
from models.artefact import save_artefact
from models.learned import LearnedModel
from serving.published import read_published
from training.bundles import Bundle, publish


@pytest.fixture
def bundle(tmp_path: Path, learned_model: LearnedModel) -> Bundle:
    save_artefact(learned_model, tmp_path / "artefact")
    role = {"name": learned_model.name, "version": "1", "role": "champion"}
    role |= {"study_hash": "a", "cohort_kind": "simulated", "run_id": "b"}
    documents = {"card.md": "# It\n", "card.html": "<p>It</p>", "judgement.json": "{}"}
    return Bundle(tmp_path / "artefact", role, documents, [{"version": "1"}])


def test_a_bundle_has_every_file_that_others_build_on(bundle: Bundle, tmp_path: Path) -> None:
    place = publish(bundle, tmp_path / "serving")
    assert {path.name for path in place.iterdir()} == {
        *("role.json", "artefact", "card.md", "card.html", "judgement.json", "history.json")
    }
    assert json.loads((place / "history.json").read_text()) == [{"version": "1"}]
    assert read_published(place).card.role == "champion"


def test_a_new_version_takes_the_place_and_the_old_folder_goes(
    bundle: Bundle, tmp_path: Path
) -> None:
    publish(bundle, tmp_path / "serving")
    place = publish(
        replace(bundle, role={**bundle.role, "version": "2"}, documents={}), tmp_path / "serving"
    )
    assert read_published(place).model.version == "2"
    assert not (place / "card.md").exists()
    folders = [path for path in (tmp_path / "serving").iterdir() if not path.is_symlink()]
    assert folders == [place.resolve()]


def test_a_spoilt_artefact_leaves_the_old_bundle_and_nothing_behind(
    bundle: Bundle, tmp_path: Path
) -> None:
    place = publish(bundle, tmp_path / "serving")
    arrays = bundle.artefact / "arrays.npz"
    arrays.write_bytes(arrays.read_bytes() + b"x")
    with pytest.raises(ArtefactError, match=r"arrays\.npz was altered"):
        publish(bundle, tmp_path / "serving")
    assert read_published(place).model.version == "1"
    assert len(list((tmp_path / "serving").iterdir())) == 2


def test_documents_that_cannot_be_written_leave_the_old_bundle(
    bundle: Bundle, tmp_path: Path
) -> None:
    place = publish(bundle, tmp_path / "serving")
    with pytest.raises(FileNotFoundError):
        publish(replace(bundle, documents={"no/such/folder": ""}), tmp_path / "serving")
    assert (place / "card.md").read_text() == "# It\n"
    assert len(list((tmp_path / "serving").iterdir())) == 2
