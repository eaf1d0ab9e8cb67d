import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from features.errors import AuditError, InputError
from features.sources.printed import printed
from serving.audit import AuditLog, make_key, verify
from serving.audit.record import GENESIS, chained
from serving.audit.sqlite import MOST_ROWS, SqliteStore

ROOT = Path(__file__).parents[3]

Body = dict[str, Any]
Client = Any
Server = Any


@pytest.fixture
def log(tmp_path: Path) -> Any:
    found = AuditLog(tmp_path)
    found.open()
    yield found
    found.close()


def records(path: Path) -> list[Body]:
    with closing(sqlite3.connect(path)) as connection:
        return [json.loads(row[0]) for row in connection.execute("SELECT record FROM audit")]


def test_what_is_acknowledged_is_on_disk_in_order(log: AuditLog) -> None:
    for i in range(50):
        log.append([{"n": i}]).result(timeout=60)
    assert [record["n"] for record in records(log.path)] == list(range(50))
    assert verify(log.path.parent).broken_at is None


def test_a_group_of_more_rows_than_a_statement_takes_is_one_chain(log: AuditLog) -> None:
    number = 2 * MOST_ROWS + 1
    log.append([{"n": i} for i in range(number)]).result(timeout=60)
    assert [record["n"] for record in records(log.path)] == list(range(number))
    assert (verify(log.path.parent).records, verify(log.path.parent).broken_at) == (number, None)


def test_many_writers_of_one_file_make_one_chain(log: AuditLog, tmp_path: Path) -> None:
    other = AuditLog(tmp_path)
    other.open()
    waiting = [each.append([{"n": i}]) for i in range(200) for each in (log, other)]
    for written in waiting:
        written.result(timeout=60)
    other.close()
    verdict = verify(log.path.parent)
    assert (verdict.records, verdict.broken_at) == (400, None)


def test_a_record_that_cannot_be_written_stops_nobody_elses(log: AuditLog) -> None:
    with pytest.raises(AuditError):
        log.append([{"caller": "\ud800"}]).result(timeout=60)
    log.append([{"n": 1}]).result(timeout=60)
    assert records(log.path) == [{"n": 1}]


def test_writers_that_open_a_new_file_at_the_same_moment_all_write(tmp_path: Path) -> None:
    """Left alone, SQLite refuses one of them now and then: it does not wait for that change."""
    for number in range(20):
        start = threading.Barrier(8)
        stores = [SqliteStore(tmp_path / f"{number}.db") for _ in range(8)]

        def write(store: SqliteStore, start: threading.Barrier = start) -> None:
            start.wait()
            with closing(store):
                store.append(['{"n":1}'])

        with ThreadPoolExecutor(8) as threads:
            list(threads.map(write, stores))
        assert len(records(stores[0].path)) == 8


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE audit SET record = replace(record, '3', '4') WHERE seq = 3",
        "DELETE FROM audit WHERE seq = 3",
        "UPDATE audit SET hash = (SELECT hash FROM audit WHERE seq = 2) WHERE seq = 3",
        "UPDATE audit SET seq = seq + 1 WHERE seq >= 3 AND seq = 5",
    ],
)
def test_a_changed_removed_or_moved_record_is_found(log: AuditLog, tampering: str) -> None:
    for i in range(1, 6):
        log.append([{"n": i}]).result(timeout=60)
    head = verify(log.path.parent).head
    connection = sqlite3.connect(log.path)
    connection.execute(tampering)
    connection.commit()
    connection.close()
    verdict = verify(log.path.parent)
    assert verdict.broken_at == (5 if "seq = 5" in tampering else 3)
    assert verdict.head != head or verdict.broken_at


def test_a_cut_off_end_shows_in_the_head(log: AuditLog) -> None:
    for i in range(3):
        log.append([{"n": i}]).result(timeout=60)
    head = verify(log.path.parent).head
    with closing(sqlite3.connect(log.path)) as connection, connection:
        connection.execute("DELETE FROM audit WHERE seq = 3")
    verdict = verify(log.path.parent, kept=head)
    assert verdict.broken_at is None
    assert verdict.head != head
    assert verdict.kept_at is None


def test_a_log_that_grew_holds_the_hash_that_was_kept(log: AuditLog) -> None:
    log.append([{"n": 1}, {"n": 2}]).result(timeout=60)
    head = verify(log.path.parent).head
    log.append([{"n": 3}]).result(timeout=60)
    assert verify(log.path.parent, kept=head).kept_at == 2


