"""The service under load, beside the servers one might write instead.

    python -m benchmarks.serving [--part throughput|latency|memory|start]
        [--seconds 10] [--sustained 600]

Needs wrk. Every server runs in its own process on a free port of this machine; peers take turns in
one run, so that ratios can be trusted where times cannot. The question is one subject with three
visits of eight laboratory values: all published models, a boosted champion with its 40 refits,
interval, contributions, and a durable record before the reply. Prints JSON; a run of all parts
writes its section of docs/benchmarks.md.
"""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks.page import write_section
from benchmarks.peers.load import Load, Server, start, wrk

RISK = "/v1/risk"
CONNECTIONS = 16
ROUNDS = 3
"""Turns of everybody; the median counts."""
LABS = {
    "m_protein": (24, "g/L"),
    "kappa_flc": (312, "mg/L"),
    "lambda_flc": (11.4, "mg/L"),
    "bmpc": (22, "%"),
    "hemoglobin": (12.4, "g/dL"),
    "creatinine": (80, "umol/L"),
    "calcium": (9.4, "mg/dL"),
    "albumin": (41, "g/L"),
}
"""A made-up person, as in the OpenAPI document, with calcium and albumin."""

BODY: dict[str, Any] = {
    "subject": {"sex": "female", "age": 61, "heavy_chain": "IgG", "light_chain": "kappa"},
    "visits": [
        {
            "date": day,
            "labs": {
                name: {"value": round(value * share, 3), "unit": unit}
                for name, (value, unit) in LABS.items()
            },
        }
        for day, share in (("2024-09-09", 0.9), ("2025-03-04", 0.95), ("2025-09-09", 1.0))
    ],
}
PLAIN = BODY | {"intervals": False, "contributions": False}

SERVE = """
import sys
from pathlib import Path
from serving.run import serve
serve(port=int(sys.argv[1]), models_dir=Path(sys.argv[2]), audit_dir=Path(sys.argv[3]),
      workers=int(sys.argv[4]))
"""


def make_champion(folder: Path) -> Path:
    """A boosted champion of a small simulated cohort under ``models``, and its booster alone."""
    from models.artefact import save_artefact
    from training.fit import train
    from training.simulation import simulate_cohort
    from training.study import read_study

    trained = train(simulate_cohort(600, seed=3), read_study("smm"), candidate="xgboost", seed=1)
    model = trained.candidate.model
    place = folder / "models" / model.name
    save_artefact(model, place / "artefact", boosters=trained.candidate.boosters)
    role = {
        "name": model.name,
        "version": "1",
        "role": "champion",
        "study_hash": model.provenance["study_hash"],
        "cohort_kind": model.provenance["cohort_kind"],
        "run_id": "benchmark",
    }
    (place / "role.json").write_text(json.dumps(role), encoding="utf-8")
    shutil.copy(place / "artefact" / "booster-2y.ubj", folder / "booster.ubj")
    return folder


class Stand:
    """Servers of one benchmark, made from one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.audits = 0

    def ours(self, workers: int = 1) -> Server:
        """The service as `smoulder serve` starts it."""
        return start([sys.executable, "-c", SERVE, "PORT", *self._state(), str(workers)], "/readyz")

    def bare(self, *free: str) -> Server:
        """The use case behind one ASGI function."""
        command = [sys.executable, "-m", "benchmarks.peers.bare_asgi", "PORT"]
        return start([*command, *self._state(), *free], "/")

    def fastapi(self) -> Server:
        """Validation by pydantic and `inplace_predict`, nothing else."""
        booster = str(self.folder / "booster.ubj")
        command = [sys.executable, "-m", "benchmarks.peers.minimal_fastapi", "PORT", booster]
        return start(command, "/openapi.json")

    def mlflow(self) -> Server:
        """MLflow's own scoring server on the same booster."""
        model = self.folder / "mlflow-model"
        if not model.exists():
            import mlflow.xgboost
            import xgboost

            booster = xgboost.Booster(model_file=self.folder / "booster.ubj")
            mlflow.xgboost.save_model(booster, model, pip_requirements=["xgboost-cpu"])
        command = [sys.executable, "-m", "mlflow", "models", "serve", "-m", str(model), "-p"]
        return start([*command, "PORT", "-h", "127.0.0.1", "--env-manager", "local"], "/ping")

    def mlflow_body(self) -> dict[str, Any]:
        """One row, as MLflow's server takes it."""
        import xgboost

        columns = xgboost.Booster(model_file=self.folder / "booster.ubj").num_features()
        return {"inputs": [[1.0] * columns]}

    def _state(self) -> tuple[str, str]:
        self.audits += 1
        return str(self.folder / "models"), str(self.folder / f"audit-{self.audits}")


