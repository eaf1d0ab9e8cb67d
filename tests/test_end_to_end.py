"""From the demonstration's registry to the answer over HTTP: every way gives the same risks."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import mlflow
import numpy as np
import pandas as pd
import pytest

from benchmarks.peers.processes import free_port, wait_until_ready
from features.history import FEMALE, HEAVY_CHAINS, KAPPA, History
from features.landmark import LandmarkFeatures
from models.artefact import load_artefact
from models.published.pangea_smm import PANGEA_SMM
from models.published.twenty_two_twenty import TWENTY_TWO_TWENTY
from serving.app import application
from serving.room import Room
from training.follow import Follower

ROOT = Path(__file__).parents[1]
DATES = ("2023-01-10", "2023-07-11", "2024-01-09")
VALUES = {
    "m_protein": (1.9, 2.1, 2.4),
    "kappa_flc": (250.0, 310.0, 420.0),
    "lambda_flc": (9.0, 8.0, 7.0),
    "bmpc": (22.0, np.nan, np.nan),
    "hemoglobin": (13.1, 12.9, 12.2),
    "creatinine": (0.8, 0.85, 0.9),
    "albumin": (4.0, 4.0, 3.9),
}
UNITS = {
    "m_protein": "g/dL",
    "kappa_flc": "mg/L",
    "lambda_flc": "mg/L",
    "bmpc": "%",
    "hemoglobin": "g/dL",
    "creatinine": "mg/dL",
    "albumin": "g/dL",
}


class Demo:
    """`smoulder demo` in a process of its own, until it is stopped."""

    def __init__(self, runs: Path) -> None:
        port = free_port()
        self.runs, self.url, self.output = runs, f"http://127.0.0.1:{port}", runs / "output"
        runs.mkdir()
        # MLflow tells child processes which database another test opened.
        kept = {name: v for name, v in os.environ.items() if not name.startswith("MLFLOW_")}
        with self.output.open("wb") as sink:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "smoulder", "demo"),
                    *("--port", str(port), "--runs", str(runs)),
                ],
                stdout=sink,
                stderr=subprocess.STDOUT,
                cwd=ROOT,
                env={**kept, "PYTHONPATH": str(ROOT)},
            )

    def wait(self) -> None:
        wait_until_ready(f"{self.url}/readyz", self.process, self.output, seconds=540)

    def stop(self) -> None:
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    demo = Demo(tmp_path_factory.mktemp("demo") / "runs")
    try:
        demo.wait()
        yield demo
    finally:
        demo.stop()


@pytest.fixture(scope="module")
def answer(demo: Demo) -> dict[str, Any]:
    visits = [
        {
            "date": date,
            "labs": {
                name: {"value": values[i], "unit": UNITS[name]}
                for name, values in VALUES.items()
                if not np.isnan(values[i])
            },
        }
        for i, date in enumerate(DATES)
    ]
    subject = {"sex": "female", "age": 64, "heavy_chain": "IgG", "light_chain": "kappa"}
    subject["diagnosis_date"] = DATES[0]
    body = {"subject": subject, "visits": visits, "as_of": DATES[-1]}
    reply = httpx.post(f"{demo.url}/v1/risk", json=body, timeout=60)
    assert reply.status_code == 200, reply.text
    told: dict[str, Any] = reply.json()
    return told


@pytest.fixture(scope="module")
def features() -> LandmarkFeatures:
    """The same person by the library: no reader, no request."""
    days = np.array(DATES, dtype="datetime64[D]").astype(np.int64) / 365.25
    labs = {name: np.array(values) for name, values in VALUES.items()}
    ratio = labs["kappa_flc"] / labs["lambda_flc"]
    history = History(
        subject_ids=("A",),
        subject=np.zeros(3, dtype=np.int64),
        time_years=days,
        labs=labs
        | {
            "flc_ratio_kappa_lambda": ratio,
            "flc_ratio_involved": ratio,
            "involved_flc": labs["kappa_flc"],
            "uninvolved_flc": labs["lambda_flc"],
        },
        age_years=64.0 + days - days[-1],
        sex=np.array([FEMALE], dtype=np.int8),
        heavy_chain=np.array([HEAVY_CHAINS.index("IgG")], dtype=np.int8),
        light_chain=np.array([KAPPA], dtype=np.int8),
        diagnosis_years=days[:1],
    )
    return LandmarkFeatures(history, np.array([0]), days[-1:])


def _risks(answer: dict[str, Any], model: str) -> list[float]:
    entry = next(e for e in answer["estimates"] if e["model"] == model)
    assert entry["status"] == "ok", entry
    return [risk["risk"] for risk in entry["risks"]]


def test_the_learned_champion_answers_as_the_library_and_as_mlflow(
    demo: Demo, answer: dict[str, Any], features: LandmarkFeatures
) -> None:
    served = _risks(answer, "smm-progression")
    model = load_artefact(demo.runs / "serving" / "smm-progression" / "artefact")
    library = model.estimate(features).risk[0]
    mlflow.set_tracking_uri(f"sqlite:///{demo.runs / 'mlflow.db'}")
    # Not that of a test before this one.
    mlflow.set_registry_uri(f"sqlite:///{demo.runs / 'mlflow.db'}")
    pyfunc = mlflow.pyfunc.load_model("models:/smm-progression@champion")
    frame = pd.DataFrame(features.matrix(model.features), columns=list(model.features))
    tracked = pyfunc.predict(frame)[[f"risk_{h:g}y" for h in model.horizons_years]].iloc[0]
    np.testing.assert_allclose(served, library, atol=1e-9, rtol=0)
    np.testing.assert_allclose(served, tracked.to_numpy(), atol=1e-9, rtol=0)


def test_published_models_answer_beside_it(
    answer: dict[str, Any], features: LandmarkFeatures
) -> None:
    for model in (TWENTY_TWO_TWENTY, PANGEA_SMM):
        expected = model.estimate(features).risk[0]
        np.testing.assert_allclose(_risks(answer, model.name), expected, atol=1e-9, rtol=0)


def test_a_model_for_mgus_does_not_speak_of_smm(answer: dict[str, Any]) -> None:
    entry = next(e for e in answer["estimates"] if e["model"] == "mgus-progression")
    assert entry["status"] == "refused"
    assert entry["risks"] == []


def test_a_model_of_a_simulated_cohort_says_so(answer: dict[str, Any]) -> None:
    entry = next(e for e in answer["estimates"] if e["model"] == "smm-progression")
    assert entry["provenance"]["cohort_kind"] == "simulated"
    assert any("simulated" in warning for warning in [*answer["warnings"], str(entry)])


def test_the_demonstration_says_honestly_that_the_rule_stays_champion_on_mgus2(
    demo: Demo,
) -> None:
    told = demo.output.read_text()
    assert "Champion: Published rule, recalibrated, version 1." in told
    models = httpx.get(f"{demo.url}/v1/models", timeout=60).json()["models"]
    listed = {m["model"]: m for m in models}
    assert listed["mgus-progression"]["provenance"]["artefact"]["candidate"] == "rule"
    assert listed["smm-progression"]["role"] == "champion"


def test_the_page_answers(demo: Demo) -> None:
    page = httpx.get(f"{demo.url}/ui/", timeout=60)
    assert page.status_code == 200
    assert "M-protein" in page.text


def test_a_refused_version_stands_beside_its_champion_on_the_models_page(
    demo: Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMOULDER_MLFLOW_URL", "https://mlflow.example")
    registry = f"sqlite:///{demo.runs / 'mlflow.db'}"
    assert Follower(tmp_path, registry, challengers=True).look() is None
    room = Room(tmp_path / "serving", tmp_path / "audit")
    room.open()

    async def both() -> tuple[str, str]:
        transport = httpx.ASGITransport(application(room))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            paths = "/ui/models", "/ui/models/mgus-progression@challenger"
            every, one = [await client.get(path) for path in paths]
            return every.text, one.text

    every, page = asyncio.run(both())
    room.close()
    assert 'href="/ui/models/mgus-progression%40challenger">Learned MGUS (challenger)</a>' in every
    assert "through the API, when asked for by name" in every
    # The gate refused it: its champion is the rule, and both are judged on the same people.
    for said in ("challenger, version 2", "Person-period regression", "refused", "/ 1372"):
        assert said in page
    assert 'href="/ui/models/mgus-progression"' in page
    assert 'href="https://mlflow.example/#/models/mgus-progression/versions/2"' in page
    # Calibration and decision curve at 5 and 10 years.
    assert page.count('<svg class="figure') == 4
    assert "Model card" in page
