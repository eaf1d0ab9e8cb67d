"""Visits of made-up subjects, drawn by hypothesis or given, and files that hold them."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from features.history import History
from features.labs import LabColumn, LabRows

BuildRows = Callable[..., LabRows]


def lab_rows(
    subject: Sequence[int],
    years: Sequence[float],
    labs: Mapping[tuple[str, str], Sequence[float]],
    *,
    light_chain: Sequence[int] | None = None,
    age: Sequence[float] | None = None,
    dated: bool = False,
) -> LabRows:
    """Rows in the order given; `labs` by analyte and unit, NaN where not measured."""
    who = np.asarray(subject, dtype=np.int64)
    size, subjects = who.size, int(who.max(initial=-1)) + 1
    unknown = np.full(subjects, -1, dtype=np.int8)
    every = np.arange(size, dtype=np.int64)
    return LabRows(
        subject_ids=tuple(f"S{i}" for i in range(subjects)),
        subject=who,
        time_years=np.asarray(years, dtype=np.float64),
        row=every + 2,
        age_years=np.full(size, np.nan) if age is None else np.asarray(age, dtype=np.float64),
        sex=unknown,
        heavy_chain=unknown,
        light_chain=unknown if light_chain is None else np.asarray(light_chain, dtype=np.int8),
        diagnosis_years=np.full(subjects, np.nan if dated else 0.0),
        columns=tuple(
            LabColumn(name, unit, every, np.asarray(values, dtype=np.float64), f"{name} in {unit}")
            for (name, unit), values in labs.items()
        ),
        dated=dated,
    )


@pytest.fixture(scope="session")
def build_rows() -> BuildRows:
    return lab_rows


@pytest.fixture(scope="session")
def build_history() -> Callable[..., History]:
    def build(subject: Sequence[int], years: Sequence[float], **labs: Sequence[float]) -> History:
        """History of visits that are sorted already."""
        who = np.asarray(subject, dtype=np.int64)
        subjects = int(who.max(initial=-1)) + 1
        unknown = np.full(subjects, -1, dtype=np.int8)
        return History(
            subject_ids=tuple(f"S{i}" for i in range(subjects)),
            subject=who,
            time_years=np.asarray(years, dtype=np.float64),
            labs={name: np.asarray(values, dtype=np.float64) for name, values in labs.items()},
            age_years=np.full(who.size, np.nan),
            sex=unknown,
            heavy_chain=unknown,
            light_chain=unknown,
            diagnosis_years=np.zeros(subjects),
        )

    return build


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., Path]:
    """Write a text or bytes as a file."""

    def write(content: str | bytes, name: str = "visits.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write
