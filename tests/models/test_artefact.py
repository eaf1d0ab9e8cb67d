"""The artefact: data only, the same bytes, verified before it is read."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.errors import ArtefactError
from models.artefact import SUMS, _digest, _load_pyfunc, identity, load_artefact, save_artefact
from models.learned import LearnedModel


@pytest.fixture
def artefact(model: LearnedModel, tmp_path: Path) -> Path:
    directory = tmp_path / "artefact"
    save_artefact(model, directory, boosters={"booster-2y.ubj": b"not read by us"})
    return directory


def _seal(directory: Path) -> None:
    """Hashes made anew, as somebody who tampers would."""
    files = sorted(p for p in directory.rglob("*") if p.is_file() and p.name != SUMS)
    lines = [f"{_digest(p)}  {p.relative_to(directory).as_posix()}\n" for p in files]
    (directory / SUMS).write_text("".join(lines))


def test_a_loaded_model_answers_as_the_saved_one(model: LearnedModel, artefact: Path) -> None:
    values = np.array([[2.5, 12.0, 0.1], [1.0, np.nan, np.nan]])
    loaded = load_artefact(artefact, name="other", version="3").estimate_matrix(values)
    saved = model.estimate_matrix(values)
    for name in ("risk", "lower", "upper", "status"):
        np.testing.assert_array_equal(getattr(loaded, name), getattr(saved, name))


def test_models_that_differ_in_their_arrays_alone_are_known_apart(artefact: Path) -> None:
    with np.load(artefact / "arrays.npz") as stored:
        arrays = dict(stored)
    known = load_artefact(artefact).provenance["sha256"]
    assert known == identity(artefact)
    # A refit moves the ends of the interval only, so the golden rows still come out.
    name = next(name for name in arrays if name.startswith("refits."))
    np.savez(artefact / "arrays.npz", allow_pickle=False, **arrays | {name: arrays[name] + 1e-6})
    _seal(artefact)
    assert load_artefact(artefact).provenance["sha256"] != known


def test_the_same_model_gives_the_same_bytes(model: LearnedModel, tmp_path: Path) -> None:
    for name in ("a", "b"):
        save_artefact(model, tmp_path / name)
    for path in sorted((tmp_path / "a").iterdir()):
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


def test_every_altered_byte_is_noticed_before_anything_is_read(artefact: Path) -> None:
    generator = np.random.default_rng(3)
    for path in sorted(p for p in artefact.iterdir()):
        content = path.read_bytes()
        for _ in range(20):
            at = int(generator.integers(len(content)))
            changed = bytes([content[at] ^ 1 << int(generator.integers(8))])
            path.write_bytes(content[:at] + changed + content[at + 1 :])
            with pytest.raises(ArtefactError):
                load_artefact(artefact)
        path.write_bytes(content)
    load_artefact(artefact)


@pytest.mark.parametrize("name", ["code.py", "arrays.pkl"])
def test_a_file_that_is_not_listed_is_refused(artefact: Path, name: str) -> None:
    (artefact / name).write_bytes(b"x")
    with pytest.raises(ArtefactError, match="do not agree"):
        load_artefact(artefact)


def test_a_missing_file_and_a_missing_list_are_refused(artefact: Path) -> None:
    (artefact / "golden.json").unlink()
    with pytest.raises(ArtefactError, match="do not agree"):
        load_artefact(artefact)
    (artefact / SUMS).unlink()
    with pytest.raises(ArtefactError, match="cannot be read"):
        load_artefact(artefact)


def test_golden_rows_that_do_not_come_out_are_refused(artefact: Path) -> None:
    golden = json.loads((artefact / "golden.json").read_text())
    golden["risk"][0][0] += 1e-6
    (artefact / "golden.json").write_text(json.dumps(golden))
    _seal(artefact)
    with pytest.raises(ArtefactError, match="golden rows"):
        load_artefact(artefact)


def test_a_pickle_inside_the_arrays_is_never_opened(artefact: Path, tmp_path: Path) -> None:
    mark = tmp_path / "ran"

    class Payload:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return Path.touch, (mark,)  # type: ignore[return-value]

    poisoned = np.array([Payload()], dtype=object)
    np.savez(artefact / "arrays.npz", allow_pickle=True, **{"learner.fill": poisoned})
    _seal(artefact)
    with pytest.raises(ArtefactError, match="not of the form"):
        load_artefact(artefact)
    assert not mark.exists()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("format", 99),
        ("learner", "code"),
        ("features", ["weight_kg", "hemoglobin_g_dl", "m_protein_slope_per_year"]),
        ("recalibration", "steep"),
        ("plausible", "wide"),
    ],
)
def test_a_manifest_of_another_form_is_refused(artefact: Path, key: str, value: object) -> None:
    manifest = json.loads((artefact / "manifest.json").read_text())
    manifest[key] = value
    (artefact / "manifest.json").write_text(json.dumps(manifest))
    _seal(artefact)
    with pytest.raises(ArtefactError):
        load_artefact(artefact)


def test_the_pyfunc_takes_columns_in_any_order_and_a_missing_one_as_unknown(
    model: LearnedModel, artefact: Path
) -> None:
    frame = pd.DataFrame({"hemoglobin_g_dl": [12], "m_protein_g_dl": [2.5]}, index=["x"])
    answer = _load_pyfunc(str(artefact)).predict(frame)
    expected = model.estimate_matrix(np.array([[2.5, 12.0, np.nan]]))
    assert list(answer.index) == ["x"]
    assert answer.loc["x", "risk_2y"] == expected.risk[0, 0]
    assert answer.loc["x", "risk_5y_upper"] == expected.upper[0, 1]
