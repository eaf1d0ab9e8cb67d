import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

PYTHON = """#!/bin/sh
test "$2" = venv || exit 0
echo "$@" >>calls
mkdir -p .venv/bin .venv/lib
printf '#!/bin/sh\\ntest ! -e broken\\n' | tee .venv/bin/uv >.venv/bin/python
chmod +x .venv/bin/uv .venv/bin/python
"""
"""Stands for an interpreter; what it installs with works unless there is a file `broken`."""


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone with nothing to install, and with an interpreter that notes how it was called."""
    shutil.copyfile(ROOT / "Makefile", tmp_path / "Makefile")
    for name in ("requirements.lock", "pyproject.toml"):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (0, 0))
    (tmp_path / "python").write_text(PYTHON, encoding="utf-8")
    (tmp_path / "python").chmod(0o755)
    return tmp_path


def set_up(clone: Path) -> int:
    # Not as a part of the make that may have started this.
    environment = {name: value for name, value in os.environ.items() if "MAKE" not in name}
    words = ["make", "setup", "PYTHON=./python"]
    return subprocess.run(words, cwd=clone, env=environment, check=False).returncode


def test_a_setup_that_was_interrupted_begins_anew_and_one_that_was_done_goes_on(
    clone: Path,
) -> None:
    (clone / "broken").touch()
    assert set_up(clone) != 0
    (clone / "broken").unlink()
    assert set_up(clone) == 0
    assert set_up(clone) == 0  # nothing is to be done
    os.utime(clone / "requirements.lock")
    os.utime(clone / ".venv" / "installed", (1, 1))
    assert set_up(clone) == 0
    calls = (clone / "calls").read_text(encoding="utf-8").splitlines()
    assert calls == ["-m venv .venv", "-m venv --clear .venv", "-m venv .venv"]
