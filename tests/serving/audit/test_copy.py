"""Copies of a log in use: whole, checked, and a log that can be gone on with."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from features.errors import AuditError, InputError
from serving.audit import AuditLog, verify
from serving.audit.copy import copy_log
from serving.audit.store import store_of
from serving.audit.verify import verify_file

Run = Callable[..., Any]


@pytest.fixture
def log(tmp_path: Path) -> Iterator[AuditLog]:
    """A log in use, of three records."""
    found = AuditLog(tmp_path / "audit")
    found.open()
    for i in range(3):
        found.append([{"n": i}]).result(timeout=60)
    yield found
    found.close()


def test_a_copy_holds_what_was_acknowledged_where_a_copied_file_alone_need_not(
    log: AuditLog, tmp_path: Path
) -> None:
    directory = log.path.parent
    head = verify(directory).head
    assert copy_log(directory, tmp_path / "copy.db").head == head
    assert list(store_of(directory).rows()) == rows(tmp_path / "copy.db")
    shutil.copyfile(log.path, tmp_path / "bare.db")
    try:
        bare = verify_file(tmp_path / "bare.db", kept=head)
    except AuditError:
        return  # not even its table was there
    assert bare.broken_at is None
    assert bare.records < 3
    assert bare.kept_at is None


def test_a_copy_is_one_file_of_its_owner_and_needs_no_second(log: AuditLog, tmp_path: Path) -> None:
    place = tmp_path / "kept"
    place.mkdir()
    copy_log(log.path.parent, place / "copy.db")
    assert [path.name for path in place.iterdir()] == ["copy.db"]
    assert (place / "copy.db").stat().st_mode & 0o777 == 0o600
    verify_file(place / "copy.db")
    assert [path.name for path in place.iterdir()] == ["copy.db"]


def test_a_log_goes_on_from_its_copy(log: AuditLog, tmp_path: Path) -> None:
    restored = tmp_path / "restored"
    restored.mkdir()
    head = copy_log(log.path.parent, restored / "audit.db").head
    (restored / "key").write_bytes((log.path.parent / "key").read_bytes())
    again = AuditLog(restored)
    again.open()
    again.append([{"n": "again"}]).result(timeout=60)
    again.close()
    verdict = verify(restored, kept=head)
    assert (verdict.records, verdict.broken_at, verdict.kept_at) == (4, None, 3)


def test_a_log_in_postgresql_is_copied_to_a_file(postgres: Any, tmp_path: Path) -> None:
    url = str(postgres.create("audit_copied"))
    store = store_of(tmp_path, url)
    store.append(['{"n": 1}', '{"n": 2}'])
    store.close()
    assert copy_log(tmp_path, tmp_path / "copy.db", url) == verify(tmp_path, url)
    assert rows(tmp_path / "copy.db") == list(store.rows())


def test_nothing_is_written_over_and_nothing_half_is_left(log: AuditLog, tmp_path: Path) -> None:
    copy_log(log.path.parent, tmp_path / "copy.db")
    with pytest.raises(InputError, match="exists"):
        copy_log(log.path.parent, tmp_path / "copy.db")
    place = tmp_path / "nothing"
    place.mkdir()
    with pytest.raises(AuditError, match="there is no audit log"):
        copy_log(place, place / "copy.db")
    assert list(place.iterdir()) == []


def test_the_command_line_copies_and_checks_copies(log: AuditLog, tmp_path: Path, run: Run) -> None:
    copy = tmp_path / "copy.db"
    head = verify(log.path.parent).head
    made = run("audit", "copy", copy, "--runs", tmp_path)
    assert (made.returncode, made.stdout.count(head)) == (0, 1)
    assert run("audit", "verify", "--file", copy, "--head", head).returncode == 0
    with closing(sqlite3.connect(copy)) as connection, connection:
        connection.execute("UPDATE audit SET record = '{}' WHERE seq = 2")
    broken = run("audit", "verify", "--file", copy)
    assert broken.returncode == 1
    assert "record 2" in broken.stderr
    assert run("audit", "copy", copy, "--runs", tmp_path).returncode == 2


def rows(path: Path) -> list[tuple[int, str, str]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT seq, hash, record FROM audit ORDER BY seq").fetchall()
