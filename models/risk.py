"""The risk-model interface: published scores and the learned model are the same kind of thing.

A model reads landmark features and answers, for every landmark, a risk per horizon – or the set of
groups that remain possible and the range of risks they carry when a marker is missing, or a reason
why it cannot answer. A missing marker never becomes zero.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from features.history import Floats, Ints
from features.landmark import LandmarkFeatures
from features.patterns import distinct

__all__ = ["OK", "PARTIAL", "REFUSED", "STATUSES", "Estimates", "RangeKind", "RiskModel"]

Bools = NDArray[np.bool_]
RangeKind = Literal["none", "confidence interval", "range over missing markers"]

OK, PARTIAL, REFUSED = 0, 1, 2
STATUSES = ("ok", "partial", "refused")
"""``ok``: everything the model needs was there. ``partial``: something was missing, the answer is a
set of groups and a range of risks. ``refused``: not answered, for the reason given."""

UNPUBLISHED = "the source gives no rate for this group"


@dataclass(frozen=True, slots=True)
class Estimates:
    """What one model says about k landmarks.

    Parameters
    ----------
    horizons_years : tuple of h floats
        Horizons of the risks, ascending.
    status : (k,) array
        ``OK``, ``PARTIAL`` or ``REFUSED``.
    risk : (k, h) array
        Cumulative incidence of progression by the horizon, 0-1; NaN where the model gives none: a
        group whose rate is not published, a refused answer, a rule's partial one unless a single
        group remains whatever the missing markers are. A learned model's partial answer keeps the
        risk that its learner gives without the marker, within the range.
    lower, upper : (k, h) arrays
        Interval or range of the risk, as `ranges` says; NaN where there is none.
    missing : mapping of input to (k,) array of bool
        Which inputs the model lacked.
    groups : tuple of g strings
        Names of the risk groups, lowest first; empty for a model without groups.
    possible : (k, g) array of bool
        Groups that remain possible; exactly one when `status` is ok.
    score : (k,) array or None
        Points, for a point score whose inputs were all there; NaN otherwise.
    ranges
        What `lower` and `upper` are for complete answers; a partial answer always gives the range
        over its missing markers.
    refusals : mapping of reason to (k,) array of bool
        Why landmarks were refused beyond missing inputs.
    """

    horizons_years: tuple[float, ...]
    status: NDArray[np.int8]
    risk: Floats
    lower: Floats
    upper: Floats
    missing: Mapping[str, Bools] = field(default_factory=dict)
    groups: tuple[str, ...] = ()
    possible: Bools = field(default_factory=lambda: np.empty((0, 0), dtype=bool))
    score: Floats | None = None
    ranges: RangeKind = "none"
    refusals: Mapping[str, Bools] = field(default_factory=dict)

    def missing_at(self, i: int) -> list[str]:
        """Inputs that landmark i lacked."""
        return [name for name, lacking in self.missing.items() if lacking[i]]

    def groups_at(self, i: int) -> list[str]:
        """Groups that remain possible at landmark i, lowest first."""
        if not self.groups:
            return []
        return [name for name, left in zip(self.groups, self.possible[i], strict=True) if left]

    def alike(self) -> tuple[Ints, Ints]:
        """Landmarks with the same reason and groups: first of each kind, and the kind of each."""
        unpublished = [np.isnan(self.risk).all(axis=1), np.isnan(self.lower).any(axis=1)]
        groups = [*self.possible.T, *unpublished] if self.groups else unpublished[:1]
        return distinct([self.status, *self.missing.values(), *self.refusals.values(), *groups])

    def reason_at(self, i: int) -> str | None:
        """Why landmark i has no risk, or only a range of it; None for a complete answer."""
        if self.status[i] == OK:
            return UNPUBLISHED if np.isnan(self.risk[i]).all() else None
        for reason, holds in self.refusals.items():
            if holds[i]:
                return reason
        lacking = ", ".join(self.missing_at(i))
        if self.status[i] == PARTIAL:
            if self.groups and np.isnan(self.lower[i]).any():
                return f"{lacking} missing: a group that remains has no published rate"
            return f"{lacking} missing: the range over what it could be"
        return f"needs {lacking}"


class RiskModel(Protocol):
    """A published score or a learned model.

    Attributes
    ----------
    name
        Identifier in every answer: ``20-2-20``.
    label
        Name for people.
    version
        Version of the model: the year of publication, or the registry's version.
    kind
        ``published`` or ``learned``.
    citation
        Source with DOI, or provenance of a learned model.
    population
        Whom it is for: ``smm`` or ``mgus``.
    horizons_years
        Ascending.
    required, optional
        Feature names it reads; without the required ones the answer is partial or refused.
    """

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def label(self) -> str: ...  # noqa: D102
    @property
    def version(self) -> str: ...  # noqa: D102
    @property
    def kind(self) -> Literal["published", "learned"]: ...  # noqa: D102
    @property
    def citation(self) -> str: ...  # noqa: D102
    @property
    def population(self) -> Literal["smm", "mgus"]: ...  # noqa: D102
    @property
    def horizons_years(self) -> tuple[float, ...]: ...  # noqa: D102
    @property
    def required(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def optional(self) -> tuple[str, ...]: ...  # noqa: D102

    def estimate(self, features: LandmarkFeatures) -> Estimates:
        """Risk at every landmark of the features."""
        ...
