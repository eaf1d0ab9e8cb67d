"""What must not be mixed has another digest."""

import shutil
from pathlib import Path

import pytest
import xgboost

import training
from training.software import software_digest


@pytest.fixture
def own() -> str:
    """Digest of the sources where they are."""
    return _anew()


@pytest.fixture
def sources(own: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the sources of this package, read instead of them."""
    copied = tmp_path / "elsewhere"
    shutil.copytree(Path(training.__path__[0]), copied, ignore=shutil.ignore_patterns("*.pyc"))
    monkeypatch.setattr(training, "__path__", [str(copied)])
    return copied


def _anew() -> str:
    return software_digest.__wrapped__()


def test_the_same_sources_in_another_folder_are_the_same_software(own: str, sources: Path) -> None:
    assert sources.name == "elsewhere"
    assert _anew() == own


def test_a_changed_a_new_and_a_lost_source_are_other_software(sources: Path) -> None:
    found = {_anew()}
    search = sources / "search.py"
    search.write_text(search.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    found.add(_anew())
    (sources / "another.py").touch()
    found.add(_anew())
    search.unlink()
    found.add(_anew())
    assert len(found) == 4


def test_another_xgboost_is_other_software(monkeypatch: pytest.MonkeyPatch) -> None:
    before = _anew()
    monkeypatch.setattr(xgboost, "__version__", "0.0.1")
    assert _anew() != before
