"""The log in PostgreSQL: several replicas, one chain; what happens when the server goes."""

import asyncio
import itertools
import json
import threading
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest

from features.errors import AuditError, InputError
from serving.app import application
from serving.audit import AuditLog, verify
from serving.audit.postgres import OPTIONS
from serving.audit.store import store_of
from serving.room import Room

Postgres = Any
COUNT = itertools.count()


@pytest.fixture
def url(postgres: Postgres) -> str:
    """An empty database."""
    return str(postgres.create(f"audit_{next(COUNT)}"))


@pytest.fixture
def log(tmp_path: Path, url: str) -> Any:
    found = AuditLog(tmp_path, url)
    found.open()
    yield found
    found.close()


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Patience of less than five seconds; two are the least that a connection can be given."""
    monkeypatch.setitem(OPTIONS, "options", "-c lock_timeout=500ms")
    monkeypatch.setitem(OPTIONS, "connect_timeout", 2)


def change(url: str, statement: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(statement)  # type: ignore[call-overload]


def test_what_is_acknowledged_is_in_the_table_in_order(
    log: AuditLog, tmp_path: Path, url: str
) -> None:
    for i in range(30):
        log.append([{"n": i}, {"m": i}]).result(timeout=60)
    assert [json.loads(record) for _, _, record in store_of(tmp_path, url).rows()] == [
        record for i in range(30) for record in ({"n": i}, {"m": i})
    ]
    assert verify(tmp_path, url).broken_at is None


def test_many_replicas_make_one_chain(tmp_path: Path, url: str) -> None:
    replicas = [AuditLog(tmp_path, url) for _ in range(4)]
    for replica in replicas:
        replica.open()
    waiting = [each.append([{"n": i}]) for i in range(100) for each in replicas]
    for written in waiting:
        written.result(timeout=60)
    for replica in replicas:
        replica.close()
    verdict = verify(tmp_path, url)
    assert (verdict.records, verdict.broken_at) == (400, None)


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE audit SET record = replace(record, '3', '4') WHERE seq = 3",
        "DELETE FROM audit WHERE seq = 3",
        "UPDATE audit SET hash = (SELECT hash FROM audit WHERE seq = 2) WHERE seq = 3",
    ],
)
def test_a_changed_or_removed_record_is_found(
    log: AuditLog, tmp_path: Path, url: str, tampering: str
) -> None:
    for i in range(1, 6):
        log.append([{"n": i}]).result(timeout=60)
    change(url, tampering)
    assert verify(tmp_path, url).broken_at == 3


def test_both_stores_chain_the_same_records_alike(log: AuditLog, tmp_path: Path, url: str) -> None:
    file = AuditLog(tmp_path)
    file.open()
    for i in range(5):
        for each in (log, file):
            each.append([{"n": i, "word": "é – \u2028"}]).result(timeout=60)
    file.close()
    assert verify(tmp_path, url) == verify(tmp_path)


def test_nothing_to_verify_is_an_error_not_a_success(tmp_path: Path, url: str) -> None:
    with pytest.raises(AuditError, match="there is no audit log"):
        verify(tmp_path, url)
    with pytest.raises(AuditError, match="cannot be read"):
        verify(tmp_path, url.replace("host=", "host=/nowhere"))
    with pytest.raises(InputError, match="postgresql://"):
        verify(tmp_path, "mysql://nowhere")


def test_a_replica_that_may_not_make_tables_uses_the_one_that_is_there(
    log: AuditLog, tmp_path: Path, url: str
) -> None:
    log.append([{"n": 1}]).result(timeout=60)
    change(url, "DROP ROLE IF EXISTS writer")
    change(url, "CREATE ROLE writer LOGIN; GRANT SELECT, INSERT ON audit TO writer")
    narrow = AuditLog(tmp_path, url.replace("postgres@", "writer@"))
    narrow.open()
    narrow.append([{"n": 2}]).result(timeout=60)
    narrow.close()
    assert verify(tmp_path, url).records == 2
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        change(url.replace("postgres@", "writer@"), "UPDATE audit SET record = ''")
    change(url, "DROP OWNED BY writer; DROP ROLE writer")


def test_a_locked_table_holds_answers_back_for_seconds_not_for_ever(
    hurried: None, log: AuditLog, tmp_path: Path, url: str
) -> None:
    log.append([{"n": 1}]).result(timeout=60)
    with psycopg.connect(url) as other:
        other.execute("LOCK TABLE audit IN ACCESS EXCLUSIVE MODE")
        began = time.monotonic()
        with pytest.raises(AuditError, match="LockNotAvailable"):
            log.append([{"n": 2}]).result(timeout=30)
        assert time.monotonic() - began < 20
    log.append([{"n": 3}]).result(timeout=60)
    assert verify(tmp_path, url).records == 2


def test_a_restarted_server_costs_503s_and_no_record(
    postgres: Postgres, url: str, tmp_path: Path, publish: Any, client_of: Any, body: Any,
    no_canary: None,
) -> None:  # fmt: skip
    """Asked all the while: every answer given is on record, and answers come again."""
    publish(tmp_path / "models")
    room = Room(tmp_path / "models", tmp_path / "audit", audit_url=url)
    room.open()
    client = client_of(application(room))
    given: list[str] = []
    statuses: list[int] = []
    over = threading.Event()

    def ask() -> None:
        while not over.is_set():
            response = client.post("/v1/risk", json=body)
            statuses.append(response.status_code)
            if response.status_code == 200:
                given.append(response.json()["request_id"])
            else:
                time.sleep(0.05)

    asking = threading.Thread(target=ask)
    asking.start()

    def until(status: int) -> None:
        began, seen = time.monotonic(), len(statuses)
        while status not in statuses[seen:]:
            assert time.monotonic() - began < 30, statuses[-5:]
            time.sleep(0.02)

    try:
        until(200)
        postgres.stop("immediate")
        until(503)
        postgres.start()
        until(200)
    finally:
        over.set()
        asking.join(timeout=30)
        room.close()
    assert set(statuses) == {200, 503}
    recorded = {json.loads(record)["request_id"] for _, _, record in store_of(tmp_path, url).rows()}
    assert set(given) <= recorded
    assert verify(tmp_path, url).broken_at is None


def test_the_loop_answers_while_the_database_is_away(
    hurried: None, tmp_path: Path, publish: Any, client_of: Any, body: Any, no_canary: None
) -> None:
    import socket

    with socket.socket() as hole:
        # Accepts connections and never says a word.
        hole.bind(("127.0.0.1", 0))
        hole.listen(8)
        url = f"postgresql://x@127.0.0.1:{hole.getsockname()[1]}/x"
        publish(tmp_path / "models")
        room = Room(tmp_path / "models", tmp_path / "audit", audit_url=url)
        room.open()
        app = application(room)

        async def both() -> tuple[Any, Any, float]:
            import httpx

            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                asked = asyncio.ensure_future(client.post("/v1/risk", json=body, timeout=60))
                await asyncio.sleep(0.1)
                began = time.monotonic()
                alive = await client.get("/livez")
                seconds = time.monotonic() - began
                return alive, await asked, seconds

        alive, asked, seconds = asyncio.run(both())
        room.close()
    assert (alive.status_code, asked.status_code) == (200, 503)
    assert seconds < 1


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://ward:48151623@127.0.0.1:1/audit", "OperationalError: Connection refused"),
        ("postgresql://ward:48151623@[::1/audit", "ProgrammingError"),
    ],
)
def test_why_there_is_no_database_is_told_and_no_password(
    tmp_path: Path, url: str, words: str
) -> None:
    with pytest.raises(AuditError) as told:
        store_of(tmp_path, url).append(["{}"])
    assert str(told.value) == f"the audit log: {words}"


def test_a_role_that_may_read_only_is_known_before_anybody_asks(tmp_path: Path, url: str) -> None:
    store = store_of(tmp_path, url)
    store.append(["{}"])
    store.check()
    store.close()
    change(url, "CREATE ROLE reader LOGIN; GRANT SELECT ON audit TO reader")
    reading = store_of(tmp_path, url.replace("postgres@", "reader@"))
    with pytest.raises(AuditError, match="InsufficientPrivilege"):
        reading.check()
    change(url, "DROP OWNED BY reader; DROP ROLE reader")
    assert verify(tmp_path, url).records == 1
