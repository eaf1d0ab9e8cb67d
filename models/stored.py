"""Learners as named arrays and back: what an artefact's `arrays.npz` holds."""

from collections.abc import Mapping
from dataclasses import fields
from itertools import count, takewhile
from typing import Any

import numpy as np

from features.errors import ArtefactError
from models.additive import AdditiveLearner
from models.forest import Forest
from models.incidence import HazardLearner, LinearPredictor
from models.learners import GroupLearner, Learner, LinearLearner, TreeLearner

__all__ = ["arrays_of", "kind_of", "learner_from"]

Arrays = Mapping[str, Any]
Plain = LinearLearner | GroupLearner | AdditiveLearner
PLAIN: Mapping[str, type[Plain]] = {
    "linear": LinearLearner,
    "groups": GroupLearner,
    "tables": AdditiveLearner,
}
"""Learners that are nothing but their own arrays, by kind."""


def kind_of(learner: Learner) -> str:
    """Kind of learner, as the manifest names it."""
    if isinstance(learner, HazardLearner):
        return f"hazards-{learner.link}"
    if isinstance(learner, TreeLearner):
        return "trees"
    return next(kind for kind, plain in PLAIN.items() if isinstance(learner, plain))


def arrays_of(learner: Learner) -> dict[str, Any]:
    """Everything a learner knows, by name."""
    if isinstance(learner, TreeLearner):
        return _arrays_of_parts({str(i): forest for i, forest in enumerate(learner.forests)})
    if isinstance(learner, HazardLearner):
        parts = {"progression": learner.progression, "death": learner.death}
        own = {"baseline": learner.baseline, "until": learner.until}
        return own | _arrays_of_parts(parts)
    assert isinstance(learner, Plain)
    return {field.name: getattr(learner, field.name) for field in fields(learner)}


def learner_from(kind: str, arrays: Arrays) -> Learner:
    """Learner of a kind from its arrays.

    Raises
    ------
    ArtefactError
        If the kind is not known here.
    KeyError
        If an array is missing.
    """
    if kind in PLAIN:
        plain = PLAIN[kind]
        return plain(*(arrays[field.name] for field in fields(plain)))
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
