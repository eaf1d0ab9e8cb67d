"""A short version of every fault of docs/reliability.md, made to one running service."""

import re
from collections.abc import Iterator

import pytest

from benchmarks.reliability.__main__ import FAULTS, PAGE
from benchmarks.reliability.served import Served


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("served")) as served:
        yield served


SHORT_ELSEWHERE = {
    "registry_faults": "tests/training/test_follow.py",
    "restarted_database": "tests/serving/audit/test_postgres.py",
}
"""Faults that need a server of another kind, where that one has been started anyway."""


@pytest.mark.parametrize("name", [name for name in FAULTS if name not in SHORT_ELSEWHERE])
def test_the_service_survives(served: Served, name: str) -> None:
    found = FAULTS[name](served, True)
    assert found.holds, found


def test_the_page_has_a_line_for_every_fault() -> None:
    lines = re.findall(r"^\| .* \| (yes|\*\*no\*\*) \|$", PAGE.read_text(encoding="utf-8"), re.M)
    assert len(lines) == len(FAULTS)
