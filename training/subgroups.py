"""Parts of a cohort – by sex, age, renal function, isotype, centre – as masks over its subjects."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from features.errors import ColumnError, DuplicateError, InputError
from training.metrics.estimate import BoolArray
from training.panel import FIRST_ROW, Panel

# A number with more values than this is cut at its quartiles.
MOST_LEVELS = 10


def subgroup_masks(given: Panel, table: pd.DataFrame) -> Iterator[tuple[str, str, BoolArray]]:
    """Name, level and members (n,) of every subgroup, in the order of the table's columns.

    Parameters
    ----------
    given
        The subjects.
    table
        `subject_id` and one column per characteristic. Numbers with many values are cut at their
        quartiles; a missing value is a level of its own.

    Raises
    ------
    InputError
        No `subject_id`, a subject twice, or text with too many values to be a characteristic.
    """
    if "subject_id" not in table.columns:
        raise ColumnError("subject_id", "missing; subgroups need it", source="subgroups")
    index = pd.Index(table["subject_id"])
    repeated = index.duplicated()
    if repeated.any():
        row = int(np.flatnonzero(repeated)[0]) + FIRST_ROW
        raise DuplicateError("subject_id", "given twice", row=row, source="subgroups")
    aligned = table.set_index("subject_id").reindex(given.subjects)
    for name in aligned.columns:
        labels = _labels(aligned[name], str(name))
        for level in sorted(set(labels)):
            yield str(name), level, labels == level


def _labels(column: "pd.Series[str]", name: str) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
    missing = column.isna().to_numpy()
    if pd.api.types.is_numeric_dtype(column) and column.nunique() > MOST_LEVELS:
        text = pd.qcut(column.astype(float), 4, duplicates="drop", precision=2).astype(str)
    elif column.nunique() > MOST_LEVELS:
        raise InputError(
            name, f"expected at most {MOST_LEVELS} different values", source="subgroups"
        )
    else:
        text = column.astype(str)
    return np.where(missing, "missing", text.to_numpy(dtype=object))
