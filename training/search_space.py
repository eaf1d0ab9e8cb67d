"""What a study says of the search: candidates, the settings to try, how often, how many refits.

The settings to try are the candidate's own and then a scrambled Sobol sequence over the spaces. It
fills them evenly, and unlike a sampler that learns from earlier trials it does not depend on their
order: a search that was killed, or shared between workers, ends where an undisturbed one does.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

import numpy as np
from pydantic import ConfigDict, Field, with_config
from scipy.stats import qmc

__all__ = ["Search", "Space", "design_points"]

EXACT = ConfigDict(extra="forbid", strict=True)
Settings = dict[str, float | int]


@with_config(EXACT)
@dataclass(frozen=True, slots=True)
class Space:
    """Where one setting may lie.

    Parameters
    ----------
    low, high
        Ends, both tried.
    log
        Whether ratios count instead of differences.
    whole
        Whether only whole numbers make sense.
    """

    low: float
    high: float
    log: bool = False
    whole: bool = False

    def at(self, share: float) -> float | int:
        """Value at a share of the way, 0-1.

        Examples
        --------
        >>> Space(0.01, 1.0, log=True).at(0.5), Space(2, 3, whole=True).at(0.9)
        (0.1, 3)
        """
        if self.whole:
            return min(math.floor(self.low + share * (self.high - self.low + 1)), int(self.high))
        if self.log:
            found = math.exp(math.log(self.low) + share * math.log(self.high / self.low))
        else:
            found = self.low + share * (self.high - self.low)
        # Four digits are as good and can be read in a run.
        return float(f"{found:.4g}")


@with_config(EXACT)
@dataclass(frozen=True, slots=True)
class Search:
    """How candidates are tuned and refitted.

    Parameters
    ----------
    candidates
        Names of those considered; none named: all that are by default.
    trials
        Settings tried per candidate and outer fold, the candidate's own first.
    inner_folds
        Subject-grouped folds inside the training part of an outer one.
    refits
        Bootstrap samples in which the whole pipeline is run again.
    shortlist
        Settings among which every refit chooses anew: the best of the search.
    spaces
        Candidate to setting to space; a candidate without spaces keeps its own settings.
    """

    candidates: tuple[str, ...] = ()
    trials: Annotated[int, Field(ge=1)] = 12
    inner_folds: Annotated[int, Field(ge=2)] = 5
    refits: Annotated[int, Field(ge=0)] = 200
    shortlist: Annotated[int, Field(ge=1)] = 2
    spaces: Mapping[str, Mapping[str, Space]] = field(default_factory=dict)


def design_points(spaces: Mapping[str, Space], count: int, *, seed: int) -> list[Settings]:
    """Settings to try: none changed, then points of a scrambled Sobol sequence.

    Parameters
    ----------
    spaces
        Setting to space.
    count
        Of settings, the unchanged ones included.
    seed
        Of the scrambling.

    Examples
    --------
    >>> design_points({"strength": Space(0.01, 1.0, log=True)}, 2, seed=1)
    [{}, {'strength': 0.03735}]
    """
    if not spaces:
        return [{}]
    names = sorted(spaces)
    power = math.ceil(math.log2(max(count - 1, 1)))
    drawn = qmc.Sobol(len(names), scramble=True, rng=np.random.default_rng(seed)).random_base2(
        power
    )
    points = [
        {n: spaces[n].at(share) for n, share in zip(names, row, strict=True)} for row in drawn
    ]
    return [{}, *points[: count - 1]]
