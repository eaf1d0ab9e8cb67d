"""Features at a landmark: what was known of a subject at one moment, and nothing later.

One function serves a single patient over HTTP, a training cohort and a batch of millions. Features
are computed when a model asks for them, each once, from the columnar history: `features.catalogue`
lists them, `features.latest` looks them up.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from features.catalogue import COURSES, FEATURES
from features.history import Floats
from features.latest import Latest

__all__ = ["LandmarkFeatures"]


class LandmarkFeatures(Latest):
    """Features of k landmarks, computed on demand.

    Parameters
    ----------
    history
        Validated visits.
    subject, time_years : (k,) arrays
        Which subject, and when, on the subject's clock. Omitted: every visit is a landmark.
    lookback_years
        Window of changes and slopes.

    Examples
    --------
    >>> from features.history import History
    >>> none = np.array([-1], dtype=np.int8)
    >>> history = History(
    ...     subject_ids=("A",), subject=np.array([0, 0]), time_years=np.array([0.0, 1.0]),
    ...     labs={"m_protein": np.array([1.8, 2.1])}, age_years=np.array([60.0, 61.0]),
    ...     sex=none, heavy_chain=none, light_chain=none, diagnosis_years=np.array([0.0]))
    >>> features = LandmarkFeatures(history)
    >>> features["m_protein_g_dl"], features["m_protein_evolving"]
    (array([1.8, 2.1]), array([0., 1.]))
    """

    def __getitem__(self, name: str) -> Floats:
        """(k,) values of a feature of the catalogue `FEATURES`."""
        if name not in self._values:
            self._values[name] = FEATURES[name].compute(self)
        return self._values[name]

    def matrix(self, names: Iterable[str], rows: NDArray[np.bool_] | None = None) -> Floats:
        """(k, p) values of several features, in the order named; of some landmarks only."""
        names = tuple(names)
        if self._small:
            self._prepare(names)
        values = np.empty((len(self), len(names)))
        for column, name in enumerate(names):
            values[:, column] = self[name]
        return values if rows is None else values[rows]

    def _prepare(self, names: Iterable[str]) -> None:
        """Work out the changes and the slopes among some features, those of a kind together."""
        for per_measurement, quantities in COURSES.items():
            wanted = [name for name in quantities.keys() & names if name not in self._values]
            if wanted:
                found = self.course([quantities[name] for name in wanted], per_measurement)
                self._values |= zip(wanted, found, strict=True)

    def table(self, names: Sequence[str]) -> Floats:
        """(p, k) values of several features, in the order named."""
        return np.array([self[name] for name in names]).reshape(len(names), len(self))
