import json
import os
import threading
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from features.errors import InputError
from serving.access import keys
from serving.access.keys import KeyRing, add_key, read_keys, revoke_key, rotate_key
from serving.commands.keys import keys as commands


def test_no_key_stands_in_its_file(tmp_path: Path) -> None:
    key, text = add_key(tmp_path, "ward", ["risk"])
    stored = (tmp_path / "keys.json").read_text()
    assert text not in stored
    assert text.removeprefix(keys.PREFIX) not in stored
    assert (tmp_path / "keys.json").stat().st_mode & 0o077 == 0
    # 32 random bytes are 43 characters of base64.
    assert len(text) == len(keys.PREFIX) + 43
    assert KeyRing(tmp_path).find(text) == key


@pytest.mark.parametrize(
    ("name", "scopes", "days"),
    [
        ("", ["risk"], None),
        ("a b", ["risk"], None),
        ("a", [], None),
        ("a", ["all"], None),
        ("a", ["risk"], 0.0),
    ],
)
def test_a_key_without_holder_scope_or_time_is_refused(
    tmp_path: Path, name: str, scopes: list[str], days: float | None
) -> None:
    with pytest.raises(InputError):
        add_key(tmp_path, name, scopes, days=days)
    assert read_keys(tmp_path) == []


def test_keys_made_at_once_are_all_kept(tmp_path: Path) -> None:
    makers = [
        threading.Thread(target=add_key, args=(tmp_path, f"ward-{i}", ["risk"])) for i in range(12)
    ]
    for maker in makers:
        maker.start()
    for maker in makers:
        maker.join()
    assert {key.name for key in read_keys(tmp_path)} == {f"ward-{i}" for i in range(12)}


def test_a_rotation_never_lengthens_the_life_of_an_old_key(tmp_path: Path) -> None:
    old, _ = add_key(tmp_path, "ward", ["batch", "risk"], days=1 / 24)
    new, _ = rotate_key(tmp_path, "ward", overlap_hours=48)
    assert read_keys(tmp_path) == [old, new]
    assert new.scopes == ("batch", "risk")
    third, _ = rotate_key(tmp_path, new.id, overlap_hours=0)
    assert [key.id for key in read_keys(tmp_path)] == [old.id, new.id, third.id]
    assert read_keys(tmp_path)[1].expires_at <= third.expires_at


def test_revoking_a_holder_removes_all_its_keys_and_an_id_one(tmp_path: Path) -> None:
    for name in ("a", "a", "b"):
        add_key(tmp_path, name, ["risk"])
    first = read_keys(tmp_path)[0]
    assert revoke_key(tmp_path, first.id) == [first]
    assert [key.name for key in revoke_key(tmp_path, "a")] == ["a"]
    assert [key.name for key in read_keys(tmp_path)] == ["b"]
    with pytest.raises(InputError, match="no key is held"):
        revoke_key(tmp_path, "a")


@pytest.mark.parametrize(
    "content",
    ["{", "[]", '{"keys": 1}', '{"keys": [{"name": "a"}]}', '{"keys": [1]}', "[" * 100_000],
    ids=["torn", "a list", "a number", "half a key", "no key", "very deep"],
)
def test_a_file_that_cannot_be_read_opens_nothing(
    tmp_path: Path, content: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "LOOK_SECONDS", 0.0)
    _, text = add_key(tmp_path, "ward", ["risk"])
    ring = KeyRing(tmp_path)
    assert ring.find(text) is not None
    (tmp_path / "keys.json").write_text(content)
    assert ring.find(text) is None
    with pytest.raises(InputError, match=r"keys\.json"):
        add_key(tmp_path, "ward", ["risk"])
    assert (tmp_path / "keys.json").read_text() == content


def test_a_pipe_in_the_place_of_the_keys_opens_nothing_and_holds_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "LOOK_SECONDS", 0.0)
    _, text = add_key(tmp_path, "ward", ["risk"])
    ring = KeyRing(tmp_path)
    assert ring.find(text) is not None
    (tmp_path / "keys.json").unlink()
    os.mkfifo(tmp_path / "keys.json")
    found: list[object] = []
    looking = threading.Thread(target=lambda: found.append(ring.find(text)), daemon=True)
    looking.start()
    looking.join(timeout=60)
    assert found == [None]


def test_the_commands_make_list_rotate_and_revoke(tmp_path: Path) -> None:
    def command(*words: str) -> Result:
        return CliRunner().invoke(commands, [*words, "--runs", str(tmp_path)])

    made = command("add", "ward", "--scopes", "risk, batch")
    assert made.exit_code == 0, made.stderr
    assert KeyRing(tmp_path / "access").find(made.stdout.strip()) is not None
    rotated = command("rotate", "ward")
    assert rotated.stdout != made.stdout
    (first, second) = json.loads(command("list", "--json").stdout)
    assert (first["scopes"], second["expires"]) == (["batch", "risk"], None)
    assert first["expires"] is not None
    assert command("revoke", "ward").exit_code == 0
    assert json.loads(command("list", "--json").stdout) == []
    for words in (("add", "ward", "--scopes", "all"), ("revoke", "ward"), ("rotate", "ward")):
        assert isinstance(command(*words).exception, InputError)
