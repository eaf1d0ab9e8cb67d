"""The answer at a glance, and where its models agree and part."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from features.criteria import CRITERIA
from models.completions import NextTest
from serving.values import Json
from serving.web.labels import models_label, test_label
from serving.web.messages import said
from serving.web.numbers import percent, span, within_label
from serving.web.texts import Texts

__all__ = ["Summary", "agreement_lines", "summary"]

SMOULDERING = ("MGUS", "SMM")
"""Stages that hold only as long as there is no myeloma-defining event."""

IMAGING = ("mri_lesions", "bone_lesions")
"""Criteria that only imaging answers; met, the disease is no longer smouldering."""


@dataclass(frozen=True, slots=True)
class Summary:
    """The answer in three short statements: what it is, how risky, what to order next.

    Parameters
    ----------
    open_stage
        What the staging still needs, where it is undetermined.
    unseen
        What nobody has looked at that could still end smouldering.
    risk
        Lowest to highest of all models at the horizon most of them give.
    verdict
        Whether they agree.
    """

    open_stage: str
    unseen: str
    risk_heading: str
    risk: str
    verdict: str
    next_test: str
    next_why: str


def summary(document: Json, found: Sequence[NextTest], t: Texts) -> Summary:
    """The answer at a glance."""
    needed = re.search(r"needs ([^;]+)", document["staging"]["reason"])
    is_open = document["staging"]["stage"] == "undetermined" and needed
    heading, risk, verdict = _overall(document, t)
    test, why = _next(document, found, t)
    return Summary(
        open_stage=said(f"needs {needed[1]}", t) if is_open and needed else "",
        unseen=_unseen(document["staging"], t),
        risk_heading=heading,
        risk=risk,
        verdict=verdict,
        next_test=test,
        next_why=why,
    )


def _unseen(staging: Json, t: Texts) -> str:
    """Tests behind the events nobody has looked for; empty where no diagnosis rests on them."""
    if staging["stage"] not in SMOULDERING:
        return ""
    events = [name for name in staging["unknown"] if CRITERIA[name].role in ("event", "to confirm")]
    return ", ".join([str(t["look"][name]) for name in events])


def _next(document: Json, found: Sequence[NextTest], t: Texts) -> tuple[str, str]:
    """What to order next and why: what narrows the models, else imaging nobody has looked at."""
    words: Mapping[str, str] = t["summary"]
    if found:
        models = models_label(found[0].models, t)
        return test_label(found[0].test, t), words["test_why"].format(models=models)
    unseen = [name for name in document["staging"]["unknown"] if name in IMAGING]
    if unseen and document["staging"]["stage"] in SMOULDERING:
        criteria = ", ".join(str(t["criterion"][name]) for name in unseen)
        return words["imaging"], words["imaging_why"].format(criteria=criteria)
    return words["no_test"], words["no_test_why"]


def _overall(document: Json, t: Texts) -> tuple[str, str, str]:
    """Horizon, range and verdict at the horizon most models give."""
    words: Mapping[str, str] = t["summary"]
    if not document["agreement"]:
        return t["answer"]["models"], "–", words["too_few"]
    row = max(document["agreement"], key=lambda each: len(each["voices"]))
    lowest, highest = _ends(row)
    verdict = words["agree" if row["agree"] else "part"].format(**_named(row, t))
    heading = words["risk"].format(within=within_label(row["horizon_years"], t))
    return heading, span(lowest["lower"], highest["upper"], t), verdict


def _ends(row: Json) -> tuple[Json, Json]:
    """Voices that say least and most."""
    voices = row["voices"]
    return voices[0], max(voices, key=lambda voice: float(voice["upper"]))


def _named(row: Json, t: Texts) -> dict[str, object]:
    """How many models speak at a horizon, and who says least and most."""
    lowest, highest = _ends(row)
    return {
        "models": len(row["voices"]),
        "lowest_model": models_label([lowest["model"]], t),
        "lowest": percent(lowest["lower"], t),
        "highest_model": models_label([highest["model"]], t),
        "highest": percent(highest["upper"], t),
    }


def _pairs(models: int) -> int:
    return models * (models - 1) // 2


def agreement_lines(told: Sequence[Json], t: Texts) -> list[str]:
    """Where models agree and part, one sentence per horizon."""
    return [_agreement_line(row, t) for row in told]


def _agreement_line(row: Json, t: Texts) -> str:
    words: Mapping[str, str] = t["agreement"]
    line = words["agree" if row["agree"] else "part"].format(
        within=within_label(row["horizon_years"], t),
        apart=len(row["apart"]),
        pairs=_pairs(len(row["voices"])),
        **_named(row, t),
    )
    return line[0].upper() + line[1:]
