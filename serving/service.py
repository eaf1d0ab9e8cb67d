"""The BentoML service: one class around the routes, nothing else.

BentoML builds the application and calls the start and stop hooks of each worker. Requests go
straight to the routes: its own middleware logs inputs, labels metrics by raw path and traces every
call, and its index page and documentation loads files from other hosts.
"""

import functools
import gc
import os
from pathlib import Path

import bentoml
from _bentoml_sdk import Service  # type: ignore[import-untyped]
from starlette.types import ASGIApp, Receive, Scope, Send

from serving.app import application
from serving.gathering import MOST_ALIVE
from serving.heads import limit_heads
from serving.logs import configure_logs
from serving.room import Room
from serving.tracing import flush

__all__ = ["ACCESS_DIR", "AUDIT_DIR", "AUDIT_URL", "MODELS_DIR", "Smoulder", "room"]

MODELS_DIR = "SMOULDER_MODELS_DIR"
AUDIT_DIR = "SMOULDER_AUDIT_DIR"
AUDIT_URL = "SMOULDER_AUDIT_URL"
ACCESS_DIR = "SMOULDER_ACCESS_DIR"
"""Environment variables that name the publish, audit and access directory to the workers; without
the last one access control is off, which `serving.run` allows on loopback only."""


class DirectService(Service["Smoulder"]):  # type: ignore[misc]
    """A BentoML service whose requests reach the routes without BentoML's middleware."""

    def to_asgi(self, is_main: bool = True) -> ASGIApp:
        """Lifespan by BentoML, everything else by the routes."""
        bento = self.rehearsal(is_main)
        access_dir = os.environ.get(ACCESS_DIR)
        routes = application(room(), Path(access_dir) if access_dir else None)

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await (bento if scope["type"] == "lifespan" else routes)(scope, receive, send)

        return app

    def rehearsal(self, is_main: bool = True) -> ASGIApp:
        """BentoML's own application; making one imports whatever workers forked later need."""
        made: ASGIApp = super().to_asgi(is_main)
        return made


limit_heads()


@functools.cache
def room() -> Room:
    """State of this worker, made when first asked for: a fork would share its counters."""
    return Room(
        Path(os.environ.get(MODELS_DIR, "mlruns/serving")),
        Path(os.environ.get(AUDIT_DIR, "mlruns/audit")),
        audit_url=os.environ.get(AUDIT_URL),
    )


@bentoml.service(
    # Not "smoulder": BentoML would take `smoulder:latest` for an attribute of our module first, and
    # what that one imports would stand before the packed copy.
    name="smoulder-service",
    service_class=DirectService,
    metrics={"enabled": False},
    logging={"access": {"enabled": False}},
    tracing={"excluded_urls": ".*"},
    runner_probe={"enabled": False},
)
class Smoulder:
    """Risk of progression from smouldering myeloma and MGUS."""

    @bentoml.on_startup  # type: ignore[untyped-decorator]
    def open(self) -> None:
        """Load the models, then keep the collector from walking them, and answers, in vain."""
        configure_logs()
        room().open()
        gc.collect()
        gc.freeze()
        gc.set_threshold(MOST_ALIVE)

    @bentoml.on_shutdown  # type: ignore[untyped-decorator]
    def close(self) -> None:
        """Stop watching for models, and send the spans that wait."""
        room().close()
        flush()
