"""What the report draws, as plain values for JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from math import isfinite

import numpy as np

from training.judgement import Json
from training.metrics.estimate import Estimate


def plain(value: object) -> Json:
    """Numbers, lists and mappings of a dataclass, an array or a nest of them; never NaN.

    An estimate becomes its value, its ends and its reason, without the influence of subjects.
    """
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, Estimate):
        return {name: plain(getattr(value, name)) for name in ("value", "lower", "upper", "reason")}
    if is_dataclass(value):
        return {each.name: plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, np.ndarray):
        return [plain(item) for item in value.tolist()]
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [plain(item) for item in value]
    raise TypeError(f"{type(value).__name__} has no plain form")
