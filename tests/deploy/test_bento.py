"""`bentoml build` without a network, and what it built started from its store."""

import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from benchmarks.peers.processes import free_port, stop, wait_until_ready
from serving.examples import EXAMPLE

ROOT = Path(__file__).parents[2]
MARK = "said by the packed copy"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Home of BentoML with a bento of this service."""
    home = tmp_path_factory.mktemp("bentoml")
    environment = {**os.environ, "BENTOML_HOME": str(home), "BENTOML_DO_NOT_TRACK": "True"}
    environment |= {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
    built = subprocess.run(
        [sys.executable, "-m", "bentoml", "build", "--version", "test", str(ROOT)],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=540,
        check=False,
    )
    assert built.returncode == 0, built.stderr[-2000:]
    return home


def test_a_bento_holds_the_service_and_nothing_of_anybody(store: Path) -> None:
    source = store / "bentos" / "smoulder-service" / "test" / "src"
    rooms = {path.name for path in source.iterdir() if path.is_dir()}
    assert rooms == {"features", "models", "serving"}
    kinds = {path.suffix for path in source.rglob("*") if path.is_file()}
    assert not kinds & {".pkl", ".pickle", ".joblib", ".db", ".csv", ".parquet", ".npz", ".ubj"}


def test_what_was_packed_answers_from_its_own_copy(store: Path, tmp_path: Path) -> None:
    # The checkout is installed here as well; an answer that bears a mark of the packed copy alone
    # can only have come from that.
    packed = store / "bentos" / "smoulder-service" / "test" / "src" / "serving" / "answer.py"
    packed.write_text(f"{packed.read_text(encoding='utf-8')}\nNOTICE = {MARK!r}\n", "utf-8")
    port = free_port()
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment = {
        **kept,
        "BENTOML_HOME": str(store),
        "BENTOML_DO_NOT_TRACK": "True",
        "SMOULDER_MODELS_DIR": str(tmp_path / "models"),
        "SMOULDER_AUDIT_DIR": str(tmp_path / "audit"),
    }
    command = [sys.executable, "-m", "bentoml", "serve", "smoulder-service:test"]
    output = tmp_path / "output"
    with output.open("wb") as sink:
        process = subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", str(port)],
            env=environment,
            cwd=tmp_path,
            stdout=sink,
            stderr=subprocess.STDOUT,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until_ready(f"{url}/readyz", process, output)
        told = httpx.post(f"{url}/v1/risk", json=EXAMPLE, timeout=60)
        assert told.status_code == 200, told.text
        assert told.json()["staging"]["stage"] == "SMM"
        assert told.json()["notice"] == MARK
        assert httpx.get(f"{url}/docs.json", timeout=60).status_code == 404
    finally:
        stop(process)
