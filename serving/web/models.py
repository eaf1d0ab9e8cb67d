"""The routes of the models pages: who answers, since when, and how good each of them is."""

import os
from typing import Any
from urllib.parse import quote, urlsplit

from starlette.requests import Request
from starlette.responses import Response

from models.catalogue import PUBLISHED
from serving.api import room_of
from serving.lineup import Lineup
from serving.problems import NOT_FOUND, ProblemError
from serving.values import Json
from serving.web.bundle import Bundle, Row, read_bundle
from serving.web.card import card_html
from serving.web.figures import Figures, figures
from serving.web.frame import language_of, render
from serving.web.messages import said
from serving.web.numbers import localised, years_label
from serving.web.texts import SIGN, Texts, texts

__all__ = ["MLFLOW_URL", "model_page", "models_page"]

RULE = "rule"
"""What a judgement calls the recalibrated published rule."""

MLFLOW_URL = "SMOULDER_MLFLOW_URL"
"""Environment variable with the address of an MLflow that people can open, for links to runs."""


async def models_page(request: Request) -> Response:
    """``GET /ui/models``: what answers now, and where it comes from."""
    lineup = room_of(request).lineup
    described = [lineup.describe(name) | {"name": name} for name in lineup.known]
    return render(
        request,
        "models.html",
        here="models",
        learned=[entry for entry in described if entry["kind"] == "learned"],
        published=[entry for entry in described if entry["kind"] == "published"],
        faults=lineup.faults,
    )


async def model_page(request: Request) -> Response:
    """``GET /ui/models/{name}``: one learned model, with its card, history and curves."""
    room = room_of(request)
    name = request.path_params["name"]
    if name not in room.lineup.learned:
        raise ProblemError(NOT_FOUND, "no such learned model")
    language = language_of(request)
    t = texts(language)
    bundle = read_bundle(room.models_dir / name)
    entry = room.lineup.describe(name) | {"name": name}
    candidate = bundle.candidate(entry["version"])
    return render(
        request,
        "model.html",
        here="models",
        model=entry,
        history=bundle.history,
        card=card_html(bundle.card, language),
        rows=_rows(bundle, candidate, t),
        figures=_figures(bundle, candidate, t),
        siblings=_siblings(room.lineup, name),
        mlflow=_mlflow(entry),
    )


def _siblings(lineup: Lineup, name: str) -> list[str]:
    """The champion of a challenger, and the other way round."""
    first = name.partition("@")[0]
    return [each for each in lineup.learned if each != name and each.partition("@")[0] == first]


def _mlflow(entry: Json) -> str:
    """Address of the version in MLflow; nothing where none is configured."""
    base = os.environ.get(MLFLOW_URL, "").rstrip("/")
    if urlsplit(base).scheme not in ("http", "https"):
        return ""
    name, version = quote(entry["model"].partition("@")[0]), quote(entry["version"])
    return f"{base}/#/models/{name}/versions/{version}"


def _rows(bundle: Bundle, candidate: str, t: Texts) -> list[dict[str, str]]:
    """Measures of this version beside the rule and published scores, the horizons in order."""
    compared = {candidate, RULE, *PUBLISHED}
    judged = [row for row in bundle.judgement.rows if row.model in compared]
    known = {each.candidate: said(each.learner, t) for each in bundle.history}
    known |= {name: str(label) for name, label in t["model"].items()}
    return [
        _row(row, known.get(row.model, row.model), t) | {"this": row.model == candidate}
        for row in sorted(judged, key=lambda row: row.horizon_years)
    ]


def _row(row: Row, label: str, t: Texts) -> dict[str, Any]:
    return {
        "model": label,
        "horizon": years_label(row.horizon_years, t),
        "observed": _measured(row, "observed", t, share=True),
        "auc": _measured(row, "auc", t),
        "oe": _measured(row, "oe", t),
        "slope": _measured(row, "calibration_slope", t),
        "ipa": _measured(row, "ipa", t, share=True),
        "counts": f"{row.events} / {row.n}",
    }


def _measured(row: Row, name: str, t: Texts, *, share: bool = False) -> tuple[str, str]:
    """A measure and its interval."""

    def shown(value: float | None) -> str:
        if value is None:
            return "–"
        return localised(f"{100 * value:.1f}" if share else f"{value:.2f}", t)

    unit = SIGN if share else ""
    lower, upper = getattr(row, f"{name}_lower"), getattr(row, f"{name}_upper")
    between = "" if lower is None or upper is None else f"({shown(lower)}–{shown(upper)}{unit})"
    return shown(getattr(row, name)) + unit, between


def _figures(bundle: Bundle, candidate: str, t: Texts) -> list[Figures]:
    """Calibration and decision curves of this version, the horizons in order."""
    own = [curves for curves in bundle.judgement.figures.curves if curves.model == candidate]
    return [figures(curves, t) for curves in sorted(own, key=lambda each: each.horizon_years)]
