"""The documentation of the published models, written from the models themselves.

python -m models.pages           writes docs/models
python -m models.pages --check   fails when a page is not what the models say
"""

import argparse
import sys
from collections.abc import Iterator
from importlib import import_module
from inspect import getdoc
from pathlib import Path
from pkgutil import iter_modules

import numpy as np

import models.published
from features.derived import involved_ratio
from features.history import History
from features.landmark import LandmarkFeatures
from models.agreement import MARGIN, Agreement, agreement_at
from models.catalogue import DEFAULT, PUBLISHED
from models.published.pangea_smm import FEATURE_OF_TERM, PangeaSmm, PangeaVariant
from models.published.points import Band, Marker, PointScore
from models.risk import Estimates, RiskModel

__all__ = ["EXAMPLE", "main", "pages"]

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "models"

POPULATIONS = {"smm": "smouldering multiple myeloma", "mgus": "MGUS"}

EXAMPLE = {
    "m_protein": (1.6, 1.9),
    "kappa_flc": (64.0, 81.0),
    "lambda_flc": (8.0, 9.0),
    "bmpc": (45.0, np.nan),
    "hemoglobin": (12.9, 12.6),
    "creatinine": (0.9, 0.9),
    "albumin": (4.1, 4.0),
    "iga": (55.0, 50.0),
    "igm": (60.0, 58.0),
}
"""A made-up woman of 66 with IgG kappa SMM at two visits ten months apart: much marrow, little
serum protein. Scores that weigh the two differently part over her."""


def pages() -> dict[str, str]:
    """Text of every page by its file name."""
    texts = {f"{name}.md": _page(model) for name, model in PUBLISHED.items()}
    return {"README.md": _overview(), **texts}


def _page(model: RiskModel) -> str:
    parts = [
        f"# {model.label}\n",
        f"`{model.name}` · version {model.version} · for {POPULATIONS[model.population]}\n",
        f"{_explanation(model)}\n",
    ]
    if caution := getattr(model, "caution", ""):
        parts.append(f"**Caution:** {caution}.\n")
    if isinstance(model, PointScore):
        parts += [_markers(model.markers), _bands(model)]
    if isinstance(model, PangeaVariant):
        parts.append(_terms(model))
    if isinstance(model, PangeaSmm):
        names = " or ".join(f"[`{m.name}`]({m.name}.md)" for m in (model.marrow, model.no_marrow))
        parts.append(f"Answers with {names}, as bone-marrow plasma cells are known or not.\n")
    parts.append(f"**Source:** {model.citation}\n")
    return "\n".join(parts)


def _explanation(model: RiskModel) -> str:
    """Docstring of the module in which a model is defined, its first line left out."""
    for each in iter_modules(models.published.__path__):
        module = import_module(f"models.published.{each.name}")
        if any(value is model for value in vars(module).values()):
            return (getdoc(module) or "").partition("\n\n")[2].replace("``", "`")
    return ""


