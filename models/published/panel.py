"""Point scores asked together: one comparison of all their cuts, one product, a code for each.

What a score says of a landmark is settled by the states of its markers and, where a marker reads
several inputs, by which of them are lacking. Counted in mixed radix that is one whole number, so
whoever puts a score's few answers into words does so once for each code.
"""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from features.history import Floats, Ints
from features.landmark import LandmarkFeatures
from models.published.points import Marker, PointScore

__all__ = ["Panel", "panel"]


@dataclass(frozen=True, slots=True)
class Panel:
    """Scores, and what of a landmark settles their answers.

    Parameters
    ----------
    inputs
        Features that are compared with cuts, then those that the other markers read.
    column, cut : (c,) and (c, 1) arrays
        Place among the inputs, and the value to exceed, of every cut.
    others
        Markers that do not count the cuts of one feature.
    unknown : (others, 1) array
        State of each of them that means not known.
    reader : array
        Which of them reads each of the last inputs.
    weight : (s, c + inputs + others) array
        What counts how much in the code of each score: every cut passed, every input that is not
        known – where another marker reads it, while that one's state is not –, and every other
        marker's state.
    """

    inputs: tuple[str, ...]
    column: Ints
    cut: Floats
    others: tuple[Marker, ...]
    unknown: Ints
    reader: Ints
    weight: Floats

    def patterns(self, features: LandmarkFeatures) -> Ints:
        """(s, k) code that settles what `estimate` says of a landmark, in this call or another."""
        values = features.table(self.inputs)
        lacks = np.isnan(values)
        found = np.array([marker.state(features) for marker in self.others], dtype=np.float64)
        found = found.reshape(len(self.others), len(features))
        lacks[len(self.inputs) - self.reader.size :] &= (found == self.unknown)[self.reader]
        rows = [values.take(self.column, axis=0) > self.cut, lacks, found]
        # Whole numbers far below 2**53: the product is exact in whatever order it sums.
        return (self.weight @ np.concatenate(rows, dtype=np.float64)).astype(np.int64)


@lru_cache(maxsize=64)
def panel(scores: tuple[PointScore, ...]) -> Panel:
    """The panel of some scores.

    Examples
    --------
    >>> from models.published.twenty_two_twenty import TWENTY_TWO_TWENTY
    >>> panel((TWENTY_TWO_TWENTY,)).inputs
    ('bmpc_percent', 'm_protein_g_dl', 'flc_ratio_involved')
    """
    markers = [marker for score in scores for marker in score.markers]
    cuts = list(dict.fromkeys((name, cut) for m in markers for name in m.inputs for cut in m.cuts))
    inputs = tuple(dict.fromkeys(name for name, _ in cuts))
    others = tuple({_sign(marker): marker for marker in markers if not marker.cuts}.values())
    read = [(marker, name) for marker in others for name in marker.inputs]
    lacked = [(_sign(marker), name) for marker, name in read]
    counted: list[Hashable] = [*cuts, *inputs, *lacked, *map(_sign, others)]
    place = {sign: row for row, sign in enumerate(counted)}
    weight = np.zeros((len(scores), len(counted)))
    for row, score in zip(weight, scores, strict=True):
        for sign, worth in _worths(score):
            row[place[sign]] = worth
    return Panel(
        inputs=(*inputs, *(name for _, name in read)),
        column=np.array([inputs.index(name) for name, _ in cuts], dtype=np.int64),
        cut=np.array([cut for _, cut in cuts]).reshape(-1, 1),
        others=others,
        unknown=np.array([marker.unknown for marker in others], dtype=np.int64).reshape(-1, 1),
        reader=np.array([others.index(marker) for marker, _ in read], dtype=np.int64),
        weight=weight,
    )


def _sign(marker: Marker) -> Hashable:
    """What tells markers apart that do not count cuts; scores may share one."""
    return marker.state, *marker.inputs


def _worths(score: PointScore) -> Iterator[tuple[Hashable, int]]:
    """What adds how much to the code of a score; the state of its first marker counts ones."""
    unit = 1
    for marker in score.markers:
        if marker.cuts:
            (name,) = marker.inputs
            yield from (((name, cut), unit) for cut in marker.cuts)
            yield name, unit * marker.unknown
            unit *= marker.unknown + 1
            continue
        yield _sign(marker), unit
        unit *= marker.unknown + 1
        for name in marker.inputs:
            yield (_sign(marker), name), unit
            unit *= 2
