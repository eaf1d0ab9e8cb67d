"""The artefact of a learned model: data only, verified before anything reads it.

::

    manifest.json      what the model is: inputs, ranges, horizons, recalibration, provenance
    arrays.npz         the learner and its bootstrap refits
    booster-5y.ubj     XGBoost's own form of a forest, for those who want to look into it
    golden.json        feature rows and the risks they must give
    SHA256SUMS         of every other file
    SHA256SUMS.sig     whose key signed that list, where versions are signed; see `models.signature`

No pickle, no code, no patient row: golden rows are quantile profiles, not people. Hashes are
checked before a byte is interpreted, because a corrupt file could crash the process that parses it;
golden rows after. `_load_pyfunc` is MLflow's loader-module hook.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from features.catalogue import FEATURES
from features.errors import ArtefactError
from models.learned import LearnedModel
from models.refits import Refits
from models.stored import arrays_of, kind_of, learner_from

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "FORMAT",
    "SIGNATURE",
    "SUMS",
    "PyfuncModel",
    "identity",
    "load_artefact",
    "save_artefact",
    "verify",
]

FORMAT = 4
GOLDEN_TOLERANCE = 1e-9
SUMS, SIGNATURE = "SHA256SUMS", "SHA256SUMS.sig"
MOST_BYTES = 64 * 1024 * 1024
"""Largest file an artefact may hold; a real one is far below a tenth of it."""


def save_artefact(
    model: LearnedModel, directory: Path, *, boosters: Mapping[str, bytes] | None = None
) -> None:
    """Write a model into a new directory; the same model gives the same bytes.

    Parameters
    ----------
    model
        To be saved; its provenance must be JSON.
    directory
        Must not exist.
    boosters
        File name to XGBoost's UBJSON.
    """
    directory.mkdir(parents=True)
    parts = {"learner": arrays_of(model.learner), "refits": asdict(model.refits)}
    arrays = {
        f"{name}.{part}": array for name, given in parts.items() for part, array in given.items()
    }
    np.savez(directory / "arrays.npz", allow_pickle=False, **arrays)
    for name, booster in (boosters or {}).items():
        (directory / name).write_bytes(booster)
    _write_json(directory / "manifest.json", _manifest(model))
    _write_json(directory / "golden.json", _golden(model))
    files = sorted(path for path in directory.rglob("*") if path.is_file())
    lines = [f"{_digest(path)}  {path.relative_to(directory).as_posix()}\n" for path in files]
    (directory / SUMS).write_text("".join(lines), encoding="utf-8")


def verify(directory: Path) -> dict[str, str]:
    """SHA-256 of every file of an artefact, after checking that it is whole and unaltered.

    Raises
    ------
    ArtefactError
        If a file is missing, added, altered, too large or not a plain file.
    """
    try:
        lines = (directory / SUMS).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ArtefactError(f"artefact: {SUMS} cannot be read") from error
    listed = {}
    for line in lines:
        digest, _, name = line.partition("  ")
        listed[name] = digest
    found = {p.relative_to(directory).as_posix(): p for p in directory.rglob("*") if not p.is_dir()}
    for of_the_list in (SUMS, SIGNATURE):
        found.pop(of_the_list, None)
    if set(found) != set(listed):
        odd = ", ".join(sorted(set(found) ^ set(listed)))[:200]
        raise ArtefactError(f"artefact: files and {SUMS} do not agree: {odd}")
    for name, path in found.items():
        # A pipe or a device would hold the reader for ever.
        if path.is_symlink() or not path.is_file() or path.stat().st_size > MOST_BYTES:
            raise ArtefactError(f"artefact: {name} is not a plain file of the size expected")
        if _digest(path) != listed[name]:
            raise ArtefactError(f"artefact: {name} was altered or is corrupt (SHA-256 differs)")
    return listed


def identity(directory: Path) -> str:
    """SHA-256 by which a verified artefact is known: of its list of hashes, so of every byte."""
    return _digest(directory / SUMS)


def load_artefact(
    directory: Path, *, name: str | None = None, version: str = "unregistered"
) -> LearnedModel:
    """Model of a verified artefact that reproduces its golden rows.

    Parameters
    ----------
    directory
        Written by `save_artefact`.
    name, version
        Of the registry; the manifest's name when omitted.

    Raises
    ------
    ArtefactError
        If the artefact is not whole, not of this format, or its golden rows do not come out.
    """
    verify(directory)
    try:
        manifest = json.loads((directory / "manifest.json").read_text(encoding="utf-8"))
        if manifest["format"] != FORMAT:
            found = str(manifest["format"])[:20]
            raise ArtefactError(f"artefact: format {found} is not {FORMAT}; train the model again")
        unknown = set(manifest["features"]) - set(FEATURES)
        if unknown:
            raise ArtefactError(f"artefact: features not known here: {', '.join(sorted(unknown))}")
        model = _model(manifest, directory, name, version, identity(directory))
        golden = json.loads((directory / "golden.json").read_text(encoding="utf-8"))
        _check_golden(model, golden)
    except (KeyError, TypeError, ValueError, IndexError, OSError) as error:
        raise ArtefactError("artefact: a file is not of the form expected") from error
    return model


def _check_golden(model: LearnedModel, golden: dict[str, Any]) -> None:
    values = np.array(golden["values"], dtype=np.float64)
    expected = np.array(golden["risk"], dtype=np.float64)
    got = model.estimate_matrix(values).risk
    same = np.isclose(got, expected, rtol=0.0, atol=GOLDEN_TOLERANCE, equal_nan=True)
    if got.shape != expected.shape or not same.all():
        raise ArtefactError("artefact: the golden rows do not give their risks")
    # Makes the tables behind the contributions, so that no request waits for them.
    model.contributions(values)


def _manifest(model: LearnedModel) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "name": model.name,
        "label": model.label,
        "citation": model.citation,
        "population": model.population,
        "horizons_years": list(model.horizons_years),
        "decision_horizon_years": model.decision_horizon_years,
        "features": list(model.features),
        "necessary": list(model.necessary),
        "expected": list(model.expected),
        "plausible": model.plausible.tolist(),
        "lookback_years": model.lookback_years,
        "learner": kind_of(model.learner),
        "refits": len(model.refits),
        "recalibration": model.recalibration.tolist(),
        "provenance": dict(model.provenance),
    }


def _model(
    manifest: dict[str, Any],
    directory: Path,
    name: str | None,
    version: str,
    sha256: str,
) -> LearnedModel:
    kind = manifest["learner"]
    with np.load(directory / "arrays.npz", allow_pickle=False) as stored:
        arrays = dict(stored)
    learner = learner_from(kind, _named(arrays, "learner"))
    return LearnedModel(
        name=name or manifest["name"],
        version=version,
        label=manifest["label"],
        citation=manifest["citation"],
        population=manifest["population"],
        horizons_years=tuple(manifest["horizons_years"]),
        decision_horizon_years=manifest["decision_horizon_years"],
        learner=learner,
        recalibration=np.array(manifest["recalibration"], dtype=np.float64),
        refits=Refits(**_named(arrays, "refits")),
        features=tuple(manifest["features"]),
        necessary=tuple(manifest["necessary"]),
        expected=tuple(manifest["expected"]),
        plausible=np.array(manifest["plausible"], dtype=np.float64),
        lookback_years=manifest["lookback_years"],
        provenance=manifest["provenance"] | {"sha256": sha256},
    )


def _golden(model: LearnedModel) -> dict[str, Any]:
    """Profiles between the plausible ends, one complete and one lacking what may be missing."""
    low, high = model.plausible.T
    share = np.linspace(0.0, 1.0, 9)[:, None]
    values = low + share * (high - low)
    lacking = values[[4]].copy()
    lacking[:, [name not in model.necessary for name in model.features]] = np.nan
    values = np.vstack([values, lacking])
    risk = model.estimate_matrix(values).risk
    return {
        "values": [[None if np.isnan(v) else v for v in row] for row in values.tolist()],
        "risk": [[None if np.isnan(r) else r for r in row] for row in risk.tolist()],
    }


def _named(arrays: dict[str, Any], name: str) -> dict[str, Any]:
    """Arrays of one part, by the names it gave them."""
    start = f"{name}."
    return {key.removeprefix(start): a for key, a in arrays.items() if key.startswith(start)}


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _write_json(path: Path, content: dict[str, Any]) -> None:
    text = json.dumps(content, indent=1, sort_keys=True, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")


class PyfuncModel:
    """What `mlflow.pyfunc.load_model` gives: features in, risks per horizon out."""

    def __init__(self, model: LearnedModel) -> None:
        self.model = model

    def predict(self, model_input: "pd.DataFrame", params: object = None) -> "pd.DataFrame":  # noqa: ARG002
        """Risks of progression, one row per input row.

        Parameters
        ----------
        model_input
            Columns of `LearnedModel.features` in any order; a missing column counts as unknown.
        params
            Not used.

        Returns
        -------
        frame
            ``risk_5y``, ``risk_5y_lower``, ``risk_5y_upper`` and so on for every horizon.
        """
        import pandas as pd

        frame = model_input.reindex(columns=list(self.model.features))
        estimates = self.model.estimate_matrix(frame.to_numpy(dtype=np.float64))
        columns = {}
        for j, horizon in enumerate(self.model.horizons_years):
            columns[f"risk_{horizon:g}y"] = estimates.risk[:, j]
            columns[f"risk_{horizon:g}y_lower"] = estimates.lower[:, j]
            columns[f"risk_{horizon:g}y_upper"] = estimates.upper[:, j]
        return pd.DataFrame(columns, index=model_input.index)


def _load_pyfunc(path: str) -> PyfuncModel:
    """MLflow's loader-module hook."""
    return PyfuncModel(load_artefact(Path(path)))
