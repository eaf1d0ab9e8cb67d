"""What a registry laid out beside a learned model: its history, its judgement and its card.

They are read when a page asks for them. One that is not there or cannot be read is left out: a page
never fails for it, and nothing of it is trusted to be markup.
"""

from pathlib import Path
from typing import TypeVar

import msgspec

__all__ = ["Bundle", "Curves", "Figure", "Measured", "Row", "Version", "read_bundle"]

MOST_BYTES = 20_000_000
Read = TypeVar("Read")


class Measured(msgspec.Struct):
    """A value with its 95 % interval."""

    value: float | None = None
    lower: float | None = None
    upper: float | None = None


class Group(msgspec.Struct):
    """A tenth of the subjects by predicted risk."""

    subjects: int
    events: int
    predicted: float | None
    observed: Measured


class Calibration(msgspec.Struct):
    """Observed against predicted risk, smooth, with its band."""

    predicted: list[float | None]
    observed: list[float | None]
    lower: list[float | None]
    upper: list[float | None]


class Decision(msgspec.Struct):
    """Net benefit by threshold, of the model and of treating everybody."""

    thresholds: list[float]
    model: list[Measured]
    treat_all: list[Measured]


class Curves(msgspec.Struct):
    """Figures of one model at one horizon."""

    model: str
    horizon_years: float
    calibration: Calibration
    decision: Decision
    groups: list[Group] = []


class Row(msgspec.Struct):
    """Measures of one model at one horizon."""

    model: str
    horizon_years: float
    n: int
    events: int
    observed: float | None = None
    observed_lower: float | None = None
    observed_upper: float | None = None
    predicted: float | None = None
    auc: float | None = None
    auc_lower: float | None = None
    auc_upper: float | None = None
    oe: float | None = None
    oe_lower: float | None = None
    oe_upper: float | None = None
    calibration_slope: float | None = None
    calibration_slope_lower: float | None = None
    calibration_slope_upper: float | None = None
    ipa: float | None = None
    ipa_lower: float | None = None
    ipa_upper: float | None = None


class Figure(msgspec.Struct):
    """All figures of a judgement."""

    curves: list[Curves] = []


class Judgement(msgspec.Struct):
    """What was measured out of fold."""

    rows: list[Row] = []
    figures: Figure = msgspec.field(default_factory=Figure)


class Version(msgspec.Struct):
    """One registered version."""

    version: str
    learner: str = ""
    candidate: str = ""
    aliases: list[str] = []
    cohort: str = ""
    cohort_kind: str = ""
    gate: str = ""
    created: str = ""
    study_hash: str = ""
    run_id: str = ""


class Bundle(msgspec.Struct):
    """Everything a registry said of one model; empty where it said nothing.

    Parameters
    ----------
    card
        Markdown, as training wrote it.
    """

    history: list[Version]
    judgement: Judgement
    card: str

    def candidate(self, version: str) -> str:
        """Name under which a version was judged."""
        return next((v.candidate for v in self.history if v.version == version), "")


def read_bundle(directory: Path) -> Bundle:
    """What stands beside the artefact of a publish directory."""
    return Bundle(
        history=_decoded(directory / "history.json", list[Version]) or [],
        judgement=_decoded(directory / "judgement.json", Judgement) or Judgement(),
        card=_text(directory / "card.md"),
    )


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes() if path.stat().st_size <= MOST_BYTES else b""
    except OSError:
        return b""


def _text(path: Path) -> str:
    return _bytes(path).decode("utf-8", errors="replace")


def _decoded(path: Path, kind: type[Read]) -> Read | None:
    try:
        return msgspec.json.decode(_bytes(path), type=kind)
    except msgspec.DecodeError:
        return None
