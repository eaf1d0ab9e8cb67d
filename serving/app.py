"""All routes of API and page, around one room."""

from starlette.applications import Starlette
from starlette.exceptions import HTTPException

from serving.api import ROUTES, problem_response
from serving.envelope import Envelope
from serving.fhir.routes import FHIR_ROUTES
from serving.problems import ProblemError
from serving.room import Room
from serving.web.page import PAGES

__all__ = ["API", "application"]

API = (*ROUTES, *FHIR_ROUTES)
"""Every route but those of the page."""


def application(room: Room) -> Envelope:
    """All routes of API and page around one room."""
    app = Starlette(
        routes=[*API, *PAGES],
        exception_handlers=dict.fromkeys(
            (ProblemError, HTTPException, Exception), problem_response
        ),
    )
    app.router.redirect_slashes = False
    app.state.room = room
    return Envelope(app, room.metrics)
