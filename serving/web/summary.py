"""The answer at a glance, and where its models agree and part."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from features.criteria import CRITERIA, EVENT, STAGES
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
    if document["staging"]["stage"] == STAGES[EVENT]:
        return words["no_test"], words["event_why"]
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
    if document["staging"]["stage"] == STAGES[EVENT]:
        return t["answer"]["models"], "–", words["event"]
    if not document["agreement"]:
        return t["answer"]["models"], "–", words["too_few"]
    row = max(document["agreement"], key=lambda each: len(each["voices"]))
    lowest, highest = _ends(row)
    verdict = _said(words, row, t)
    heading = words["risk"].format(within=within_label(row["horizon_years"], t))
    return heading, span(lowest["lower"], highest["upper"], t), verdict


def _ends(row: Json) -> tuple[Json, Json]:
    """Voices that say least and most."""
    voices = row["voices"]
    return voices[0], max(voices, key=lambda voice: float(voice["upper"]))


def _together(row: Json) -> list[Json]:
    """The most models of which no two part; of equally many, those that lie closest."""
    parted = {frozenset(pair) for pair in row["apart"]}
    groups = [
        [
            other
            for other in row["voices"]
            # None of these ends below the voice, so that who agrees with it agrees with all.
            if other["upper"] >= voice["upper"]
            and frozenset((voice["model"], other["model"])) not in parted
        ]
        for voice in row["voices"]
    ]
    return max(groups, key=lambda group: (len(group), -_width(group)))


def _width(voices: Sequence[Json]) -> float:
    lower, upper = _range(voices)
    return upper - lower


def _range(voices: Sequence[Json]) -> tuple[float, float]:
    return min(voice["lower"] for voice in voices), max(voice["upper"] for voice in voices)


def _said(words: Mapping[str, str], row: Json, t: Texts, **more: str) -> str:
    """Which models agree at a horizon, and who says what beside them."""
    lowest, highest = _ends(row)
    together = _together(row)
    alone = len(together) == 1
    others = row["voices"] if alone else [v for v in row["voices"] if v not in together]
    key = "agree" if row["agree"] else "none" if alone else "part"
    return words[key].format(
        models=len(row["voices"]),
        agreeing=len(together),
        together=models_label([voice["model"] for voice in together], t),
        range=span(*_range(together), t),
        others=", ".join(f"{models_label([v['model']], t)} {_risk(v, t)}" for v in others),
        lowest_model=models_label([lowest["model"]], t),
        lowest=percent(lowest["lower"], t),
        highest_model=models_label([highest["model"]], t),
        highest=percent(highest["upper"], t),
        **more,
    )


def _risk(voice: Json, t: Texts) -> str:
    return span(voice["lower"], voice["upper"], t)


def agreement_lines(told: Sequence[Json], t: Texts) -> list[str]:
    """Which models agree and which part, a line per horizon."""
    return [_agreement_line(row, t) for row in told]


def _agreement_line(row: Json, t: Texts) -> str:
    line = _said(t["agreement"], row, t, within=within_label(row["horizon_years"], t))
    return line[0].upper() + line[1:]
