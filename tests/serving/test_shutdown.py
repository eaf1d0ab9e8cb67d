"""A server that is told to stop finishes what it has begun."""

import http.client
import json
import os
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

from benchmarks.reliability.served import Served
from serving.examples import EXAMPLE

SUBJECTS = 1000


def test_answers_under_way_are_given_and_recorded_when_the_server_stops(tmp_path: Path) -> None:
    content = json.dumps({"subjects": [EXAMPLE] * SUBJECTS})
    headers = {"content-type": "application/json"}
    with Served(tmp_path, workers=1) as served:
        (worker,) = served.workers()
        caller = http.client.HTTPConnection("127.0.0.1", served.port, timeout=60)
        # A body of this size is in no buffer: once it is sent, the worker has begun to read it.
        caller.request("POST", "/v1/risk/batch", content, headers)
        os.kill(served.supervisor, signal.SIGTERM)
        response = caller.getresponse()
        answers = json.loads(response.read())["answers"]
        caller.close()
    assert response.status == 200
    assert [entry["status"] for entry in answers] == [200] * SUBJECTS
    with closing(sqlite3.connect(served.audit_dir / "audit.db")) as log:
        ((recorded,),) = log.execute("SELECT count(*) FROM audit").fetchall()
    assert recorded == SUBJECTS
    assert not Path(f"/proc/{worker}").exists()
