"""Conditions of a trial's rules: each is met, not met or unknown at every landmark.

A condition is read from data, so that a rule file can be read by a trial team and changed without
code. States are those of `features.criteria`; what is not known is never taken for "no".
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from features.analytes import ANALYTES
from features.catalogue import FEATURES, NEEDS
from features.criteria import CRITERIA, MET, NOT_MET, STAGES, UNKNOWN, Staging, stage
from features.cuts import States
from features.errors import InputError
from features.history import HEAVY_CHAINS, Codes
from features.landmark import LandmarkFeatures
from features.trends import EvolvingRule
from models.catalogue import PUBLISHED
from models.published.markers import course, kappa_lambda_abnormal
from models.published.points import PointScore
from models.risk import Estimates

__all__ = ["Condition", "Counted", "Leaf", "Subjects", "read_condition"]

_SCORES = {name: model for name, model in PUBLISHED.items() if isinstance(model, PointScore)}


class Subjects:
    """Landmarks with what conditions ask of them, each worked out once."""

    def __init__(self, features: LandmarkFeatures) -> None:
        self.features = features
        self._staging: Staging | None = None
        self._estimates: dict[str, Estimates] = {}

    def __len__(self) -> int:
        return len(self.features)

    @property
    def staging(self) -> Staging:
        """Diagnosis of every landmark."""
        if self._staging is None:
            self._staging = stage(self.features)
        return self._staging

    def estimates(self, model: str) -> Estimates:
        """What a published model says of every landmark."""
        if model not in self._estimates:
            self._estimates[model] = PUBLISHED[model].estimate(self.features)
        return self._estimates[model]


@dataclass(frozen=True, slots=True)
class Leaf:
    """A condition that is looked up.

    Parameters
    ----------
    needs
        What to give when the condition is unknown.
    state
        From k subjects to (k,) states.
    waits
        Whether eligibility waits for it even in a rule that is otherwise left to check by hand.
    """

    needs: tuple[str, ...]
    state: Callable[[Subjects], States]
    waits: bool = False


@dataclass(frozen=True, slots=True)
class Counted:
    """At least so many of several conditions.

    Parameters
    ----------
    of
        The conditions.
    least
        How many must be met; their number for all of them, 1 for any.
    """

    of: "tuple[Condition, ...]"
    least: int


Condition = Leaf | Counted


def read_condition(data: Mapping[str, object], *, place: str) -> Condition:
    """Condition from its TOML table.

    Parameters
    ----------
    data
        One table, without the keys of the rule around it.
    place
        Where it stands, for an error.

    Raises
    ------
    InputError
        When the table is no condition of this form.

    Examples
    --------
    >>> read_condition({"feature": "bmpc_percent", "at_least": 10}, place="include 1").needs
    ('bmpc',)
    """
    kinds = [name for name in _KINDS if name in data]
    if len(kinds) != 1:
        raise InputError(place, f"must hold exactly one of {', '.join(_KINDS)}")
    read, allowed = _KINDS[kinds[0]]
    surplus = sorted(set(data) - {kinds[0], *allowed})
    if surplus:
        raise InputError(place, f"'{surplus[0]}' is not understood beside '{kinds[0]}'")
    return read(dict(data), place)


def _several(key: str) -> Callable[[dict[str, object], str], Condition]:
    def read(data: dict[str, object], place: str) -> Condition:
        tables = data[key]
        if not isinstance(tables, list) or not tables:
            raise InputError(place, f"'{key}' must be a list of conditions")
        of = tuple(
            read_condition(each, place=f"{place}, {key} {i}") for i, each in enumerate(tables, 1)
        )
        least = {"any": 1, "all": len(of)}.get(key) or _number(data, "least", place)
        return Counted(of, int(least))

    return read


_COMPARISONS: Mapping[str, Callable[..., "np.ndarray[tuple[int, ...], np.dtype[np.bool_]]"]] = {
    "above": np.greater,
    "at_least": np.greater_equal,
    "below": np.less,
    "at_most": np.less_equal,
}


def _feature(data: dict[str, object], place: str) -> Condition:
    name = _choice(data, "feature", FEATURES, place)
    limits = [(_COMPARISONS[key], _number(data, key, place)) for key in _COMPARISONS if key in data]
    if not limits:
        raise InputError(place, f"needs one of {', '.join(_COMPARISONS)}")

    def state(subjects: Subjects) -> Codes:
        value = subjects.features[name]
        met = np.ones(value.size, dtype=bool)
        for compare, limit in limits:
            met &= compare(value, limit)
        return np.where(np.isnan(value), UNKNOWN, met).astype(np.int8)

    return Leaf(FEATURES[name].needs or (name,), state)


def _heavy_chain(data: dict[str, object], place: str) -> Condition:
    code = HEAVY_CHAINS.index(_choice(data, "heavy_chain", HEAVY_CHAINS, place))

    def state(subjects: Subjects) -> Codes:
        chain = subjects.features.history.heavy_chain[subjects.features.subject]
        return np.where(chain < 0, UNKNOWN, chain == code).astype(np.int8)

    return Leaf(("heavy_chain",), state)


def _stage(data: dict[str, object], place: str) -> Condition:
    code = STAGES.index(_choice(data, "stage", STAGES, place))
    event, undetermined = STAGES.index("meets a myeloma-defining event"), 0

    def state(subjects: Subjects) -> Codes:
        staging = subjects.staging
        # An event whose cause is still to confirm does not decide between SMM and myeloma.
        sure = np.zeros(len(staging), dtype=bool)
        for name, states in staging.states.items():
            if CRITERIA[name].role == "event":
                sure |= states == MET
        open_ = (staging.stage == undetermined) | ((staging.stage == event) & ~sure)
        return np.where(open_, UNKNOWN, staging.stage == code).astype(np.int8)

    return Leaf(("diagnosis",), state)


def _criterion(data: dict[str, object], place: str) -> Condition:
    name = _choice(data, "criterion", CRITERIA, place)
    deciding = CRITERIA[name].quantities[0]
    needs = NEEDS.get(deciding, (deciding,))
    reached = Leaf(needs, lambda subjects: subjects.staging.states[name])
    if CRITERIA[name].role != "to confirm":
        return reached

    def caused(subjects: Subjects) -> Codes:
        # Whether the disease is the cause of a threshold met, no laboratory value can say.
        return np.where(subjects.staging.states[name] == MET, UNKNOWN, MET).astype(np.int8)

    return Counted((reached, Leaf((f"cause of {name}",), caused, waits=True)), 2)


def _group(data: dict[str, object], place: str) -> Condition:
    name = _choice(data, "model", _SCORES, place)
    model = _SCORES[name]
    place_of = {band.group: i for i, band in enumerate(model.bands)}
    group = place_of[_choice({"group": None, **data}, "group", place_of, place)]

    def state(subjects: Subjects) -> Codes:
        groups = subjects.estimates(name).possible
        possible, others = groups[:, group], groups.sum(axis=1) - groups[:, group]
        # Refused leaves no group at all, which is as unknown as several of them.
        open_ = (possible & (others > 0)) | ~(possible | (others > 0))
        return np.where(open_, UNKNOWN, possible).astype(np.int8)

    needs = tuple(dict.fromkeys(n for f in model.required for n in FEATURES[f].needs))
    return Leaf(needs, state)


def _risen(data: dict[str, object], place: str) -> Condition:
    quantity = _choice(data, "risen", ANALYTES, place)
    rule = EvolvingRule(
        quantity,
        "relative rise",
        _number(data, "by_fraction", place),
        _number(data, "within_years", place),
    )
    state = course(rule)
    return Leaf((f"{quantity}_earlier",), lambda subjects: state(subjects.features))


def _isotypes(data: dict[str, object], place: str) -> Condition:
    least = _number(data, "uninvolved_isotypes_below_normal", place)

    def state(subjects: Subjects) -> Codes:
        surely = subjects.features["immunoparesis_isotypes"] >= least
        perhaps = ~(subjects.features["immunoparesis_isotypes_most"] < least)
        return np.where(surely, MET, np.where(perhaps, UNKNOWN, NOT_MET)).astype(np.int8)

    return Leaf(("igg", "iga", "igm", "heavy_chain"), state)


def _abnormal_ratio(_data: dict[str, object], _place: str) -> Condition:
    return Leaf(
        ("kappa_flc", "lambda_flc"), lambda subjects: kappa_lambda_abnormal(subjects.features)
    )


def _unrecorded(data: dict[str, object], _place: str) -> Condition:
    def state(subjects: Subjects) -> Codes:
        return np.full(len(subjects), UNKNOWN, dtype=np.int8)

    return Leaf((str(data["unrecorded"]),), state)


_Reader = Callable[[dict[str, object], str], Condition]
_KINDS: Mapping[str, tuple[_Reader, tuple[str, ...]]] = {
    "feature": (_feature, tuple(_COMPARISONS)),
    "heavy_chain": (_heavy_chain, ()),
    "stage": (_stage, ()),
    "criterion": (_criterion, ()),
    "model": (_group, ("group",)),
    "risen": (_risen, ("by_fraction", "within_years")),
    "uninvolved_isotypes_below_normal": (_isotypes, ()),
    "abnormal_flc_ratio": (_abnormal_ratio, ()),
    "unrecorded": (_unrecorded, ()),
    "any": (_several("any"), ()),
    "all": (_several("all"), ()),
    "of": (_several("of"), ("least",)),
}


def _number(data: Mapping[str, object], key: str, place: str) -> float:
    value = data.get(key)
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise InputError(place, f"'{key}' must be a number")
    return float(value)


def _choice(
    data: Mapping[str, object], key: str, among: Mapping[str, object] | tuple[str, ...], place: str
) -> str:
    value = data[key]
    if value not in among:
        raise InputError(place, f"'{key}' must be one of {', '.join(among)}")
    return str(value)
