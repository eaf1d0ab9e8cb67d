"""The list page: drop a file, confirm its columns, read the ranked list – and nothing stays here.

A file waits for its columns to be confirmed in the browser, packed into the page; the list travels
the same way, sealed with the key of the audit log, so that sorting, filtering and files are asked
of any worker and none remembers anything.
"""

import base64
import binascii
import hmac
from collections.abc import Mapping, Sequence
from functools import partial

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from features.criteria import STAGES
from features.errors import FieldProblem
from serving.api import request_id, room_of
from serving.limits import read_body
from serving.problems import MALFORMED, NOT_FOUND, ProblemError
from serving.room import Room
from serving.web.frame import language_of, render
from serving.web.parts import Part, read_parts
from serving.web.screening_choice import PAGE, STATUSES, Choice, Shown, read_choice
from serving.web.screening_columns import GROUPS, column_label, likely_units
from serving.web.screening_export import EXPORTS
from serving.web.screening_frames import FILE_BYTES, Columns, Refusal
from serving.web.screening_list import PatientList, unpack
from serving.web.screening_process import screen_file
from serving.web.screening_progress import Progress, told_on_the_way
from serving.web.screening_rows import listed_label, rows
from serving.web.screening_yield import count, figure, per_100
from serving.web.texts import texts

__all__ = ["SCREENING"]

FORM_BYTES = FILE_BYTES * 4 // 3 + 256 * 1024
"""A file in the letters of a form, and what else the form says."""

LIST_BYTES = 16 * 1024 * 1024
"""A list of 50,000 has two megabytes; nothing larger was ever sent out."""


async def start(request: Request) -> Response:
    """``GET /ui/screening``: where to drop a file."""
    return _start(request)


async def dropped(request: Request) -> Response:
    """``POST /ui/screening``: the list of a file, or its columns to confirm."""
    progress = Progress()
    if "hx-request" in request.headers:
        return await told_on_the_way(
            language_of(request), progress, partial(_screened, request, progress)
        )
    return await _screened(request, progress)


async def _screened(request: Request, progress: Progress) -> Response:
    try:
        body = await read_body(request.receive, request.headers, most_bytes=FORM_BYTES)
        content_type = request.headers.get("content-type", "")
        told = await screen_file(
            room_of(request), body, content_type, request_id(request), tell=progress.tell
        )
        if isinstance(told, Refusal):
            return _start(request, told.errors, told.status, told.file)
        if isinstance(told, Columns):
            return _columns(request, told)
        sealed = _seal(room_of(request), told)
        return await _listed(request, sealed, unpack(told), Choice())
    except ProblemError as problem:
        return _failed(request, problem)


async def listed(request: Request) -> Response:
    """``POST /ui/screening/list``: the list again, as chosen."""
    try:
        sealed, found, parts = await _handed_back(request)
        return await _listed(request, sealed, found, read_choice(parts))
    except ProblemError as problem:
        return _failed(request, problem)


async def exported(request: Request) -> Response:
    """``POST /ui/screening/export/{kind}``: the list as a file to take away."""
    kind = request.path_params["kind"]
    if kind not in EXPORTS:
        raise ProblemError(NOT_FOUND, f"expected one of {', '.join(EXPORTS)}")
    _, found, parts = await _handed_back(request)
    shown = Shown(found, read_choice(parts))
    write, media_type = EXPORTS[kind]
    content = await anyio.to_thread.run_sync(write, shown)
    name = f"smoulder-{shown.trial.name.lower()}.{kind}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, headers=headers, media_type=media_type)


def _seal(room: Room, packed: bytes) -> str:
    """A list for the browser to keep: its letters, and the mark by which they are known again."""
    letters = base64.b64encode(packed).decode("ascii")
    return f"{room.audit.keyed(['list', letters])}.{letters}"


async def _handed_back(request: Request) -> tuple[str, PatientList, Mapping[str, Part]]:
    body = await read_body(request.receive, request.headers, most_bytes=LIST_BYTES)
    parts = read_parts(body, request.headers.get("content-type", ""))
    sealed = parts["list"].text if "list" in parts else ""
    mark, _, letters = sealed.partition(".")
    if not hmac.compare_digest(
        mark.encode(), room_of(request).audit.keyed(["list", letters]).encode()
    ):
        raise ProblemError(
            MALFORMED, "this list was not made here, or not whole; drop the file again"
        )
    try:
        return sealed, unpack(base64.b64decode(letters)), parts
    except (binascii.Error, ValueError):
        raise ProblemError(
            MALFORMED, "this list is of another version; drop the file again"
        ) from None


def _failed(request: Request, problem: ProblemError) -> Response:
    errors = problem.errors or (FieldProblem("file", problem.detail),)
    response = _start(request, errors, problem.kind.status)
    response.headers.update(problem.headers)
    return response


def _start(
    request: Request, problems: Sequence[FieldProblem] = (), status: int = 200, file: str = ""
) -> Response:
    return render(
        request,
        "screening.html",
        here="screening",
        status=status,
        problems=problems,
        file=file,
        most=FILE_BYTES >> 20,
    )


def _columns(request: Request, told: Columns) -> Response:
    selected = told.chosen or {
        column.name: column.candidates[0] for column in told.columns if len(column.candidates) == 1
    }
    problems = told.problems
    return render(
        request,
        "screening_columns.html",
        here="screening",
        status=422 if problems else 200,
        told=told,
        problems=problems,
        selected=selected,
        every=GROUPS,
        column_label=partial(column_label, t=texts(language_of(request))),
        likely_units=likely_units,
    )


async def _listed(request: Request, sealed: str, found: PatientList, choice: Choice) -> Response:
    t = texts(language_of(request))

    def work() -> Response:
        shown = Shown(found, choice)
        return render(
            request,
            "screening_list.html",
            here="screening",
            sealed=sealed,
            found=found,
            shown=shown,
            choice=choice,
            rows=rows(shown, t),
            counts=shown.counts(),
            figure=figure(shown.yields()),
            statuses=STATUSES,
            stages=STAGES,
            first=(shown.page - 1) * PAGE + 1,
            others=[model for model in found.models if model is not shown.model],
            per_100=per_100(shown.yields(), t),
            number=partial(count, t=t),
            label=partial(listed_label, t=t),
        )

    # Sorting and drawing a long list take tens of milliseconds, which the loop is spared.
    return await anyio.to_thread.run_sync(work)


SCREENING = [
    Route("/ui/screening", start, methods=["GET"]),
    Route("/ui/screening", dropped, methods=["POST"]),
    Route("/ui/screening/list", listed, methods=["POST"]),
    Route("/ui/screening/export/{kind}", exported, methods=["POST"]),
]
