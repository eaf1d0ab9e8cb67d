"""Faults that callers make: slow heads and bodies, bodies too large, bombs, depth, and anything."""

import gzip
import socket
import threading
import time
from collections.abc import Iterator

from benchmarks.reliability.finding import Finding, percentile
from benchmarks.reliability.served import Served
from benchmarks.reliability.traffic import asked_bodies, traffic

__all__ = ["deep_json", "gzip_bomb", "huge_bodies", "slow_callers"]

GROWTH_MIB = 32.0


def slow_callers(served: Served, short: bool) -> Finding:
    """Connections that send a byte now and then, beside others that ask properly."""
    count, lasting = (200, 2.0) if short else (1500, 30.0)
    asked = asked_bodies()
    head = b"POST /v1/risk HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    body = head + b"Content-Length: 5000\r\n\r\n"
    held = []
    for i in range(count):
        each = socket.create_connection(("127.0.0.1", served.port), timeout=10)
        each.sendall(head if i % 2 else body)
        each.setblocking(False)
        held.append(each)
    with traffic(served, asked) as found:
        until = time.monotonic() + lasting
        while time.monotonic() < until:
            time.sleep(1.0)
            held = [each for each in held if _drip(each)]
    left = len(held)
    for each in held:
        each.close()
    others = sum(n for status, n in found.statuses.items() if status != "200")
    p99 = 1000 * percentile(found.seconds, 0.99)
    return Finding(
        f"{count} connections that send a byte a second, half of them in the head, {lasting:g} s",
        f"{len(found.acknowledged)} proper answers meanwhile, {found.wrong} wrong, {others} not "
        f"given, p99 {p99:.0f} ms; {left} slow connections left at the end",
        "every proper request answered" + ("" if short else "; no slow connection left"),
        found.wrong == 0 and others == 0 and (short or left == 0),
    )


def _drip(each: socket.socket) -> bool:
    """Send one byte; whether the connection still stands."""
    try:
        each.send(b"a")
        return each.recv(4096) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False


def huge_bodies(served: Served, short: bool) -> Finding:  # noqa: ARG001  # it is refused at once
    """A body of a gigabyte, declared and in pieces without end."""
    asked = asked_bodies()
    before = served.resident_mib()
    with traffic(served, asked, 2) as found:
        size = 2**30
        declared = _send(served, f"Content-Length: {size}\r\n", _pieces(size))
        chunked = _send(served, "Transfer-Encoding: chunked\r\n", _chunks(size))
        grown = served.resident_mib() - before
    others = sum(n for status, n in found.statuses.items() if status != "200")
    statuses, taken = (declared[0], chunked[0]), max(declared[1], chunked[1])
    return Finding(
        "a body of 1 GB, declared and in pieces without a declared length",
        f"answered {statuses[0]} and {statuses[1]} after at most {taken / 2**20:.1f} MB; memory "
        f"{grown:+.0f} MB; {others} of {sum(found.statuses.values())} proper requests not answered",
        f"413 or the connection closed, memory grows by less than {GROWTH_MIB:g} MB",
        set(statuses) <= {"413", "closed"} and grown < GROWTH_MIB and others == 0,
    )


def gzip_bomb(served: Served, short: bool) -> Finding:
    """A gigabyte of zeros, compressed a thousand times."""
    size = 2**24 if short else 2**30
    bomb = gzip.compress(b"0" * 2**24) * (size // 2**24)
    before = served.resident_mib()
    head = f"Content-Encoding: gzip\r\nContent-Length: {len(bomb)}\r\n"
    status, _ = _send(served, head, iter([bomb]))
    grown = served.resident_mib() - before
    return Finding(
        f"a gzip bomb: {len(bomb) / 2**20:.2f} MB that unpack to {size / 2**20:.0f}",
        f"answered {status}; memory {grown:+.0f} MB",
        f"415, memory grows by less than {GROWTH_MIB:g} MB",
        status == "415" and grown < GROWTH_MIB,
    )


def deep_json(served: Served, short: bool) -> Finding:  # noqa: ARG001  # it is refused at once
    """Up to a million levels of nesting, of arrays and of objects, on routes that read JSON."""
    before = served.resident_mib()
    told = []
    routes = ("/v1/risk", "/v1/risk/batch", "/v1/fhir/risk-assessment")
    for path in (*routes, "/cds-services/smoulder-progression"):
        for text in (b"[" * 10**6, b'{"a":' * 10**6, b'{"entry":[' * 10**5):
            head = f"Content-Length: {len(text)}\r\n"
            told.append(_send(served, head, iter([text]), path)[0])
    grown = served.resident_mib() - before
    alive = _send(served, "Content-Length: 2\r\n", iter([b"{}"]))[0]
    return Finding(
        "JSON nested 200,000 to a million levels deep, on four routes",
        f"answered {', '.join(sorted(set(told)))}; memory {grown:+.0f} MB; the next request is "
        f"read ({alive})",
        f"413, memory grows by less than {2 * GROWTH_MIB:g} MB",
        set(told) <= {"413"} and grown < 2 * GROWTH_MIB and alive == "400",
    )


def _pieces(size: int) -> Iterator[bytes]:
    piece = b" " * 2**16
    for _ in range(size // len(piece)):
        yield piece


def _chunks(size: int) -> Iterator[bytes]:
    for piece in _pieces(size):
        yield b"%x\r\n%s\r\n" % (len(piece), piece)
    yield b"0\r\n\r\n"


def _send(
    served: Served, head: str, body: Iterator[bytes], path: str = "/v1/risk"
) -> tuple[str, int]:
    """Status of the answer, ``closed`` without one, and how many bytes of a body were taken."""
    first = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n{head}\r\n"
    )
    sent = 0
    with socket.create_connection(("127.0.0.1", served.port), timeout=20) as caller:
        answer: list[bytes] = []
        listener = threading.Thread(target=_listen, args=(caller, answer), daemon=True)
        listener.start()
        try:
            caller.sendall(first.encode())
            for piece in body:
                if answer:
                    break
                caller.sendall(piece)
                sent += len(piece)
        except OSError:
            pass
        listener.join(timeout=20)
    text = b"".join(answer)
    return (text.split(b" ", 2)[1].decode() if text.startswith(b"HTTP/1.1 ") else "closed"), sent


def _listen(caller: socket.socket, answer: list[bytes]) -> None:
    try:
        answer.append(caller.recv(65536))
    except OSError:
        answer.append(b"")
