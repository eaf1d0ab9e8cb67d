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


@pytest.mark.parametrize("name", FAULTS)
def test_the_service_survives(served: Served, name: str) -> None:
    found = FAULTS[name](served, True)
    assert found.holds, found


def test_the_page_has_a_line_for_every_fault() -> None:
    lines = re.findall(r"^\| .* \| (yes|\*\*no\*\*) \|$", PAGE.read_text(encoding="utf-8"), re.M)
    assert len(lines) == len(FAULTS)
