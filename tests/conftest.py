"""What many tests need: landmarks made of nothing but the values a test is about."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from features.history import HEAVY_CHAINS, History
from features.landmark import LandmarkFeatures

Landmarks = Callable[..., LandmarkFeatures]


@pytest.fixture(scope="session")
def landmarks() -> Landmarks:
    """Landmarks of people with one visit each, from values by quantity; NaN is not measured."""

    def build(
        *,
        age: Sequence[float] | float = np.nan,
        sex: int = -1,
        heavy_chain: str | None = None,
        **labs: Sequence[float] | float,
    ) -> LandmarkFeatures:
        values = np.broadcast_arrays(*(np.atleast_1d(np.asarray(v, float)) for v in labs.values()))
        size = values[0].size
        who = np.arange(size)
        code = -1 if heavy_chain is None else HEAVY_CHAINS.index(heavy_chain)
        history = History(
            subject_ids=tuple(map(str, who)),
            subject=who,
            time_years=np.zeros(size),
            labs=dict(zip(labs, map(np.array, values), strict=True)),
            age_years=np.broadcast_to(np.asarray(age, float), (size,)),
            sex=np.full(size, sex, dtype=np.int8),
            heavy_chain=np.full(size, code, dtype=np.int8),
            light_chain=np.full(size, -1, dtype=np.int8),
            diagnosis_years=np.zeros(size),
        )
        return LandmarkFeatures(history)

    return build
