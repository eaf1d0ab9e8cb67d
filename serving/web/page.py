"""The routes of the page: one form, one answer, server-rendered."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from features.analytes import ANALYTES
from features.errors import FieldProblem
from models.completions import next_tests
from serving.answer import Answered, answer
from serving.api import request_id, room_of
from serving.limits import FORM, RISK_BYTES, read_body, require_media_type
from serving.problems import MALFORMED, NOT_FOUND, ProblemError
from serving.request import read_risk
from serving.web.curve import draw, looks
from serving.web.download import DOWNLOADS, Asked
from serving.web.drivers import drivers
from serving.web.echo import day_echo, row_echo
from serving.web.form import CHOICES, EXAMPLE, GATE, Form, read_form
from serving.web.frame import language_of, render, static
from serving.web.grid import Grid
from serving.web.icons import people
from serving.web.inputs import given_lines, input_rows
from serving.web.labels import field_label
from serving.web.messages import said
from serving.web.missing import missing_lines, next_test_lines
from serving.web.models import model_page, models_page
from serving.web.notes import Notes
from serving.web.risk_table import risk_table
from serving.web.summary import agreement_lines, summary
from serving.web.texts import Texts, texts
from serving.web.treatment import treatment_tables
from serving.web.trends import trends
from serving.web.wording import KNOWN, SPOKEN

__all__ = ["PAGES"]

MOST_FIELDS = 4000

KNOWN |= {"choices": CHOICES, "gate": GATE, "zip": zip}
SPOKEN |= {"day_echo": day_echo}


async def start(_: Request) -> Response:
    """``GET /``: the page."""
    return RedirectResponse("/ui/", 303)


async def empty_page(request: Request) -> Response:
    """``GET /ui/``: the empty form."""
    return _page(request, read_form({}))


async def answered_page(request: Request) -> Response:
    """``POST /ui/``: the form again, with its answer or its problems."""
    typed = await _typed(request)
    action = typed.get("action")
    if action == "example":
        return _page(request, read_form(EXAMPLE))
    if action == "clear":
        return _page(request, read_form({}))
    form = read_form(typed)
    if action == "add" or (action == "show" and not typed.get("answered")):
        return _page(request, form)
    told, problems = await _ask(request, form)
    return _page(request, form, told=told, problems=problems)


async def _typed(request: Request) -> dict[str, str]:
    require_media_type(request.headers, FORM)
    body = await read_body(request.receive, request.headers, most_bytes=RISK_BYTES)
    try:
        pairs = parse_qsl(
            body.decode("utf-8"),
            keep_blank_values=True,
            max_num_fields=MOST_FIELDS,
            errors="strict",
        )
    except ValueError:
        raise ProblemError(MALFORMED, "the form cannot be read") from None
    return dict(pairs)


async def _ask(request: Request, form: Form) -> tuple[Answered | None, Sequence[FieldProblem]]:
    room = room_of(request)
    lineup = room.lineup
    subject, _ = read_risk(form.document)
    told = answer([subject], lineup.choose(None), today=room.today(), cards=lineup.cards)[0]
    if isinstance(told, Answered) and not form.problems:
        await room.record("page", request_id(request), [(form.document, None, told.document)])
        return told, ()
    refused = () if isinstance(told, Answered) else told.errors
    unread = {problem.field for problem in form.problems}
    found = [form.named(problem) for problem in refused]
    return None, [*form.problems, *(p for p in found if p.field not in unread)]


def _page(
    request: Request,
    form: Form,
    *,
    told: Answered | None = None,
    problems: Sequence[FieldProblem] = (),
) -> Response:
    language = language_of(request)
    t = texts(language)
    content: dict[str, Any] = {
        "form": form,
        "problems": _listed(problems, t),
        "warnings": (),
        "answer": None,
    }
    if told is not None:
        content |= _told(request, form, told, t)
    notes = Notes(_by_field(content["problems"]), _by_field(content["warnings"]))
    content |= {"notes": notes, "grid": Grid(form, language, notes)}
    return render(request, "page.html", here="patient", status=422 if problems else 200, **content)


def _listed(problems: Sequence[FieldProblem], t: Texts) -> list[dict[str, str]]:
    """Problems as the page lists them: the field to go to, its name, and what is wanted."""
    return [
        {
            "field": problem.field,
            "label": field_label(problem.field, t),
            "message": said(problem.expected, t),
        }
        for problem in problems
    ]


def _by_field(listed: Sequence[dict[str, str]]) -> dict[str, str]:
    return {each["field"]: each["message"] for each in listed}


def _told(request: Request, form: Form, told: Answered, t: Texts) -> dict[str, Any]:
    """What the template needs to show an answer."""
    document = told.document
    estimates = document["estimates"]
    models = room_of(request).lineup.choose(None)
    doubts = [form.named(FieldProblem(w["field"], w["message"])) for w in document["warnings"]]
    lacking = {entry["model"] for entry in estimates if entry["missing"]}
    look = looks(estimates)
    tests = next_tests(told.features, [model for model in models if model.name in lacking])
    return {
        "answer": document,
        "given": given_lines(form.document, document, t),
        "summary": summary(document, tests, t),
        "warnings": _listed(doubts, t),
        "table": risk_table(estimates, look, t),
        "curve": draw(estimates, look, t),
        "people": people(estimates, look),
        "trends": trends(told.features, told.place, t, form.units),
        "drivers": drivers(estimates, t, form.units),
        "agreement": agreement_lines(document["agreement"], t),
        "missing": missing_lines(estimates, t),
        "next_tests": next_test_lines(tests, t),
        "inputs": input_rows(document["inputs"], t),
        "treatments": treatment_tables(estimates, models, t),
        "downloads": tuple(DOWNLOADS),
    }


async def echo(request: Request) -> Response:
    """``POST /ui/echo/{field}``: how one row or one day is read, while the form is filled in."""
    field = request.path_params["field"]
    typed = await _typed(request)
    t = texts(language_of(request))
    if field in ANALYTES:
        found = row_echo(read_form(typed), field, t)
    elif field in typed:
        found = day_echo(typed, field, t)
    else:
        raise ProblemError(NOT_FOUND, "no such field")
    return render(request, "echo.html", here="patient", echo=found)


async def download(request: Request) -> Response:
    """``POST /ui/download/{kind}``: the answer to a form as a file to take away."""
    kind = request.path_params["kind"]
    if kind not in DOWNLOADS:
        raise ProblemError(NOT_FOUND, f"expected one of {', '.join(DOWNLOADS)}")
    form = read_form(await _typed(request))
    told, problems = await _ask(request, form)
    if told is None:
        return _page(request, form, problems=problems)
    file = DOWNLOADS[kind]
    populations = {model.name: model.population for model in room_of(request).lineup.choose(None)}
    body = file.write(told.document, Asked(request_id(request), populations))
    disposition = f'attachment; filename="smoulder-{told.document["as_of"]}.{file.ending}"'
    headers = {"Content-Disposition": disposition}
    return Response(body, headers=headers, media_type=file.media_type)


PAGES = [
    Route("/", start),
    Route("/ui", start),
    Route("/ui/", empty_page, methods=["GET"]),
    Route("/ui/", answered_page, methods=["POST"]),
    Route("/ui/echo/{field}", echo, methods=["POST"]),
    Route("/ui/models", models_page),
    Route("/ui/models/{name}", model_page),
    Route("/ui/download/{kind}", download, methods=["POST"]),
    Route("/ui/static/{name}", static),
]
