"""Processes of a server that hang are replaced; busy ones are not."""

import urllib.request
from pathlib import Path
from typing import Any

import pytest

from benchmarks.peers.processes import free_port, until, wait_until_ready, workers_of
from serving.followed import STATUS

Started = Any


def test_a_worker_whose_loop_stands_still_is_replaced_and_a_busy_one_is_not(
    tmp_path: Path, started: Started
) -> None:
    port = free_port()
    with started(tmp_path, port, 1, BLOCKED) as server:
        wait_until_ready(f"http://127.0.0.1:{port}/livez", server)
        (first,) = workers_of(server.pid)
        # 3 s in a thread, which is longer than the second of silence allowed here.
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/thread", timeout=30) as response:
            assert response.status == 200
        assert workers_of(server.pid) == [first]
        with pytest.raises(OSError):  # closed or reset
            urllib.request.urlopen(f"http://127.0.0.1:{port}/loop", timeout=30)
        wait_until_ready(f"http://127.0.0.1:{port}/livez", server)
        assert workers_of(server.pid) != [first]


def test_a_follower_that_falls_silent_is_replaced(tmp_path: Path, started: Started) -> None:
    port = free_port()
    (tmp_path / "serving").mkdir()
    starts = tmp_path / "starts"
    before = SILENT.format(starts=starts, status=tmp_path / "serving" / STATUS)
    with started(tmp_path, port, 1, before, "--registry", "http://127.0.0.1:1"):
        assert until(lambda: starts.exists() and len(starts.read_text()) >= 2, 60)


BLOCKED = """
import asyncio, time
from serving import supervisor
from serving.service import DirectService
supervisor.LOOK_SECONDS, supervisor.SILENT_LOOKS = 0.25, 4
true = DirectService.to_asgi
def to_asgi(self, is_main=True):
    app = true(self, is_main)
    async def blocking(scope, receive, send):
        if scope.get("path") == "/thread":
            await asyncio.to_thread(time.sleep, 3)
            scope["path"] = "/livez"
        if scope.get("path") == "/loop":
            time.sleep(600)
        await app(scope, receive, send)
    return blocking
DirectService.to_asgi = to_asgi
"""


SILENT = """
import sys
from serving import supervisor
from serving.commands import server
supervisor.LOOK_SECONDS, supervisor.PATIENT_LOOKS = 0.25, 8
FOLLOWER = '''
import time
from pathlib import Path
with open("{starts}", "a") as sink:
    sink.write("x")
Path("{status}").write_text("told")
time.sleep(600)
'''
server._follow_command = lambda *_: [sys.executable, "-c", FOLLOWER]
"""
