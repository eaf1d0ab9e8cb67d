"""A list as a file to take away: everybody the filters show, in the order shown."""

import csv
import io
from collections.abc import Callable, Mapping
from functools import cache

import numpy as np

from features.criteria import STAGES
from features.history import Floats, Ints
from models.risk import STATUSES as ANSWERS
from models.screening import HORIZON_YEARS
from serving.web.download import plain_cell
from serving.web.screening_choice import STATUSES, Shown
from serving.web.screening_list import codes, floats, risks, time_label
from serving.web.workbook import MEDIA_TYPE as WORKBOOK
from serving.web.workbook import workbook

__all__ = ["EXPORTS", "as_csv", "as_xlsx", "columns"]

Column = list[object]
DIGITS = 4


def columns(shown: Shown) -> dict[str, Column]:
    """Columns of the file, one row per subject shown."""
    found, at = shown.found, shown.subjects
    refused = [found.refusals.get(int(i), "") for i in at]
    trial, stage = shown.trial, codes(found.stage)[at]
    times = floats(found.time_years)[at]
    reasons = _texts(trial.reasons, codes(trial.reason)[at])
    told: dict[str, Column] = {
        "rank": shown.rank[at].tolist(),
        "subject_id": [found.subject_ids[i] for i in at],
        "date" if found.dated else "years": [
            time_label(float(time), dated=found.dated) for time in times
        ],
        "trial": [f"{trial.name} {trial.version}"] * at.size,
        "eligibility": _texts(STATUSES, shown.status[at]),
        "reason": [why or reason for why, reason in zip(refused, reasons, strict=True)],
        "to_check": _texts(trial.checks, codes(trial.reason)[at]),
        "stage": _texts(STAGES, stage),
        "stage_reason": _texts(found.stage_reasons, codes(found.stage_reason)[at]),
        "discordant": np.where(shown.parted[at], "yes", "").tolist(),
        "to_confirm": [found.doubts.get(int(i), "") for i in at],
    }
    for model in found.models:
        answer = codes(model.answer)[at]
        told |= {
            f"{model.name}.version": [model.version] * at.size,
            f"{model.name}.status": _texts(ANSWERS, codes(model.status)[at]),
            f"{model.name}.reason": _texts(model.reasons, answer),
            f"{model.name}.group": _texts(model.groups, answer),
        }
        if model.ranks:
            name = f"{model.name}.risk_{HORIZON_YEARS:g}y"
            told |= {
                name: _numbers(risks(model.risk)[at]),
                f"{name}_lower": _numbers(risks(model.lower)[at]),
                f"{name}_upper": _numbers(risks(model.upper)[at]),
            }
    return told


def _texts(words: tuple[str, ...], which: Ints) -> Column:
    """Words by code; empty for -1."""
    known = (*words, "")
    return [known[code] for code in which.tolist()]


def _numbers(values: Floats) -> Column:
    return [None if np.isnan(value) else value for value in np.round(values, DIGITS).tolist()]


def as_csv(shown: Shown) -> bytes:
    """CSV in UTF-8 with its mark, without which spreadsheets read Latin letters wrongly."""
    told = columns(shown)
    sink = io.StringIO(newline="")
    table = csv.writer(sink)
    table.writerow([plain_cell(name) for name in told])
    # Few texts differ, so each is looked at once.
    plain = cache(plain_cell)
    safe = ([plain(cell) for cell in column] for column in told.values())
    table.writerows(zip(*safe, strict=True))
    return sink.getvalue().encode("utf-8-sig")


def as_xlsx(shown: Shown) -> bytes:
    """Workbook with texts as texts."""
    told = columns(shown)
    return workbook(list(told), zip(*told.values(), strict=True))


EXPORTS: Mapping[str, tuple[Callable[[Shown], bytes], str]] = {
    "csv": (as_csv, "text/csv; charset=utf-8"),
    "xlsx": (as_xlsx, WORKBOOK),
}
"""Kinds of file: how a list is written, and its media type."""
