"""From a decoded JSON document to one subject's request, with every problem it has.

Nothing is coerced: ``"1.5"`` and ``true`` are not numbers. A wrong shape is malformed; a shape that
is right with content that cannot be – an unknown unit, a day that does not exist – is understood
and impossible. Reading goes on after a problem so that a caller learns all of them at once.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated

import msgspec
from msgspec import Meta

from features.analytes import ANALYTES
from features.errors import FieldProblem, UnitError
from features.history import FEMALE, HEAVY_CHAINS, KAPPA, LAMBDA, MALE, UNKNOWN
from features.units import factor_to_canonical, spelled_unit
from serving.limits import MOST_SUBJECTS, MOST_VISITS

__all__ = [
    "EARLIEST_BIRTH_YEAR",
    "EPOCH",
    "LIGHT_CHAINS",
    "SEXES",
    "BatchRequest",
    "Given",
    "GivenValue",
    "GivenVisit",
    "Options",
    "RiskRequest",
    "read_batch",
    "read_risk",
]

SEXES = {"female": FEMALE, "male": MALE, "unknown": UNKNOWN}
HEAVY = {name: code for code, name in enumerate(HEAVY_CHAINS)}
LIGHT_CHAINS = {"kappa": KAPPA, "lambda": LAMBDA}
EARLIEST_YEAR = 1900
EARLIEST_BIRTH_YEAR = 1850
EPOCH = date(1970, 1, 1).toordinal()
ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
MOST_ID_CHARACTERS = 200

SPELLED = frozenset((name, unit) for name, found in ANALYTES.items() for unit in found.units)
"""Analytes and their units as the catalogue spells them."""

SUBJECT_FIELDS = ("id", "sex", "age", "birth_year", "heavy_chain", "light_chain", "diagnosis_date")
RISK_FIELDS = ("subject", "visits", "as_of")
OPTION_FIELDS = ("models", "intervals", "contributions")


MOST = 1e300
"""Numbers from here on are not taken for finite ones: they may not be, once converted."""


class GivenValue(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """One laboratory value as the caller gave it, in a unit its analyte is measured in."""

    value: Annotated[float, Meta(gt=-MOST, lt=MOST)]
    unit: str


Given = tuple[str, GivenValue]
"""An analyte and its value."""


class GivenVisit(msgspec.Struct, frozen=True):
    """One visit.

    Parameters
    ----------
    place
        Position in the caller's list.
    day
        Days since 1970-01-01.
    values
        Analytes and their values of that day.
    """

    place: int
    day: int
    values: tuple[Given, ...]


class RiskRequest(msgspec.Struct, frozen=True):
    """One subject: who, what was measured when, and at which day the risk is asked.

    Parameters
    ----------
    id
        The caller's own name for the subject, repeated in a batch answer.
    sex, heavy_chain, light_chain
        Codes of `features.history`.
    age, birth_year
        Age in years at `as_of_day`, or the year of birth; NaN where not given.
    diagnosis_day, as_of_day
        Days since 1970-01-01; None where not given.
    visits
        Those whose day could be read.
    problems
        What is wrong with the request, by JSON path.
    malformed
        Whether one of the problems is a wrong shape.
    """

    id: str | None = None
    sex: int = UNKNOWN
    age: float = math.nan
    birth_year: float = math.nan
    heavy_chain: int = UNKNOWN
    light_chain: int = UNKNOWN
    diagnosis_day: int | None = None
    as_of_day: int | None = None
    visits: tuple[GivenVisit, ...] = ()
    problems: tuple[FieldProblem, ...] = ()
    malformed: bool = False


class Options(msgspec.Struct, frozen=True):
    """What is asked about every subject of a request.

    Parameters
    ----------
    models
        Identifiers; None for the default ones.
    intervals
        Whether risks carry their interval.
    contributions
        Whether learned models say what each feature adds.
    """

    models: tuple[str, ...] | None = None
    intervals: bool = True
    contributions: bool = True
    problems: tuple[FieldProblem, ...] = ()
    malformed: bool = False


USUAL = Options()
"""What is asked unless a request says otherwise."""


@dataclass(frozen=True, slots=True)
class BatchRequest:
    """Many subjects, each read on its own."""

    subjects: tuple[RiskRequest, ...]
    options: Options


@dataclass(slots=True)
class _Reading:
    """Problems met so far."""

    problems: list[FieldProblem] = field(default_factory=list)
    malformed: bool = False

    def wrong_shape(self, path: str, expected: str) -> None:
        self.malformed = True
        self.impossible(path, expected)

    def impossible(self, path: str, expected: str) -> None:
        self.problems.append(FieldProblem(path, expected))

    def mapping(
        self, value: object, path: str, known: Sequence[str], required: Sequence[str] = ()
    ) -> Mapping[str, object]:
        if not isinstance(value, dict):
            self.wrong_shape(path or "body", "must be an object")
            return {}
        for key in value:
            if key not in known:
                here = f"{path}.{key[:60]}" if path else key[:60]
                self.wrong_shape(here, f"is not a field here; expected one of {', '.join(known)}")
        for key in required:
            if key not in value:
                self.wrong_shape(f"{path}.{key}" if path else key, "is required")
        return value

    def sequence(self, value: object, path: str, most: int) -> Sequence[object]:
        if not isinstance(value, list):
            self.wrong_shape(path, "must be an array")
            return []
        if len(value) > most:
            self.impossible(path, f"may hold at most {most}")
            return []
        return value

    def text(self, value: object, path: str) -> str | None:
        if isinstance(value, str):
            return value
        self.wrong_shape(path, "must be a string")
        return None

    def number(self, value: object, path: str) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.wrong_shape(path, "must be a number; leave out what was not measured")
            return math.nan
        if not -MOST < value < MOST:
            self.impossible(path, "must be a finite number")
            return math.nan
        return float(value)

    def flag(self, content: Mapping[str, object], name: str) -> bool:
        """Whether something is wanted; it is unless the caller says no."""
        wanted = content.get(name, True)
        if not isinstance(wanted, bool):
            self.wrong_shape(name, "must be true or false")
        return wanted is not False

    def code(self, value: object, path: str, codes: Mapping[str, int]) -> int:
        text = self.text(value, path)
        if text is not None and text not in codes:
            self.impossible(path, f"must be one of {', '.join(codes)}")
        return codes.get(text or "", UNKNOWN)

    def day(self, value: object, path: str) -> int | None:
        text = self.text(value, path)
        if text is None:
            return None
        day = _day_of(text)
        if day is None:
            self.impossible(path, f"must be a day as YYYY-MM-DD, {EARLIEST_YEAR} or later")
        return day


def _day_of(text: str) -> int | None:
    """Days since 1970-01-01 of a day that visits can be of, spelled YYYY-MM-DD."""
    try:
        day = date.fromisoformat(text) if ISO_DAY.fullmatch(text) else None
    except ValueError:
        return None
    return None if day is None or day.year < EARLIEST_YEAR else day.toordinal() - EPOCH


def read_risk(document: object) -> tuple[RiskRequest, Options]:
    """One subject's request and its options, with all their problems.

    Examples
    --------
    >>> request, _ = read_risk({"subject": {"sex": "female", "age": 61}, "visits": [
    ...     {"date": "2026-03-01", "labs": {"m_protein": {"value": 24, "unit": "mg/l"}}}]})
    >>> request.problems[0].field
    'visits[0].labs.m_protein.unit'
    """
    reading = _Reading()
    known = (*RISK_FIELDS, *OPTION_FIELDS)
    content = reading.mapping(document, "", known, ("subject", "visits"))
    return _risk(content, reading), _options(content)


def read_batch(document: object) -> BatchRequest:
    """Requests of many subjects; a subject's problems are its own."""
    reading = _Reading()
    content = reading.mapping(document, "", ("subjects", *OPTION_FIELDS), ("subjects",))
    listed = reading.sequence(content.get("subjects", []), "subjects", MOST_SUBJECTS)
    if not listed and not reading.problems:
        reading.impossible("subjects", "must hold at least one subject")
    options = _options(content)
    found = Options(
        models=options.models,
        intervals=options.intervals,
        contributions=options.contributions,
        problems=(*reading.problems, *options.problems),
        malformed=reading.malformed or options.malformed,
    )
    return BatchRequest(tuple(_one_of_batch(item) for item in listed), found)


