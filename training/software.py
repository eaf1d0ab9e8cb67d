"""Which software is at work: a version to read, and a digest that no other code shares."""

import hashlib
from functools import cache
from importlib.metadata import version
from pathlib import Path
from shutil import which
from subprocess import DEVNULL, CalledProcessError, TimeoutExpired, check_output

import numpy
import scipy
import sklearn
import xgboost

import features
import models
import training

__all__ = ["code_version", "software_digest"]


@cache
def code_version() -> str:
    """Version of this software, with the commit it stands at where it is a working copy."""
    own, git = version("smoulder"), which("git")
    if git is None:
        return own
    try:
        told = check_output(  # noqa: S603  # a fixed command
            [git, "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"],
            cwd=Path(__file__).parent,
            stderr=DEVNULL,
            text=True,
            timeout=10,
        )
    except (OSError, CalledProcessError, TimeoutExpired):
        return own
    return f"{own}+{told.strip()}"


@cache
def software_digest() -> str:
    """SHA-256 of all that decides what a fit gives: our version and sources, and the libraries.

    A version alone would not do: between two releases the code changes and the number does not.
    """
    libraries = [(each.__name__, each.__version__) for each in (numpy, scipy, sklearn, xgboost)]
    content = hashlib.sha256(repr((version("smoulder"), libraries)).encode())
    for package in (features, models, training):
        root = Path(package.__path__[0])
        for file in sorted(root.rglob("*.py")):
            content.update(f"{package.__name__}/{file.relative_to(root).as_posix()}\0".encode())
            content.update(hashlib.sha256(file.read_bytes()).digest())
    return content.hexdigest()
