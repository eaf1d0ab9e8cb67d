"""The page under a person's hands: slips, second thoughts, a slow server, an ended session."""

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Request, Route

pytestmark = pytest.mark.browser

WIDE = {"viewport": {"width": 1200, "height": 900}}
M_PROTEIN = '[id="visits[2].labs.m_protein.value"]'
AGE = '[id="subject.age"]'


def filled(page: Page) -> Page:
    """The form with the made-up patient."""
    page.locator("#example").click()
    page.locator(f'{AGE}[value="61"]').wait_for()
    return page


def answered(page: Page) -> Page:
    filled(page).locator("#ask").click()
    page.locator("#answer").wait_for()
    return page


def asked_by(page: Page) -> list[str]:
    """Paths of posts from now on, which grow."""
    posts: list[str] = []

    def note(request: Request) -> None:
        if request.method == "POST":
            posts.append(request.url)

    page.on("request", note)
    return posts


def test_a_double_click_asks_once(visit: Any) -> None:
    page = filled(visit(**WIDE).page)
    posts = asked_by(page)
    page.locator("#ask").dblclick(delay=60)
    page.locator("#answer").wait_for()
    page.wait_for_timeout(300)
    assert len(posts) == 1
    # One more visit and another one are two clicks on one button, however fast.
    page.locator("#add").click(delay=60)
    page.locator('[id="visits[3].date"]').wait_for()
    page.locator("#add").hover()
    page.mouse.down(click_count=2)
    page.mouse.up(click_count=2)
    page.locator('[id="visits[4].date"]').wait_for()


def test_a_slow_answer_is_awaited_and_what_is_typed_meanwhile_is_not_lost(visit: Any) -> None:
    page = filled(visit(**WIDE).page)
    held: list[Route] = []
    page.route("**/ui/", lambda route: held.append(route))
    page.locator("#ask").click(delay=120)
    page.get_by_role("status").get_by_text("Waiting for the server").wait_for()
    page.keyboard.type("77")
    page.locator(M_PROTEIN).click(force=True, timeout=1000)
    page.keyboard.type("99")
    assert page.locator(M_PROTEIN).input_value() == "24"
    held[0].continue_()
    page.locator("#answer").wait_for()
    assert not page.locator("#waiting").is_visible()
    page.locator(M_PROTEIN).fill("25")


def test_after_an_answer_that_did_not_come_the_keyboard_is_where_it_was(visit: Any) -> None:
    page = filled(visit(**WIDE).page)
    page.route("**/ui/", lambda route: route.abort())
    page.locator(M_PROTEIN).press("Enter", delay=100)
    page.get_by_text("The server gave no answer").wait_for()
    assert page.locator("#trouble").evaluate("it => it.getBoundingClientRect().top") >= 0
    assert page.evaluate("document.activeElement.id") == "visits[2].labs.m_protein.value"


@pytest.mark.parametrize("status", [200, 502])
def test_a_page_of_another_maker_never_replaces_what_was_typed(visit: Any, status: int) -> None:
    page = filled(visit(**WIDE).page)
    theirs = "<!doctype html><main>Welcome to the wireless network</main>"
    page.route(
        "**/ui/", lambda route: route.fulfill(status=status, content_type="text/html", body=theirs)
    )
    page.locator("#ask").click(delay=120)
    page.get_by_text("The server gave no answer").wait_for()
    assert page.locator(AGE).input_value() == "61"


def test_who_is_no_longer_signed_in_is_told_at_the_next_field_and_loses_nothing(
    visit: Any,
) -> None:
    page = filled(visit(**WIDE).page)
    # As the guard answers the page's own requests; tests/serving/access holds it to that.
    page.route("**/ui/**", lambda route: route.fulfill(status=401, body="{}"))
    page.locator(M_PROTEIN).fill("25")
    page.keyboard.press("Tab")
    notice = page.locator("#signed-out")
    notice.wait_for()
    assert notice.get_by_role("link").get_attribute("target") == "_blank"
    page.locator("#ask").click(delay=120)
    page.wait_for_timeout(200)
    assert notice.is_visible()
    assert page.locator(M_PROTEIN).input_value() == "25"


def test_an_answer_says_when_the_values_below_it_were_changed(visit: Any) -> None:
    page = answered(visit(**WIDE).page)
    note, files = page.locator("#stale"), page.get_by_role("button", name="JSON")
    assert not note.is_visible()
    page.locator(M_PROTEIN).press_sequentially("0", delay=50)
    # A file would have the risks of the values below, not those that are read above.
    assert note.is_visible()
    assert not files.is_visible()
    page.locator(M_PROTEIN).press("Backspace")
    assert not note.is_visible()
    page.locator('[id="units.m_protein"]').select_option("g/dL")
    assert note.is_visible()
    page.locator('[id="units.m_protein"]').select_option("g/L")
    assert files.is_visible()


def test_what_was_typed_is_not_cleared_or_left_without_a_question(visit: Any) -> None:
    page = visit(**WIDE).page
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    page.locator(AGE).press_sequentially("61", delay=50)
    page.locator("#clear").click(delay=120)
    page.locator("#example").click(delay=120)
    page.get_by_role("link", name="Models").click(delay=120)
    page.wait_for_timeout(300)
    assert asked == ["confirm", "confirm", "beforeunload"]
    assert page.locator(AGE).input_value() == "61"


def test_an_empty_or_an_answered_form_is_cleared_and_left_without_one(visit: Any) -> None:
    page = visit(**WIDE).page
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.locator("#clear").click(delay=120)
    answered(page)
    page.get_by_role("link", name="Models").first.click(delay=120)
    page.wait_for_url("**/ui/models")
    assert asked == []


def test_the_way_back_leads_to_the_page_as_it_was_left(
    chromium: Browser, launch: dict[str, Any], server: Any
) -> None:
    remembering = chromium.browser_type.launch(
        # Playwright's own browser forgets every page that is left; a person's does not.
        ignore_default_args=["--disable-back-forward-cache"],
        **launch,
    )
    page = remembering.new_page()
    page.goto(f"{server.url}/ui/")
    answered(page)
    page.get_by_role("link", name="Models").first.click(delay=120)
    page.get_by_role("heading", name="Models that answer").wait_for()
    page.evaluate("setTimeout(() => history.back())")
    page.locator("#answer").wait_for()
    assert page.locator(AGE).input_value() == "61"
    remembering.close()
