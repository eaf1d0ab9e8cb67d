"""The study design as data: read from TOML, typed, frozen, hashed.

The hash travels with every run, artefact and answer, so that a number can be traced to the question
it answers. How each line of a study file reads is told in docs/training.md.
"""

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from difflib import get_close_matches
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, with_config

from features.catalogue import FEATURES
from features.errors import DesignError, InputError
from models.catalogue import PUBLISHED
from training.search_space import Search, Space

__all__ = ["Folds", "Gate", "Rule", "Study", "read_study"]

EXACT = ConfigDict(extra="forbid", strict=True)
PositiveYears = Annotated[float, Field(gt=0, allow_inf_nan=False)]
LandmarkYears = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Threshold = Annotated[float, Field(gt=0, lt=1)]
Share = Annotated[float, Field(gt=0, lt=1)]
Auc = Annotated[float, Field(gt=0.5, lt=1)]
Sign = Literal[-1, 1]


@with_config(EXACT)
@dataclass(frozen=True, slots=True)
class Rule:
    """The published rule that a candidate must beat, on the features of this study.

    Parameters
    ----------
    model
        Identifier of the published model.
    features, cuts, strict
        Each feature, its cut, and whether the cut itself is still below.
    steps
        Number of features past their cut at which each higher group starts.
    """

    model: str
    features: tuple[str, ...]
    cuts: tuple[float, ...]
    strict: tuple[bool, ...]
    steps: tuple[int, ...]


@with_config(EXACT)
@dataclass(frozen=True, slots=True)
class Folds:
    """How candidates are compared, and which subjects are set aside to see how a model travels.

    Parameters
    ----------
    count, repeats
        Subject-grouped cross-validation: `count` folds, `repeats` times.
    latest_share
        Share of the subjects, those diagnosed last, that a temporal split holds out.
    least_centre_events
        Progressions by the decision horizon without which a centre is never held out alone.
    """

    count: Annotated[int, Field(ge=2)]
    repeats: Annotated[int, Field(ge=1)]
    latest_share: Share = 0.3
    least_centre_events: Annotated[int, Field(ge=1)] = 20


@with_config(EXACT)
@dataclass(frozen=True, slots=True)
class Gate:
    """Clinical limits a candidate must keep at the decision horizon to become champion.

    Parameters
    ----------
    thresholds
        Risks at which somebody would act.
    least_oe, most_oe
        Observed over expected.
    least_slope, most_slope
        Calibration slope on the log odds.
    least_ipa
        Scaled Brier score against the null model; must be exceeded.
    most_brier_loss, most_net_benefit_loss
        Non-inferiority margins against the best recalibrated published model and the champion.
    most_instability
        Average change of a person's risk between bootstrap refits, as a share of the average risk.
    subgroups
        Feature to the cuts between its subgroups; in each, as in each centre and in the latest
        diagnoses, observed over expected must not be surely outside its limits.
    least_part_events
        Progressions by the decision horizon without which a subgroup is not judged.
    replicates
        Draws of the bootstrap.
    """

    thresholds: tuple[Threshold, ...]
    least_oe: float
    most_oe: float
    least_slope: float
    most_slope: float
    least_ipa: float
    most_brier_loss: float
    most_net_benefit_loss: float
    most_instability: float = 0.25
    subgroups: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    least_part_events: Annotated[int, Field(ge=1)] = 20
    replicates: Annotated[int, Field(ge=100)] = 500


@with_config(EXACT)
@dataclass(frozen=True, slots=True)
class Study:
    """One question asked of a cohort.

    Parameters
    ----------
    name, registry_name, label
        Of the study, of the model it registers, and for people.
    population
        Whom the model is for.
    index
        Where landmarks and durations are counted from.
    outcome, competing
        What the risk is of, and what ends the question because the outcome can no longer follow.
    treatment
        What treatment begun before progression does: ``censoring`` asks for the risk without it and
        takes who is treated to be like who is not; ``competing`` asks for the risk of progression
        before any treatment.
    blanking_years
        Who progresses, dies, is treated or is lost within so long after a landmark has no row
        there, so that every row is of somebody known to be free of the outcome that much later.
        Horizons still count from the landmark.
    anticipated_auc
        Discrimination a model is expected to reach at the decision horizon, from the literature;
        with the observed risk it says how many parameters a cohort supports.
    horizons_years, decision_horizon_years
        Horizons of the risks, ascending; the one the gate looks at.
    lookback_years
        Window of changes and slopes.
    landmarks_years
        Years since the index at which everyone still at risk is predicted.
    necessary, expected, optional
        Features without which nothing is answered; without which an answer is partial; others.
    rule
        What must be beaten.
    monotone
        Feature to +1 (risk may only rise with it) or -1.
    folds, gate
        How candidates are compared, and the limits they must keep.
    search
        How they are tuned and refitted.
    """

    name: str
    registry_name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    label: str
    population: Literal["smm", "mgus"]
    index: Literal["diagnosis"]
    outcome: Literal["progression"]
    competing: Annotated[tuple[Literal["death"], ...], Field(min_length=1, max_length=1)]
    treatment: Literal["censoring", "competing"]
    blanking_years: LandmarkYears
    anticipated_auc: Auc
    horizons_years: tuple[PositiveYears, ...]
    decision_horizon_years: float
    lookback_years: PositiveYears
    landmarks_years: Annotated[tuple[LandmarkYears, ...], Field(min_length=1)]
    necessary: tuple[str, ...]
    expected: tuple[str, ...]
    optional: tuple[str, ...]
    rule: Rule
    monotone: Mapping[str, Sign]
    folds: Folds
    gate: Gate
    search: Search = field(default_factory=Search)

    @property
    def features(self) -> tuple[str, ...]:
        """Columns of the training table, in order."""
        return (*self.necessary, *self.expected, *self.optional)

    @property
    def decision(self) -> int:
        """Position of the decision horizon."""
        return self.horizons_years.index(self.decision_horizon_years)

    @property
    def hash(self) -> str:
        """SHA-256 of the design in canonical form."""
        text = json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