def _table(head: list[str], rows: Iterator[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _markers(markers: tuple[Marker, ...]) -> str:
    rows = (
        [marker.criterion, ", ".join(map(str, marker.points)), ", ".join(marker.inputs.values())]
        for marker in markers
    )
    return _table(["marker", "points", "inputs"], rows)


def _bands(model: PointScore) -> str:
    def risk(band: Band, horizon: float) -> str:
        if horizon not in band.risks:
            return "not published"
        interval = band.intervals.get(horizon)
        ends = "" if interval is None else f" ({interval[0]:.0%}–{interval[1]:.0%})"
        return f"{band.risks[horizon]:.1%}{ends}"

    head = ["group", "points", *(f"{t:g}-year risk" for t in model.horizons_years)]
    rows = (
        [
            band.group,
            f"{band.least}" if band.least == band.most else f"{band.least}–{band.most}",
            *(risk(band, t) for t in model.horizons_years),
        ]
        for band in model.bands
    )
    return _table(head, rows)


def _terms(model: PangeaVariant) -> str:
    terms = (
        [f"`{FEATURE_OF_TERM[term]}`", f"{coefficient:.6g}", f"{centre:.6g}"]
        for term, coefficient, centre in zip(
            model.terms, model.coefficients, model.centres, strict=True
        )
    )
    baseline = (
        [f"{t:g}", f"{survival:.6f}"]
        for t, survival in zip(model.horizons_years, model.baseline_survival, strict=True)
    )
    return (
        _table(["term", "coefficient", "centre"], terms)
        + "\n"
        + _table(["years", "baseline survival"], baseline)
    )


def _overview() -> str:
    estimates = {name: PUBLISHED[name].estimate(_example()) for name in DEFAULT}
    models_table = _table(
        ["model", "for", "horizons (years)", "source"],
        (
            [
                f"[`{name}`]({name}.md)",
                model.population.upper(),
                ", ".join(f"{t:g}" for t in model.horizons_years),
                model.citation,
            ]
            for name, model in PUBLISHED.items()
        ),
    )
    answers = _table(
        ["model", "group", "2-year risk", "5-year risk"],
        (
            [f"`{name}`", " or ".join(found.groups_at(0)) or "–", *_risks(found)]
            for name, found in estimates.items()
            if PUBLISHED[name].population == "smm"
        ),
    )
    smm = {n: found for n, found in estimates.items() if PUBLISHED[n].population == "smm"}
    return f"""# Published models

These pages are written from the models by `python -m models.pages`; do not edit them.

{models_table}
A missing marker never counts as zero: the answer is then the groups that remain and the range of
risks they carry. A group whose rate the source does not print is named without a rate.

## Who disagrees with whom

{" ".join(_EXAMPLE_TEXT.split())}

{answers}
{_disagreement(agreement_at(smm, 2.0))}"""


_EXAMPLE_TEXT = """One made-up woman of 66 with IgG kappa smouldering myeloma: plasma cells 45 %,
M-protein 1.9 g/dL (1.6 ten months before), kappa/lambda 9, haemoglobin 12.6 g/dL, albumin 4.0 g/dL,
IgA below normal, no FISH."""


def _risks(found: Estimates) -> Iterator[str]:
    for horizon in (2.0, 5.0):
        if horizon not in found.horizons_years:
            yield "–"
            continue
        j = found.horizons_years.index(horizon)
        risk, low, high = (float(v[0, j]) for v in (found.risk, found.lower, found.upper))
        if not np.isnan(risk):
            yield f"{risk:.1%}"
        else:
            yield "not published" if np.isnan(low) else f"{low:.1%} to {high:.1%}"


def _disagreement(found: Agreement) -> str:
    names = [voice.model for voice in found.voices]
    apart = {frozenset(pair) for pair in found.apart}

    def said(a: str, b: str) -> str:
        if a == b:
            return "–"
        return "part" if frozenset((a, b)) in apart else "agree"

    rows = ([f"`{a}`", *(said(a, b) for b in names)] for a in names)
    return (
        "Two models part where their two-year risks, or the ranges they leave open, lie "
        f"{MARGIN:.0%} or more apart.\n\n" + _table(["", *(f"`{name}`" for name in names)], rows)
    )


def _example() -> LandmarkFeatures:
    labs = {name: np.array(values) for name, values in EXAMPLE.items()}
    code = np.array([0], dtype=np.int8)
    labs["flc_ratio_kappa_lambda"] = labs["kappa_flc"] / labs["lambda_flc"]
    labs["flc_ratio_involved"] = involved_ratio(labs["flc_ratio_kappa_lambda"], code)
    labs["involved_flc"] = labs["kappa_flc"]
    history = History(
        subject_ids=("example",),
        subject=np.zeros(2, dtype=np.int64),
        time_years=np.array([0.0, 10 / 12]),
        labs=labs,
        age_years=np.array([65.2, 66.0]),
        sex=code,
        heavy_chain=code,
        light_chain=code,
        diagnosis_years=np.zeros(1),
    )
    return LandmarkFeatures(history, np.array([0]), np.array([10 / 12]))


def main(arguments: list[str] | None = None, *, folder: Path = FOLDER) -> int:
    """Write the pages, or with ``--check`` say which are out of date; the exit status."""
    parser = argparse.ArgumentParser(description="Write the pages of the published models.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail when outdated")
    check = parser.parse_args(arguments).check
    texts = pages()
    if not check:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8")
        return 0
    found = {file.name: file.read_text(encoding="utf-8") for file in folder.glob("*.md")}
    outdated = sorted(name for name in {*texts, *found} if texts.get(name) != found.get(name))
    for name in outdated:
        sys.stderr.write(
            f"docs/models/{name} is not what the models say: run python -m models.pages\n"
        )
    return 1 if outdated else 0


if __name__ == "__main__":
    sys.exit(main())
