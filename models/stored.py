"""Learners as named arrays and back: what an artefact's `arrays.npz` holds."""

from collections.abc import Mapping
from dataclasses import fields
from itertools import count, takewhile
from typing import Any

import numpy as np

from features.errors import ArtefactError
from models.forest import Forest
from models.incidence import HazardLearner, LinearPredictor
from models.learned import GroupLearner, Learner, LinearLearner, TreeLearner

__all__ = ["arrays_of", "kind_of", "learner_from"]

Arrays = Mapping[str, Any]


def kind_of(learner: Learner) -> str:
    """Kind of learner, as the manifest names it."""
    if isinstance(learner, HazardLearner):
        return f"hazards-{learner.link}"
    return {LinearLearner: "linear", TreeLearner: "trees", GroupLearner: "groups"}[type(learner)]


def arrays_of(learner: Learner) -> dict[str, Any]:
    """Everything a learner knows, by name."""
    if isinstance(learner, TreeLearner):
        return _arrays_of_parts({str(i): forest for i, forest in enumerate(learner.forests)})
    if isinstance(learner, HazardLearner):
        parts = {"progression": learner.progression, "death": learner.death}
        own = {"baseline": learner.baseline, "until": learner.until}
        return own | _arrays_of_parts(parts)
    assert isinstance(learner, LinearLearner | GroupLearner)
    return {part: getattr(learner, part) for part in learner.__slots__}


def learner_from(kind: str, arrays: Arrays) -> Learner:
    """Learner of a kind from its arrays.

    Raises
    ------
    ArtefactError
        If the kind is not known here.
    KeyError
        If an array is missing.
    """
    if kind == "linear":
        return LinearLearner(*(arrays[part] for part in LinearLearner.__slots__))
    if kind == "groups":
        return GroupLearner(*(arrays[part] for part in GroupLearner.__slots__))
    if kind == "trees":
        numbers = takewhile(lambda i: f"{i}.leaf" in arrays, count())
        return TreeLearner(tuple(_forest(arrays, str(i)) for i in numbers))
    if kind in ("hazards-softmax", "hazards-log"):
        grown = "progression.leaf" in arrays
        return HazardLearner(
            progression=(_forest if grown else _predictor)(arrays, "progression"),
            death=_predictor(arrays, "death"),
            baseline=arrays["baseline"],
            until=arrays["until"],
            link="softmax" if kind == "hazards-softmax" else "log",
        )
    raise ArtefactError(f"artefact: learner '{kind[:20]}' is not known here")


def _arrays_of_parts(parts: Mapping[str, Forest | LinearPredictor]) -> dict[str, Any]:
    return {
        f"{name}.{field.name}": np.asarray(getattr(part, field.name))
        for name, part in parts.items()
        for field in fields(part)
    }


def _forest(arrays: Arrays, name: str) -> Forest:
    base, *rest = (arrays[f"{name}.{field.name}"] for field in fields(Forest))
    return Forest(float(base), *rest)


def _predictor(arrays: Arrays, name: str) -> LinearPredictor:
    return LinearPredictor(*(arrays[f"{name}.{field.name}"] for field in fields(LinearPredictor)))
