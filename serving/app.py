"""All routes of API and page, around one room."""

from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException

from serving.access.guard import Guard
from serving.access.loopback import LoopbackOnly
from serving.api import ROUTES, problem_response
from serving.cds_hooks.routes import CDS_ROUTES
from serving.envelope import Envelope
from serving.fhir.routes import FHIR_ROUTES
from serving.problems import ProblemError
from serving.room import Room
from serving.web.page import PAGES
from serving.web.screening import SCREENING
from serving.web.sign_in import SIGN_IN_PAGES

__all__ = ["ALL_ROUTES", "API", "application"]

API = (*ROUTES, *FHIR_ROUTES, *CDS_ROUTES)
"""Every route but those of the page."""

ALL_ROUTES = (*API, *PAGES, *SCREENING, *SIGN_IN_PAGES)


def application(room: Room, access_dir: Path | None = None) -> Envelope:
    """All routes of API and page around one room.

    Parameters
    ----------
    room
        What they share.
    access_dir
        Who may ask; everybody when omitted, which is for loopback only.
    """
    app = Starlette(
        routes=ALL_ROUTES,
        exception_handlers=dict.fromkeys(
            (ProblemError, HTTPException, Exception), problem_response
        ),
    )
    app.router.redirect_slashes = False
    app.state.room = room
    door = LoopbackOnly(app) if access_dir is None else Guard(app, access_dir)
    return Envelope(door, room.metrics)
