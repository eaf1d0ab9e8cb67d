"""Sockets of the workers at one port, held by the process that starts them."""

import contextlib
import errno
import socket
import sys

from features.errors import InputError

__all__ = ["BACKLOG", "Listening", "listens"]

BACKLOG = 2048
DEALT = sys.platform == "linux"
"""Whether connections are dealt out among the sockets at a port."""


class Listening:
    """A port that nobody else can listen at for as long as this process does.

    On Linux each worker has a socket of its own, among which the kernel deals connections out: at
    one that all share, whoever is idle first takes all that come at once, and with them all their
    requests. The sockets outlive the workers, so that what waits for one that is killed is left to
    the next in its place; where there is none for long, it is refused. Elsewhere such sockets are
    not dealt to, and all workers share one.

    Parameters
    ----------
    address
        IP address.
    port
        To listen at.
    workers
        Processes.

    Raises
    ------
    InputError
        If the port is taken or may not be opened, or the address is not one of this machine.
    """

    def __init__(self, address: str, port: int, workers: int) -> None:
        self._sockets: list[socket.socket] = []
        self._guard: socket.socket | None = None
        try:
            self._sockets.append(_bound(address, port, socket.SO_REUSEADDR))
            self._sockets[0].listen(BACKLOG)
            if DEALT:
                self._add(address, port, workers)
        except OSError as error:
            self.close()
            raise _told(error, address, port) from None

    def _add(self, address: str, port: int, workers: int) -> None:
        """Sockets of the other workers, and one that only holds the port."""
        # The first has listened without it: of two servers that start at the same moment one gets
        # here. Those that follow find it set and are let in beside.
        self._sockets[0].setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        for _ in range(workers - 1):
            self._sockets.append(_bound(address, port, socket.SO_REUSEADDR, socket.SO_REUSEPORT))
            self._sockets[-1].listen(BACKLOG)
        # A port where nobody listens any more may be had by others, but for this.
        self._guard = _bound(address, port, socket.SO_REUSEPORT)

    def close(self) -> None:
        """Take no more connections, as far as this process goes."""
        for each in (*self._sockets, self._guard):
            if each is not None:
                each.close()

    def of(self, worker: int) -> socket.socket:
        """Socket of one worker, to be called by it: the others' are closed in its process."""
        own = self._sockets[worker % len(self._sockets)]
        for each in (*self._sockets, self._guard):
            if each is not None and each is not own:
                each.close()
        return own

    def refuse(self, worker: int) -> None:
        """Have the connections of a worker that is not there refused, or dealt to the others.

        It takes connections again when it listens, as servers do once they are ready.
        """
        if DEALT:
            with contextlib.suppress(OSError):  # refused already
                self._sockets[worker].shutdown(socket.SHUT_RDWR)


def listens(own: socket.socket) -> bool:
    """Whether a socket takes connections; not once `Listening.refuse` was called for it."""
    try:
        return bool(own.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
    except OSError:  # closed by the event loop, which could not go on with it
        return False


def _bound(address: str, port: int, *options: int) -> socket.socket:
    found = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    try:
        for option in options:
            found.setsockopt(socket.SOL_SOCKET, option, 1)
        found.bind((address, port))
    except OSError:
        found.close()
        raise
    return found


def _told(error: OSError, address: str, port: int) -> InputError:
    if error.errno == errno.EADDRINUSE:
        return InputError("port", f"{port} is taken; choose another with --port")
    if error.errno == errno.EACCES:
        return InputError("port", f"{port} is not open to this user; choose one above 1023")
    if error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
        return InputError("host", f"{address} is not an address of this machine")
    return InputError("port", f"{port} cannot be listened at: {error.strerror}")
