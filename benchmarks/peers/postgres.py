"""A PostgreSQL server of its own, from Debian's binaries, on a socket nobody else uses."""

import os
import shutil
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

__all__ = ["Postgres"]


class Postgres:
    """A PostgreSQL server of its own, on a socket in a folder of its own."""

    def __init__(self) -> None:
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
        assert found, "PostgreSQL is missing; type: make system"
        self._bin = found[-1]
        # Not below pytest's folder: the server's own user must get there.
        self.home = Path(tempfile.mkdtemp(prefix="smoulder-pg-"))
        if os.geteuid() == 0:
            shutil.chown(self.home, "postgres", "postgres")
        self._run("initdb", "-D", str(self.home / "data"), "-U", "postgres", "-A", "trust", "-N")

    @property
    def url(self) -> str:
        """Address of the first database."""
        return self.address("postgres")

    def address(self, database: str) -> str:
        """Address of a database."""
        return f"postgresql://postgres@/{database}?host={self.home}"

    def create(self, database: str, *, template: str = "template1") -> str:
        """Address of a new database: empty, or a copy of one that nobody is connected to."""
        self._run("createdb", "-h", str(self.home), "-U", "postgres", "-T", template, database)
        return self.address(database)

    def start(self, *, durable: bool = False) -> None:
        """Start the server and wait until it answers; without sync, for speed, unless durable."""
        options = f"-k {self.home} -h ''" + ("" if durable else " -F")
        self._control("start", "-l", str(self.home / "log"), "-o", options)

    def stop(self, mode: str = "fast") -> None:
        """Stop the server; ``immediate`` as if it had crashed."""
        self._control("stop", "-m", mode)

    def remove(self) -> None:
        """Stop the server and remove everything."""
        with suppress(subprocess.CalledProcessError):
            self._control("stop", "-m", "immediate", "-W")
        shutil.rmtree(self.home, ignore_errors=True)

    def _control(self, *words: str) -> None:
        self._run("pg_ctl", "-w", "-D", str(self.home / "data"), *words)

    def _run(self, program: str, *words: str) -> None:
        user = {"user": "postgres", "group": "postgres"} if os.geteuid() == 0 else {}
        subprocess.run(
            [self._bin / program, *words],
            check=True,
            cwd=self.home,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TZ": "UTC"},
            **user,
        )
