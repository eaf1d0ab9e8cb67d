"""Following a real MLflow server: promoted, rolled back, stopped, frozen, failing."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import mlflow
import pytest

from benchmarks.peers.processes import free_port
from benchmarks.reliability.registry import Tracking, answering, register
from models.learned import LearnedModel
from models.signature import make_signing_key
from serving.lifecycle import Watch
from training import follow
from training.follow import STATUS, Follower

NAME = "smm-progression"
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pair of keys, as a trainer has it."""
    home = tmp_path_factory.mktemp("keys")
    make_signing_key(home)
    return home


@pytest.fixture(scope="module")
def tracking(
    tmp_path_factory: pytest.TempPathFactory, learned_model: LearnedModel, keys: Path
) -> Iterator[Tracking]:
    """A server with two signed versions and an unsigned one; the first is champion."""
    before = mlflow.get_tracking_uri()
    server = Tracking(tmp_path_factory.mktemp("mlflow"))
    try:
        server.start()
        for key in (keys / "signing.pem", keys / "signing.pem", None):
            register(server.url, learned_model, private_key=key)
        yield server
    finally:
        server.stop()
        mlflow.set_tracking_uri(before)
        mlflow.set_registry_uri(before)


@pytest.fixture
def promote(tracking: Tracking) -> Callable[[str], None]:
    """Move the champion's alias, as another machine would; it begins at version 1."""
    tracking.promote("1")
    return tracking.promote


@pytest.fixture
def root(tmp_path: Path, keys: Path) -> Path:
    """A folder of runs that trusts the trainer's key, as a server has it."""
    (tmp_path / "trusted").mkdir()
    for path in (keys / "trusted").iterdir():
        (tmp_path / "trusted" / path.name).write_bytes(path.read_bytes())
    return tmp_path


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Patience of a second with a registry, and no canary process."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setattr("serving.published.try_out", lambda _: None)