def _one_of_batch(document: object) -> RiskRequest:
    reading = _Reading()
    content = reading.mapping(document, "", RISK_FIELDS, ("subject", "visits"))
    return _risk(content, reading)


def _options(content: Mapping[str, object]) -> Options:
    if content.keys().isdisjoint(OPTION_FIELDS):
        return USUAL
    reading = _Reading()
    intervals = reading.flag(content, "intervals")
    contributions = reading.flag(content, "contributions")
    models = None
    if "models" in content:
        listed = reading.sequence(content["models"], "models", 50)
        named = [reading.text(name, f"models[{i}]") for i, name in enumerate(listed)]
        models = tuple(name for name in named if name is not None)
        if not models and not reading.problems:
            reading.impossible("models", "must name at least one model; leave it out for the usual")
    return Options(models, intervals, contributions, tuple(reading.problems), reading.malformed)


def _risk(content: Mapping[str, object], reading: _Reading) -> RiskRequest:
    subject: Mapping[str, object] = {}
    if "subject" in content:
        subject = reading.mapping(content["subject"], "subject", SUBJECT_FIELDS, ("sex",))
    visits = _visits(content.get("visits", []), reading)
    age, birth_year = _age(subject, "subject" in content, reading)
    return RiskRequest(
        id=_identifier(subject, reading),
        sex=_coded(subject, "sex", SEXES, reading),
        age=age,
        birth_year=birth_year,
        heavy_chain=_coded(subject, "heavy_chain", HEAVY, reading),
        light_chain=_coded(subject, "light_chain", LIGHT_CHAINS, reading),
        diagnosis_day=_day(subject, "diagnosis_date", "subject.diagnosis_date", reading),
        as_of_day=_day(content, "as_of", "as_of", reading),
        visits=visits,
        # Last, when everything was read.
        problems=tuple(reading.problems),
        malformed=reading.malformed,
    )


