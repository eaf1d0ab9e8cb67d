import socket
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psutil
import pytest

from benchmarks.peers.processes import free_port, until
from benchmarks.reliability.served import Served
from features.errors import ArtefactError, InputError
from serving.access.keys import add_key
from serving.run import _beside, _bound, serve


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.10", "::", "example.org", ""])
def test_no_address_but_loopback_is_bound(host: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        serve(host=host, models_dir=tmp_path)
    assert caught.value.problem.field == "host"


def test_access_control_without_anybody_to_let_in_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="smoulder keys add"):
        serve(port=3999, models_dir=tmp_path / "serving", access=True)


def test_a_public_address_is_refused_when_access_control_is_turned_off(tmp_path: Path) -> None:
    add_key(tmp_path / "access", "ward", ["risk"])
    with pytest.raises(InputError) as caught:
        serve(host="0.0.0.0", models_dir=tmp_path / "serving", access=False)
    assert caught.value.problem.field == "host"


def test_a_taken_port_is_one_clear_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(InputError, match="is taken; choose another with --port"):
            serve(port=taken.getsockname()[1], models_dir=tmp_path)


def test_a_port_of_several_workers_is_taken_like_any_other() -> None:
    with _bound("127.0.0.1", free_port()) as bound, _beside(bound) as one, _beside(bound) as other:
        for listening in (one, other):
            listening.listen()
        with pytest.raises(InputError, match="is taken"):
            _bound(*bound.getsockname())


def _sockets(worker: int, status: str) -> int:
    return sum(each.status == status for each in psutil.Process(worker).net_connections())


def test_connections_that_come_at_once_are_dealt_out_among_workers(tmp_path: Path) -> None:
    with Served(tmp_path, workers=2) as served, ExitStack() as callers:
        assert until(lambda: [_sockets(pid, "LISTEN") for pid in served.workers()] == [1, 1], 60)
        for _ in range(40):
            caller = socket.create_connection(("127.0.0.1", served.port), timeout=20)
            callers.enter_context(caller)
            caller.sendall(b"GET /livez HTTP/1.1\r\nHost: here\r\n\r\n")
            assert caller.recv(100)
        held = [_sockets(pid, "ESTABLISHED") for pid in served.workers()]
    # Heads or tails, 40 times: fewer than 5 of either kind twice in ten million.
    assert sum(held) == 40
    assert min(held) >= 5


@pytest.mark.parametrize(("port", "workers"), [(0, 1), (65536, 1), (3999, 0)])
def test_impossible_settings_are_named(port: int, workers: int, tmp_path: Path) -> None:
    with pytest.raises(InputError):
        serve(port=port, workers=workers, models_dir=tmp_path)


def test_a_corrupt_model_stops_the_start(tmp_path: Path, publish: Any) -> None:
    (publish(tmp_path) / "artefact" / "manifest.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ArtefactError, match="smm-progression"):
        serve(port=3999, models_dir=tmp_path)


def test_answers_that_could_not_be_recorded_are_not_served(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(InputError, match="audit_dir"):
        serve(port=3999, models_dir=tmp_path, audit_dir=tmp_path / "file" / "audit")
