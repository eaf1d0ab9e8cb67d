"""A server that cannot serve does not start, and says why in one line."""

import signal
import socket
from pathlib import Path
from typing import Any

import pytest

from benchmarks.peers.processes import free_port, until
from features.errors import ArtefactError, InputError
from serving.access.keys import add_key
from serving.run import serve

Started = Any


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.10", "::", "example.org", ""])
def test_no_address_but_loopback_is_bound(host: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        serve(host=host, models_dir=tmp_path)
    assert caught.value.problem.field == "host"


def test_access_control_without_anybody_to_let_in_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="smoulder keys add"):
        serve(port=free_port(), models_dir=tmp_path / "serving", access=True)


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


def test_an_address_of_another_machine_is_not_called_a_taken_port(tmp_path: Path) -> None:
    add_key(tmp_path / "access", "ward", ["risk"])
    # 192.0.2.0/24 is for documentation and nobody's (RFC 5737).
    with pytest.raises(InputError, match=r"host: 192\.0\.2\.1 is not an address of this machine"):
        serve(host="192.0.2.1", models_dir=tmp_path / "serving")


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGHUP])
def test_told_to_stop_while_it_starts_a_server_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: signal.Signals, started: Started
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    reached = tmp_path / "reached"
    with started(tmp_path, free_port(), 1, LONG_START.format(reached=reached)) as server:
        assert until(reached.exists, 60)
        assert list(tmp_path.glob("smoulder-*"))
        server.send_signal(how)
        assert server.wait(timeout=60) == 128 + how
    assert not list(tmp_path.glob("smoulder-*"))


@pytest.mark.parametrize(("port", "workers"), [(0, 1), (65536, 1), (3999, 0)])
def test_impossible_settings_are_named(port: int, workers: int, tmp_path: Path) -> None:
    with pytest.raises(InputError):
        serve(port=port, workers=workers, models_dir=tmp_path)


def test_a_corrupt_model_stops_the_start(tmp_path: Path, publish: Any) -> None:
    (publish(tmp_path) / "artefact" / "manifest.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ArtefactError, match="smm-progression"):
        serve(port=free_port(), models_dir=tmp_path)


def test_answers_that_could_not_be_recorded_are_not_served(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(InputError, match="audit_dir"):
        serve(port=free_port(), models_dir=tmp_path, audit_dir=tmp_path / "file" / "audit")


LONG_START = """
import signal, time
from pathlib import Path
from serving import run
signal.signal(signal.SIGHUP, signal.SIG_DFL)
def rehearse(_):
    Path("{reached}").touch()
    time.sleep(600)
run._rehearse = rehearse
"""