def throughput(stand: Stand, seconds: float) -> dict[str, Any]:
    """Requests per second and processor per answer, everybody in turns."""
    with ExitStack() as stack:
        ours = stack.enter_context(stand.ours())
        takers = {
            "ours": (ours, RISK, BODY),
            "ours, plain": (ours, RISK, PLAIN),
            "ours, two workers": (stack.enter_context(stand.ours(2)), RISK, BODY),
            "bare ASGI": (stack.enter_context(stand.bare()), RISK, BODY),
            "bare ASGI, use case free": (stack.enter_context(stand.bare("free")), RISK, BODY),
            "minimal FastAPI": (stack.enter_context(stand.fastapi()), RISK, BODY),
            "MLflow's scoring server": (
                stack.enter_context(stand.mlflow()),
                "/invocations",
                stand.mlflow_body(),
            ),
        }
        found: dict[str, list[Load]] = {name: [] for name in takers}
        for server, path, body in takers.values():
            wrk(server, path, body, CONNECTIONS, 1.0)
        for _ in range(ROUNDS):
            for name, (server, path, body) in takers.items():
                found[name].append(wrk(server, path, body, CONNECTIONS, seconds))
        alone = wrk(ours, RISK, BODY, 1, seconds)
    rate = {name: statistics.median(x.per_second for x in loads) for name, loads in found.items()}
    cost = {name: statistics.median(x.cpu_us for x in loads) for name, loads in found.items()}
    return {
        "requests_per_second": {name: round(value, 1) for name, value in rate.items()},
        "cpu_us_per_answer": {name: round(value) for name, value in cost.items()},
        "lone_request_ms": alone.p50_ms,
        "times_fastapi": round(rate["ours"] / rate["minimal FastAPI"], 2),
        "times_mlflow": round(rate["ours"] / rate["MLflow's scoring server"], 1),
        "cpu_over_bare": round(cost["ours"] / cost["bare ASGI"], 2),
        "two_workers": round(rate["ours, two workers"] / rate["ours"], 2),
        # Plus nothing, so that none is not told as -0.
        "interval_and_contributions": round(cost["ours"] / cost["ours, plain"] - 1.0, 2) + 0.0,
    }


def latency(stand: Stand, seconds: float) -> dict[str, Any]:
    """p50, p99 and resident memory of one worker under the load for a while."""
    with stand.ours() as server:
        wrk(server, RISK, BODY, CONNECTIONS, max(1.0, seconds / 10))
        before = server.resident_mb()
        load = wrk(server, RISK, BODY, CONNECTIONS, seconds)
        after = server.resident_mb()
    return {
        "seconds": seconds,
        "p50_ms": load.p50_ms,
        "p99_ms": load.p99_ms,
        "p99_over_p50": round(load.p99_ms / load.p50_ms, 2),
        "resident_mb": round(after, 1),
        "resident_growth": round(after / before - 1.0, 3),
    }


def memory(stand: Stand, _: float) -> dict[str, Any]:
    """Resident memory of a worker that has answered, and the learners that it has loaded."""
    with stand.ours() as server:
        wrk(server, RISK, BODY, CONNECTIONS, 2.0)
        loaded = server.mapped("pandas", "sklearn", "xgboost", "pyarrow", "scipy")
        return {"worker_mb": round(server.resident_mb(), 1), "loaded": loaded}


