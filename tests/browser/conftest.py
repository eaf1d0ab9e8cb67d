"""Debian's Chromium, and a page that notes every request and every violation."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from serving.web.texts import LANGUAGES

SWITCHES = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


COLOURS: dict[str, Any] = {"runOnly": ["color-contrast", "link-in-text-block"]}
WORDS: dict[str, Any] = {
    "runOnly": ["cat.language", "cat.name-role-value", "cat.forms", "cat.text-alternatives"]
}
ASKED: dict[Literal["light", "dark"], dict[str, Any]] = {"light": {}, "dark": COLOURS}


@pytest.fixture(scope="session")
def launch() -> dict[str, Any]:
    """How the system's Chromium is started; without one tests fail with the line to type."""
    found = shutil.which("chromium")
    assert found, "Chromium is missing; type: apt-get install -y chromium"
    return {"executable_path": found, "args": list(SWITCHES)}


@pytest.fixture(scope="module")
def chromium(launch: dict[str, Any]) -> Iterator[Browser]:
    """The system's Chromium.

    It ends with these tests: while it lives, no other test of the process can run an event loop.
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**launch)
        yield browser
        browser.close()


@dataclass
class Visitor:
    """A page, the hosts it asked and what its console said."""

    page: Page
    hosts: set[str] = field(default_factory=set)
    said: list[str] = field(default_factory=list)


@pytest.fixture
def visit(chromium: Browser, server: Any) -> Iterator[Callable[..., Visitor]]:
    """Open a page in a fresh context."""
    contexts = []

    def open_page(path: str = "/ui/", **options: Any) -> Visitor:
        context = chromium.new_context(base_url=server.url, **options)
        context.set_default_timeout(60_000)
        contexts.append(context)
        visitor = Visitor(context.new_page())
        visitor.page.on("request", lambda asked: visitor.hosts.add(urlsplit(asked.url).netloc))
        visitor.page.on("console", lambda message: visitor.said.append(message.text))
        visitor.page.on("pageerror", lambda error: visitor.said.append(str(error)))
        visitor.page.goto(path)
        return visitor

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def violations() -> Callable[..., str]:
    """What axe finds on a page, a line per rule with its first place.

    The themes differ in colours alone and languages in words, so the dark one is asked for what
    depends on colours, and a further language for what depends on words.
    """

    def violations(page: Page, lang: str = LANGUAGES[0]) -> str:
        asked = ASKED if lang == LANGUAGES[0] else {"light": WORDS}
        told = []
        for scheme, options in asked.items():
            page.emulate_media(color_scheme=scheme)
            found = Axe().run(page, options={"resultTypes": ["violations"], **options})
            told += found.response["violations"]
        return "\n".join(f"{v['id']}: {v['help']} {v['nodes'][0]['html'][:200]}" for v in told)

    return violations


@pytest.fixture(scope="session")
def pictures(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pictures go: `--pictures docs/images` renews those of the documentation."""
    chosen = pytestconfig.getoption("--pictures")
    return Path(chosen) if chosen else tmp_path_factory.mktemp("pictures")