def _identifier(subject: Mapping[str, object], reading: _Reading) -> str | None:
    if "id" not in subject:
        return None
    text = reading.text(subject["id"], "subject.id")
    if text is not None and len(text) > MOST_ID_CHARACTERS:
        reading.impossible("subject.id", f"may have at most {MOST_ID_CHARACTERS} characters")
        return None
    return text


def _coded(
    subject: Mapping[str, object], name: str, codes: Mapping[str, int], reading: _Reading
) -> int:
    if name not in subject:
        return UNKNOWN
    return reading.code(subject[name], f"subject.{name}", codes)


def _day(content: Mapping[str, object], name: str, path: str, reading: _Reading) -> int | None:
    return reading.day(content[name], path) if name in content else None


def _age(subject: Mapping[str, object], given: bool, reading: _Reading) -> tuple[float, float]:
    age = birth_year = math.nan
    if "age" in subject:
        age = reading.number(subject["age"], "subject.age")
    if "birth_year" in subject:
        year = reading.number(subject["birth_year"], "subject.birth_year")
        if not math.isnan(year) and not (year >= EARLIEST_BIRTH_YEAR and year.is_integer()):
            reading.impossible("subject.birth_year", "must be a whole year, such as 1961")
        else:
            birth_year = year
    if given and ("age" in subject) == ("birth_year" in subject):
        expected = (
            "is required, or birth_year" if "age" not in subject else "or birth_year, not both"
        )
        reading.wrong_shape("subject.age", expected)
    return age, birth_year


def _visits(listed: object, reading: _Reading) -> tuple[GivenVisit, ...]:
    items = reading.sequence(listed, "visits", MOST_VISITS)
    plain = _plain_visits(items)
    return plain if plain is not None else tuple(_each_visit(items, reading))


class _PlainVisit(msgspec.Struct, forbid_unknown_fields=True):
    """A visit of the shape that most have."""

    date: str
    labs: dict[str, GivenValue]


class _PlainVisits(msgspec.Struct):
    listed: list[_PlainVisit]


def _plain_visits(items: Sequence[object]) -> tuple[GivenVisit, ...] | None:
    """Visits of which nothing need be said; None where there may be something to say.

    Their days are days, and they hold numbers in units as the catalogue spells them.
    """
    try:
        found = msgspec.convert({"listed": items}, _PlainVisits).listed
    except (msgspec.ValidationError, OverflowError):
        return None
    visits = []
    for place, visit in enumerate(found):
        day, values = _day_of(visit.date), visit.labs.items()
        if day is None or not SPELLED.issuperset([(name, given.unit) for name, given in values]):
            return None
        visits.append(GivenVisit(place, day, tuple(values)))
    return tuple(visits)


def _each_visit(items: Sequence[object], reading: _Reading) -> Iterator[GivenVisit]:
    """Visits whose day can be read, and what is to be said of any."""
    for place, item in enumerate(items):
        path = f"visits[{place}]"
        content = reading.mapping(item, path, ("date", "labs"), ("date", "labs"))
        day = _day(content, "date", f"{path}.date", reading)
        values = _values(content.get("labs", {}), f"{path}.labs", reading)
        if day is not None:
            yield GivenVisit(place, day, values)


def _values(labs: object, path: str, reading: _Reading) -> tuple[Given, ...]:
    if not isinstance(labs, dict):
        reading.wrong_shape(path, "must be an object")
        return ()
    found = [
        (name, _value(name, given, f"{path}.{name[:60]}", reading)) for name, given in labs.items()
    ]
    return tuple([(name, value) for name, value in found if value is not None])


def _value(analyte: str, given: object, path: str, reading: _Reading) -> GivenValue | None:
    """A value, if it can be understood."""
    if analyte not in ANALYTES:
        reading.impossible(path, f"is not in the catalogue: {', '.join(ANALYTES)}")
        return None
    content = reading.mapping(given, path, ("value", "unit"), ("value",))
    value = reading.number(content["value"], f"{path}.value") if "value" in content else math.nan
    unit = _unit(analyte, content, f"{path}.unit", reading)
    return None if unit is None or math.isnan(value) else GivenValue(value, unit)


def _unit(analyte: str, content: Mapping[str, object], path: str, reading: _Reading) -> str | None:
    unit = content.get("unit")
    if unit is not None and not isinstance(unit, str):
        reading.wrong_shape(path, "must be a string")
        return None
    try:
        factor_to_canonical(ANALYTES[analyte], unit, field=path)
    except UnitError as error:
        reading.impossible(path, error.problem.expected)
        return None
    return spelled_unit(unit or "")
