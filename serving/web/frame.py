"""The frame of every page: its language, its policy, its templates and its static files.

Pages ask for nothing but what this server holds. The language is the one asked for by ``?lang=``,
else the one chosen before (a cookie that holds two letters), else the browser's.
"""

import hashlib
from functools import cache
from importlib import resources

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from serving.access.sessions import COOKIE as COOKIE_OF_SESSION
from serving.problems import NOT_FOUND, ProblemError
from serving.web import labels, numbers
from serving.web.messages import said
from serving.web.texts import LANGUAGES, texts
from serving.web.wording import KNOWN, SPOKEN, templates

__all__ = ["NAVIGATION", "POLICY", "asset", "headers_of", "language_of", "render", "static"]

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
NAVIGATION = {"patient": "/ui/", "screening": "/ui/screening", "models": "/ui/models"}
"""Pages by the name of their words, in the order of the navigation."""

STATIC = {
    "style.css": "text/css",
    "page.js": "text/javascript",
    "typed.js": "text/javascript",
    "screening.css": "text/css",
    "screening.js": "text/javascript",
    "htmx.min.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}
COOKIE = "smoulder_language"
YEAR_SECONDS = 365 * 24 * 3600


@cache
def asset(name: str) -> str:
    """Address of a static file, another one for other content: no page meets an older script."""
    return f"/ui/static/{name}?{hashlib.sha256(_file(name)).hexdigest()[:8]}"


KNOWN |= {
    "asset": asset,
    "languages": LANGUAGES,
    "texts": texts,
    "navigation": NAVIGATION,
    "unit_labels": numbers.UNITS,
}
SPOKEN |= {
    "input_label": labels.input_label,
    "orders_label": labels.orders_label,
    "percent": numbers.percent,
    "said": said,
    "quantity": numbers.quantity,
    "span": numbers.span,
    "within_label": numbers.within_label,
    "years_label": numbers.years_label,
    "horizons_label": numbers.horizons_label,
    "model_label": labels.model_label,
}


def language_of(request: Request) -> str:
    """Language of a request, one of `LANGUAGES`."""
    asked = (request.query_params.get("lang"), request.cookies.get(COOKIE))
    for language in (*asked, *_preferred(request.headers.get("accept-language", ""))):
        if language in LANGUAGES:
            return language
    return LANGUAGES[0]


def _preferred(header: str) -> list[str]:
    """Two-letter languages of an Accept-Language header, the most wanted first.

    Examples
    --------
    >>> _preferred("fr;q=0.5, de-CH, en;q=0.8")
    ['de', 'en', 'fr']
    """
    wanted = []
    for part in header.split(",")[:20]:
        tag, _, quality = part.partition(";q=")
        try:
            weight = float(quality or 1)
        except ValueError:
            continue
        wanted.append((-weight, tag.strip()[:2].lower()))
    return [tag for _, tag in sorted(wanted, key=lambda each: each[0])]


def render(
    request: Request, template: str, *, here: str, status: int = 200, **content: object
) -> Response:
    """A page in the language of its request.

    Parameters
    ----------
    here
        Which entry of the navigation it is.
    content
        What the template shows.
    """
    language = language_of(request)
    html = (
        templates(language)
        .get_template(template)
        .render(here=here, signed_in=COOKIE_OF_SESSION in request.cookies, **content)
    )
    response = HTMLResponse(html, status, headers_of(language))
    if request.method != "POST":
        # What is filled in afterwards is kept by the browser for the way back, and by nothing else.
        response.headers["Cache-Control"] = "no-cache"
    if request.query_params.get("lang") == language:
        response.set_cookie(
            COOKIE, language, max_age=YEAR_SECONDS, path="/ui", httponly=True, samesite="strict"
        )
    return response


def headers_of(language: str) -> dict[str, str]:
    """Headers of a page in a language."""
    return {"Content-Security-Policy": POLICY, "Content-Language": language}


async def static(request: Request) -> Response:
    """``GET /ui/static/{name}``: the style sheet, the scripts, the icon."""
    name = request.path_params["name"]
    if name not in STATIC:
        raise ProblemError(NOT_FOUND, "no such file")
    headers = {"Cache-Control": "max-age=3600"}
    return Response(_file(name), headers=headers, media_type=STATIC[name])


@cache
def _file(name: str) -> bytes:
    return resources.files("serving.web").joinpath("static", name).read_bytes()