def told(root: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((root / "serving" / STATUS).read_text())
    return found


def answers(watch: Watch) -> str | None:
    watch.look()
    model = watch.lineup.learned.get(NAME)
    return None if model is None else model.version


def test_what_is_promoted_or_rolled_back_is_laid_out_and_served(
    quick: None, root: Path, tracking: Tracking, promote: Callable[[str], None]
) -> None:
    follower, watch = Follower(root, tracking.url), Watch(root / "serving")
    for version in ("1", "2", "1"):
        promote(version)
        assert follower.look() is None
        assert answers(watch) == version
    assert not watch.lineup.faults
    assert told(root)["fault"] is None


def test_an_unsigned_version_is_not_laid_out_and_the_last_good_one_answers(
    quick: None, root: Path, tracking: Tracking, promote: Callable[[str], None]
) -> None:
    follower, watch = Follower(root, tracking.url), Watch(root / "serving")
    assert follower.look() is None
    promote("3")
    assert "not signed" in str(follower.look())
    assert answers(watch) == "1"
    assert "not signed" in watch.lineup.faults["registry"]
    promote("2")
    assert follower.look() is None
    assert answers(watch) == "2"
    assert not watch.lineup.faults


def test_challengers_are_laid_out_when_wanted_and_withdrawn_with_their_alias(
    quick: None, root: Path, tracking: Tracking, promote: Callable[[str], None]
) -> None:
    client = mlflow.MlflowClient(tracking.url, tracking.url)
    client.set_registered_model_alias(NAME, "challenger", "2")
    place = root / "serving" / f"{NAME}@challenger"
    Follower(root, tracking.url).look()
    assert not place.exists()
    follower = Follower(root, tracking.url, challengers=True)
    assert follower.look() is None
    assert json.loads((place / "role.json").read_text())["version"] == "2"
    client.delete_registered_model_alias(NAME, "challenger")
    follower.look()
    assert not place.exists()
    assert answers(Watch(root / "serving")) == "1"


@contextmanager
def wrong(kind: str, tracking: Tracking) -> Iterator[str]:
    """Address of a registry that is wrong in one way."""
    if kind == "nobody there":
        yield f"http://127.0.0.1:{free_port()}"
    elif kind == "frozen":
        tracking.signal(signal.SIGSTOP)
        try:
            yield tracking.url
        finally:
            tracking.signal(signal.SIGCONT)
    elif kind == "black hole":
        with socket.socket() as hole:
            hole.bind(("127.0.0.1", 0))
            hole.listen(8)
            yield f"http://127.0.0.1:{hole.getsockname()[1]}"
    else:
        with answering(*{"500": (500, b"{}"), "nonsense": (200, b"<html>")}[kind]) as url:
            yield url


@pytest.mark.parametrize("kind", ["nobody there", "frozen", "black hole", "500", "nonsense"])
def test_while_the_registry_is_wrong_the_last_good_version_answers_and_it_is_told(
    quick: None, root: Path, tracking: Tracking, promote: Callable[[str], None], kind: str
) -> None:
    assert Follower(root, tracking.url).look() is None
    watch = Watch(root / "serving")
    assert answers(watch) == "1"
    with wrong(kind, tracking) as url:
        began = time.monotonic()
        assert Follower(root, url).look() is not None
        assert time.monotonic() - began < 60
    assert answers(watch) == "1"
    assert "the last good versions answer" in watch.lineup.faults["registry"]
    # A server that starts in the middle of it answers as well.
    assert answers(Watch(root / "serving")) == "1"
    assert Follower(root, tracking.url).look() is None
    assert answers(watch) == "1"
    assert not watch.lineup.faults


def test_a_follower_that_cannot_say_how_it_is_looks_again(
    quick: None, root: Path, tracking: Tracking, caplog: pytest.LogCaptureFixture
) -> None:
    in_the_way = root / "serving" / STATUS
    in_the_way.mkdir(parents=True)
    follower = Follower(root, tracking.url)
    assert follower.look() is None
    assert f"{in_the_way}: cannot be written: Is a directory" in caplog.text
    in_the_way.rmdir()
    assert follower.look() is None
    assert told(root)["fault"] is None


def test_a_silent_follower_is_told(root: Path) -> None:
    serving = root / "serving"
    serving.mkdir()
    (serving / STATUS).write_text('{"reached": "2026-01-15T00:00:00+00:00", "fault": null}')
    watch = Watch(serving)
    watch.look()
    assert not watch.lineup.faults
    os.utime(serving / STATUS, (0, 0))
    watch.look()
    assert "its follower is silent; reached last: 2026" in watch.lineup.faults["registry"]
    (serving / STATUS).write_text("{")
    watch.look()
    assert "cannot be read" in watch.lineup.faults["registry"]


def test_a_promotion_at_the_registry_is_served_within_ten_seconds(
    root: Path, tracking: Tracking, promote: Callable[[str], None]
) -> None:
    """The whole chain: server, `smoulder follow` in its own process, canary, swap."""
    words = ["follow", "--registry", tracking.url, "--runs", str(root)]
    watch = Watch(root / "serving")

    def wait_for(version: str, seconds: float) -> float:
        began = time.monotonic()
        while answers(watch) != version:
            assert time.monotonic() - began < seconds, (version, watch.lineup.faults)
            time.sleep(0.2)
        return time.monotonic() - began

    with subprocess.Popen([sys.executable, "-m", "smoulder", *words], cwd=ROOT) as process:
        try:
            wait_for("1", 180)
            took = []
            for version in ("2", "1", "2"):
                promote(version)
                # The service looks every two seconds; here it looks at once.
                took.append(wait_for(version, 60) + 2)
            # Load makes one slow and none quick.
            assert min(took) < 10
        finally:
            process.terminate()


def test_the_patience_with_a_registry_is_short() -> None:
    assert follow.EVERY_SECONDS <= 2
    assert float(os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"]) <= 5
    assert os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] == "0"


def test_a_follower_ends_when_the_server_it_stands_beside_is_gone(tmp_path: Path) -> None:
    from typer.testing import CliRunner

    from smoulder import app

    gone = str(os.getppid() + 1)
    words = ["follow", "--registry", "http://127.0.0.1:9", "--runs", str(tmp_path)]
    assert CliRunner().invoke(app, [*words, "--beside", gone]).exit_code == 0