def starting(stand: Stand, _: float) -> dict[str, Any]:
    """From nothing to ready, beside the imports that a server of this kind would make."""
    ours, imports = [], []
    for _round in range(ROUNDS):
        imports.append(_imports_seconds())
        with stand.ours() as server:
            ours.append(server.ready_after)
    ratio = statistics.median(ours) / statistics.median(imports)
    return {
        "ready_seconds": round(statistics.median(ours), 2),
        "imports_seconds": round(statistics.median(imports), 2),
        "start_over_imports": round(ratio, 2),
    }


def _imports_seconds() -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import bentoml, mlflow, xgboost"], check=True)
    return time.perf_counter() - began


PARTS = {"throughput": throughput, "latency": latency, "memory": memory, "start": starting}

LIMITS = (
    ("throughput, times a minimal FastAPI app", "times_fastapi", "at least", 1.5),
    ("throughput, times MLflow's scoring server", "times_mlflow", "at least", 20),
    ("processor per answer, times bare ASGI", "cpu_over_bare", "at most", 1.3),
    ("throughput of two workers, times one", "two_workers", "at least", 1.6),
    ("interval and contributions, on top", "interval_and_contributions", "at most", 0.6),
    ("p99 over p50 under load", "p99_over_p50", "at most", 4),
    ("growth of resident memory", "resident_growth", "at most", 0.05),
    ("resident memory of a worker, MB", "worker_mb", "at most", 150),
    ("start to ready, times the imports", "start_over_imports", "at most", 2.5),
)


def section(found: dict[str, Any]) -> str:
    """Markdown of what was measured."""
    lines = [
        "## The service under load",
        "",
        "`python -m benchmarks.serving` – wrk, 16 connections, one worker; one subject, three "
        "visits of eight values, all published models, a boosted champion with 40 refits, "
        "interval, contributions, durable audit. The FastAPI peer validates the same body with "
        "pydantic and calls `Booster.inplace_predict`, no more; the bare ASGI peer (uvicorn, "
        "uvloop, httptools, msgspec) calls the same use case, gathering and audit included; with "
        "the use case free it reads, records and sends all the same, and gives everybody the first "
        "answer.",
        "",
        "| | measured | limit |",
        "|---|---|---|",
    ]
    for label, key, word, limit in LIMITS:
        if key in found:
            lines.append(f"| {label} | {found[key]:g} | {word} {limit:g} |")
    for title, key in (
        ("requests per second", "requests_per_second"),
        ("µs of processor per answer", "cpu_us_per_answer"),
    ):
        if key in found:
            told = ", ".join(f"{name} {value:g}" for name, value in found[key].items())
            lines.append(f"| {title} | {told} | |")
    others = ("lone_request_ms", "p50_ms", "p99_ms", "seconds", "ready_seconds")
    lines += [f"| {key.replace('_', ' ')} | {found[key]:g} | |" for key in others if key in found]
    return "\n".join(lines)


def main() -> None:
    """Print the measurements."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", choices=PARTS, action="append")
    parser.add_argument("--seconds", type=float, default=10.0, help="of load, per round")
    parser.add_argument("--sustained", type=float, default=60.0, help="seconds of the latency part")
    parser.add_argument("--models", type=Path, help="folder made before, to be used again")
    chosen = parser.parse_args()
    if shutil.which("wrk") is None:
        sys.exit("wrk is missing; type: sudo apt-get install -y wrk")
    with tempfile.TemporaryDirectory() as temporary:
        folder = chosen.models or Path(temporary)
        if not (folder / "booster.ubj").exists():
            make_champion(folder)
        stand = Stand(folder)
        found: dict[str, Any] = {}
        for part in chosen.part or PARTS:
            seconds = chosen.sustained if part == "latency" else chosen.seconds
            found |= PARTS[part](stand, seconds)
            print(json.dumps({"benchmark": f"serving, {part}", **found}), flush=True)
    if not chosen.part:
        write_section("serving", section(found))


if __name__ == "__main__":
    main()
