"""What each feature adds to a learned model's risk, as JSON."""

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from features.history import Floats
from models.learned import LearnedModel
from serving.lineup import inputs_of
from serving.values import Json, numbers

__all__ = ["contribution_documents"]


def contribution_documents(model: LearnedModel, read: Floats) -> Callable[[int], list[Json]]:
    """From a landmark to its contributions, the largest first.

    Effects are in log odds of the risk at the study's decision horizon, against the average of the
    training cohort. A feature that adds nothing is left out; one that was not measured has no value
    and may add something all the same, by its absence.

    Parameters
    ----------
    model
        Whose.
    read : (k, p) array
        What it read at each landmark.
    """
    found = model.contributions(read)
    order = np.argsort(-np.abs(found), axis=1, kind="stable").tolist()
    values, effects = numbers(read), found.tolist()
    features, inputs = model.features, _inputs_of(model.features)
    horizon = model.decision_horizon_years

    def of_landmark(k: int) -> list[Json]:
        value, effect = values[k], effects[k]
        told = []
        for i in order[k]:
            if not effect[i]:
                break
            entry: Json = {
                "horizon_years": horizon,
                "feature": features[i],
                "input": inputs[i],
                "effect": effect[i],
            }
            if value[i] is not None:
                entry["value"] = value[i]
            told.append(entry)
        return told

    return of_landmark


@lru_cache(maxsize=64)
def _inputs_of(features: tuple[str, ...]) -> tuple[str, ...]:
    """The input that each feature is foremost computed from."""
    return tuple(inputs_of([feature.removeprefix("ln_")])[0] for feature in features)
