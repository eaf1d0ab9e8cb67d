import socket
from pathlib import Path
from typing import Any

import pytest

from features.errors import ArtefactError, InputError
from serving.access.keys import add_key
from serving.run import serve


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