TABLES = {"": Study, "rule": Rule, "folds": Folds, "gate": Gate, "search": Search}
"""Tables of a study file, and what their keys are those of; any other one is a space's."""


def read_study(name: str) -> Study:
    """Study of a name that ships with Smoulder, or of a path to a TOML file.

    Raises
    ------
    InputError
        If there is no such study or the file is not a study.
    DesignError
        If the design contradicts itself.

    Examples
    --------
    >>> read_study("mgus").horizons_years
    (5.0, 10.0)
    """
    shipped = resources.files("training").joinpath("studies")
    if name.endswith(".toml"):
        source: Any = Path(name)
    else:
        source = shipped.joinpath(f"{name}.toml")
    if not source.is_file():
        names = sorted(p.name.removesuffix(".toml") for p in shipped.iterdir())
        raise InputError("study", f"expected one of {', '.join(names)}, or a path to a .toml file")
    try:
        table = tomllib.loads(source.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        told = str(error).splitlines()[0]
        raise InputError(source.name, f"is not TOML that can be read: {told}") from error
    try:
        # By way of JSON, where an array may fill a tuple and a whole number a float, but no text.
        study = TypeAdapter(Study).validate_json(json.dumps(table, default=str))
    except ValidationError as error:
        raise InputError(source.name, f"is not a study design: {_misread(error)}") from error
    _check(study)
    return study


def _misread(error: ValidationError) -> str:
    """The first fault: a key that nothing reads before one that is not there, which it may mean."""
    faults = error.errors(include_url=False)
    for fault in faults:
        *tables, key = map(str, fault["loc"])
        if fault["type"] == "unexpected_keyword_argument":
            names = [each.name for each in fields(TABLES.get(".".join(tables), Space))]
            alike = get_close_matches(key, names, n=1)
            hint = f"is {alike[0]!r} meant?" if alike else f"expected one of {', '.join(names)}"
            return f"{'.'.join((*tables, key))}: is no key of a study design; {hint}"
    first = faults[0]
    said = "is needed and missing" if first["type"] == "missing" else first["msg"]
    return f"{'.'.join(map(str, first['loc']))}: {said}"


def _check(study: Study) -> None:
    unknown = [name for name in (*study.features, *study.rule.features) if name not in FEATURES]
    if unknown:
        raise DesignError(f"study {study.name}: features not known: {', '.join(unknown)}")
    if list(study.horizons_years) != sorted(set(study.horizons_years)):
        raise DesignError(f"study {study.name}: horizons must ascend")
    if study.decision_horizon_years not in study.horizons_years:
        raise DesignError(f"study {study.name}: the decision horizon must be one of the horizons")
    if len(set(study.features)) != len(study.features):
        raise DesignError(f"study {study.name}: a feature is named twice")
    if study.rule.model not in PUBLISHED:
        raise DesignError(f"study {study.name}: rule {study.rule.model} is not a published model")
    if set(study.monotone) - set(study.features):
        raise DesignError(f"study {study.name}: monotone names a feature that it does not use")
    if list(study.landmarks_years) != sorted(set(study.landmarks_years)):
        raise DesignError(f"study {study.name}: landmarks must ascend")
    if study.horizons_years and study.blanking_years >= study.horizons_years[0]:
        raise DesignError(f"study {study.name}: blanking must end before the first horizon")
    if set(study.gate.subgroups) - set(study.features):
        raise DesignError(f"study {study.name}: a subgroup is of a feature that it does not use")
    _check_rule(study)


def _check_rule(study: Study) -> None:
    rule = study.rule
    if not set(rule.features) <= {*study.necessary, *study.expected}:
        raise DesignError(f"study {study.name}: the rule's features must be necessary or expected")
    if not len(rule.features) == len(rule.cuts) == len(rule.strict) > 0:
        raise DesignError(f"study {study.name}: the rule needs a cut and a strict for each feature")
    in_order = list(rule.steps) == sorted(set(rule.steps))
    if not rule.steps or not in_order or not 1 <= rule.steps[0] <= rule.steps[-1] <= len(rule.cuts):
        raise DesignError(
            f"study {study.name}: the rule's steps must ascend within 1-{len(rule.cuts)}"
        )
