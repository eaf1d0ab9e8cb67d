"""What each feature adds to a learned model's risk, as JSON."""

from collections.abc import Callable

import numpy as np

from features.landmark import LandmarkFeatures
from models.learned import LearnedModel
from serving.lineup import inputs_of
from serving.values import Json, number

__all__ = ["contribution_documents"]


def contribution_documents(
    model: LearnedModel, features: LandmarkFeatures
) -> Callable[[int], list[Json]]:
    """From a landmark to its contributions, the largest first.

    Effects are in log odds of the risk at the study's decision horizon, against the average of the
    training cohort. A feature that adds nothing is left out; one that was not measured has no value
    and may add something all the same, by its absence.
    """
    values = model.values(features)
    effects = model.contributions(values)
    order = np.argsort(-np.abs(effects), axis=1, kind="stable").tolist()
    inputs = [_input_of(name) for name in model.features]

    def of_landmark(k: int) -> list[Json]:
        given, effect = values[k].tolist(), effects[k].tolist()
        told = []
        for i in order[k]:
            if not effect[i]:
                break
            entry: Json = {
                "horizon_years": model.decision_horizon_years,
                "feature": model.features[i],
                "input": inputs[i],
                "effect": effect[i],
            }
            if (value := number(given[i])) is not None:
                entry["value"] = value
            told.append(entry)
        return told

    return of_landmark


def _input_of(feature: str) -> str:
    """The input that a feature is foremost computed from."""
    return inputs_of([feature.removeprefix("ln_")])[0]