def test_a_log_that_was_changed_and_chained_anew_does_not(log: AuditLog) -> None:
    log.append([{"n": 1}, {"n": 2}]).result(timeout=60)
    kept = verify(log.path.parent).head
    with closing(sqlite3.connect(log.path)) as connection, connection:
        head = GENESIS
        for seq, text in enumerate(['{"n":7}', '{"n":2}'], start=1):
            head = chained(head, seq, text)
            connection.execute("UPDATE audit SET hash=?, record=? WHERE seq=?", (head, text, seq))
    verdict = verify(log.path.parent, kept=kept)
    assert (verdict.broken_at, verdict.kept_at) == (None, None)


@pytest.mark.parametrize("put_back", [False, True], ids=["removed", "replaced by a copy"])
def test_a_record_that_went_to_a_file_put_away_is_not_acknowledged(
    log: AuditLog, tmp_path: Path, put_back: bool
) -> None:
    log.append([{"n": 1}]).result(timeout=60)
    with closing(sqlite3.connect(log.path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = log.path.read_bytes()
    for file in tmp_path.glob("audit.db*"):
        file.unlink()
    if put_back:
        log.path.write_bytes(content)
    with pytest.raises(AuditError, match="moved or replaced"):
        log.append([{"n": 2}]).result(timeout=60)
    log.append([{"n": 3}]).result(timeout=60)
    assert records(log.path) == ([{"n": 1}] if put_back else []) + [{"n": 3}]
    assert verify(tmp_path).broken_at is None


@pytest.mark.parametrize("spoil", ["empty", "short", "folder", "pipe"])
def test_a_key_that_is_none_keys_nothing(
    tmp_path: Path, spoil: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.keyfile.PATIENCE_SECONDS", 0.05)
    key = tmp_path / "key"
    if spoil == "folder":
        key.mkdir()
    elif spoil == "pipe":
        os.mkfifo(key)
    else:
        key.write_bytes(b"" if spoil == "empty" else b"secret")
    with pytest.raises(InputError, match="at least 32 random bytes"):
        make_key(tmp_path, SqliteStore(tmp_path / "audit.db"))


def test_the_key_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    store, path = SqliteStore(tmp_path / "audit.db"), tmp_path / "key"
    key = make_key(tmp_path, store)
    assert make_key(tmp_path, store) == path.read_bytes() == key
    assert len(key) == 32
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_lost_key_is_not_made_anew_for_records_that_it_keys(log: AuditLog) -> None:
    directory = log.path.parent
    log.append([]).result(timeout=60)
    (directory / "key").unlink()
    AuditLog(directory).open()
    log.append([{"n": 1}]).result(timeout=60)
    (directory / "key").unlink()
    with pytest.raises(InputError, match="is missing, and the log has records"):
        AuditLog(directory).open()
    assert not (directory / "key").exists()


def test_equal_inputs_have_equal_hashes_under_one_key_only(log: AuditLog, tmp_path: Path) -> None:
    other = AuditLog(tmp_path / "other")
    other.open()
    assert log.keyed({"a": 1, "b": 2}) == log.keyed({"b": 2, "a": 1})
    assert log.keyed({"a": 1}) != log.keyed({"a": 2})
    assert log.keyed({"a": 1}) != other.keyed({"a": 1})
    # As FHIR's numbers are read, with their digits.
    assert log.keyed({"a": printed("1.10")}) == log.keyed({"a": 1.1})
    other.close()


def test_nothing_to_verify_is_an_error_not_a_success(tmp_path: Path) -> None:
    with pytest.raises(AuditError, match="there is no audit log"):
        verify(tmp_path)
    (tmp_path / "audit.db").write_bytes(b"not a database")
    with pytest.raises(AuditError, match="cannot be read"):
        verify(tmp_path)


def test_the_command_line_tells_whole_from_broken(tmp_path: Path) -> None:
    def command(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "smoulder", "audit", "verify", "--runs", str(tmp_path), *words],
            capture_output=True,
            text=True,
            cwd=ROOT,
            check=False,
        )

    assert command().returncode == 2
    found = AuditLog(tmp_path / "audit")
    found.open()
    found.append([{"n": 1}, {"n": 2}]).result(timeout=60)
    found.close()
    whole = command("--json")
    assert whole.returncode == 0
    head = verify(found.path.parent).head
    assert json.loads(whole.stdout) == {"records": 2, "head": head, "broken_at": None}
    assert command("--head", head).returncode == 0
    assert command("--head", "f" * 64).returncode == 1
    with closing(sqlite3.connect(found.path)) as connection, connection:
        connection.execute("UPDATE audit SET record = '{}' WHERE seq = 2")
    broken = command()
    assert broken.returncode == 1
    assert "record 2 is not the one that was written" in broken.stderr


def test_every_answer_is_on_record_with_models_and_hashes(
    client: Client, room: Any, body: Body
) -> None:
    body["subject"]["id"] = "A"
    single = client.post("/v1/risk", json=body)
    client.post("/v1/risk/batch", json={"subjects": [body, {"subject": {}}]})
    client.post("/v1/risk", json={})
    first, second = records(room.audit.path)
    assert first["request_id"] == single.headers["x-request-id"]
    assert (first["route"], second["route"]) == ("risk", "risk_batch")
    assert first["input"] == room.audit.keyed(body) == second["input"]
    assert first["subject"] == room.audit.keyed("A")
    said = single.json()["estimates"]
    assert [(o["model"], o["risks"]) for o in first["outputs"]] == [
        (e["model"], e["risks"]) for e in said
    ]
    learned = first["outputs"][0]
    assert learned["sha256"] == said[0]["provenance"]["artefact"]["sha256"]


def test_an_answer_that_cannot_be_recorded_is_not_given(
    client: Client, room: Any, body: Body
) -> None:
    assert client.post("/v1/risk", json=body).status_code == 200
    connection = sqlite3.connect(room.audit.path)
    connection.execute("ALTER TABLE audit RENAME TO elsewhere")
    connection.commit()
    connection.execute("CREATE TABLE audit (one TEXT)")
    connection.commit()
    for path, asked in (
        ("/v1/risk", {"json": body}),
        ("/v1/risk/batch", {"json": {"subjects": [body]}}),
    ):
        response = client.post(path, **asked)
        assert response.status_code == 503
        assert "estimates" not in response.text
    assert "smoulder_unrecorded_total 2.0" in client.get("/metrics").text
    connection.execute("DROP TABLE audit")
    connection.execute("ALTER TABLE elsewhere RENAME TO audit")
    connection.commit()
    connection.close()
    assert client.post("/v1/risk", json=body).status_code == 200
    assert verify(room.audit.path.parent).broken_at is None


def test_the_log_holds_no_value_and_no_identifier(client: Client, room: Any, body: Body) -> None:
    body["subject"]["id"] = "Zaphod-Beeblebrox"
    body["visits"][1]["labs"]["ldh"] = {"value": 4815.1623, "unit": "U/L"}
    assert client.post("/v1/risk", json=body).status_code == 200
    written = b"".join(path.read_bytes() for path in room.audit.path.parent.glob("audit.db*"))
    assert written
    for secret in (b"Zaphod", b"4815.1623"):
        assert secret not in written


def ask_until(over: threading.Event, url: str, body: Body, acknowledged: list[str]) -> None:
    """Ask again and again, noting what was acknowledged; a torn connection is opened anew."""
    while not over.is_set():
        try:
            response = httpx.post(f"{url}/v1/risk", json=body, timeout=30)
        except httpx.TransportError:
            continue
        if response.status_code == 200:
            acknowledged.append(response.json()["request_id"])


def test_no_answer_is_acknowledged_without_record_when_workers_are_killed(
    server: Server, body: Body
) -> None:
    acknowledged: list[str] = []
    over = threading.Event()
    askers = [
        threading.Thread(target=ask_until, args=(over, server.url, body, acknowledged))
        for _ in range(4)
    ]
    for asker in askers:
        asker.start()
    for _ in range(2):
        time.sleep(1.0)
        before = len(acknowledged)
        for worker in server.workers():
            os.kill(int(worker.name), signal.SIGKILL)
        until = time.monotonic() + 60
        while len(acknowledged) < before + 11:
            assert time.monotonic() < until, "no recovery"
            time.sleep(0.05)
    over.set()
    for asker in askers:
        asker.join(timeout=60)
    path = server.models_dir.parent / "audit" / "audit.db"
    recorded = {record["request_id"] for record in records(path)}
    assert len(acknowledged) > 20
    assert set(acknowledged) <= recorded
    assert verify(path.parent).broken_at is None
