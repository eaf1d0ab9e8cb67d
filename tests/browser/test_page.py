"""The page as a person meets it, in Debian's Chromium."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

pytestmark = pytest.mark.browser

WIDE = {"viewport": {"width": 1200, "height": 900}}
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True}

VALUES = {
    "m_protein": ("g/L", ("19", "21", "24")),
    "kappa_flc": ("mg/L", ("174", "221", "312")),
    "lambda_flc": ("mg/L", ("12,1", "11,8", "11,4")),
    "bmpc": ("%", ("18", "", "22")),
    "hemoglobin": ("g/L", ("134", "131", "124")),
    "creatinine": ("umol/L", ("74", "76", "80")),
}
DATES = ("2024-09-17", "2025-03-04", "2025-09-09")


def fill(page: Any) -> None:
    """Three visits in SI units, typed field by field."""
    page.get_by_label("Sex", exact=True).select_option("female")
    page.locator('[id="subject.age"]').fill("61")
    page.get_by_label("Heavy chain", exact=True).select_option("IgG")
    page.get_by_label("Light chain", exact=True).select_option("kappa")
    for i, day in enumerate(DATES):
        page.locator(f'[id="visits[{i}].date"]').fill(day)
    for name, (unit, values) in VALUES.items():
        page.locator(f'[id="units.{name}"]').select_option(unit)
        for i, value in enumerate(values):
            page.locator(f'[id="visits[{i}].labs.{name}.value"]').fill(value)


@pytest.mark.parametrize("javascript", [True, False], ids=["script", "no-script"])
@pytest.mark.parametrize("screen", [WIDE, PHONE], ids=["wide", "phone"])
def test_a_filled_form_is_answered_by_this_host_alone(
    visit: Any, server: Any, screen: dict[str, Any], javascript: bool
) -> None:
    visitor = visit(java_script_enabled=javascript, **screen)
    page = visitor.page
    fill(page)
    page.get_by_role("button", name="Estimate risk").click()
    answer = page.locator("#answer")
    assert answer.locator(".stage").inner_text() == "SMM"
    row = answer.locator("table.risks tr", has_text="20-2-20")
    # BMPC 22 > 20, M-protein 2.4 > 2, ratio 312 / 11.4 = 27.4 > 20: high, 44 % at two years.
    assert "high" in row.inner_text()
    assert "44 %" in row.inner_text()
    assert "Demonstration" in answer.inner_text()
    assert answer.locator("svg.curve").is_visible()
    assert visitor.hosts == {urlsplit(server.url).netloc}
    assert visitor.said == []
    assert urlsplit(page.url).query == ""
    width = page.evaluate("document.documentElement.scrollWidth") if javascript else 0
    assert width <= screen["viewport"]["width"]


def test_a_problem_leads_to_its_field(visit: Any) -> None:
    page = visit(**WIDE).page
    fill(page)
    page.locator('[id="visits[2].labs.hemoglobin.value"]').fill("1240")
    page.get_by_role("button", name="Estimate risk").click()
    alert = page.get_by_role("alert")
    assert "must lie within 30-220 g/L" in alert.inner_text()
    alert.get_by_role("link").click()
    assert page.locator('[id="visits[2].labs.hemoglobin.value"]').is_visible()


def test_enter_in_a_field_estimates(visit: Any) -> None:
    page = visit(**WIDE).page
    fill(page)
    page.locator('[id="subject.age"]').press("Enter")
    assert page.locator("#answer .stage").inner_text() == "SMM"


def answered(visit: Any, **options: Any) -> Any:
    """The page with the made-up patient answered."""
    page = visit(**WIDE, **options).page
    page.get_by_role("button", name="Fill in a made-up patient").click()
    page.get_by_role("button", name="Estimate risk").click()
    return page


def test_the_answer_prints_on_one_sheet_of_a4(visit: Any) -> None:
    pdf = answered(visit).pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == 1


def test_files_are_taken_away_without_leaving_the_page(visit: Any) -> None:
    page = answered(visit)
    for name in ("JSON", "CSV"):
        with page.expect_download() as waiting:
            page.get_by_role("button", name=name).click()
        assert waiting.value.suggested_filename == f"smoulder-2025-09-09.{name.lower()}"
        assert "20-2-20" in Path(waiting.value.path()).read_text()


def test_a_block_copied_from_a_spreadsheet_fills_the_grid(visit: Any) -> None:
    page = visit(**WIDE).page
    block = "17.09.2024\t4 Mar 2025\t2025-09-09\n19\t21\t24\n174\t221\t312\n"
    page.locator('[id="visits[0].date"]').evaluate(
        """(field, text) => {
            const data = new DataTransfer();
            data.setData("text/plain", text);
            const options = {clipboardData: data, bubbles: true, cancelable: true};
            field.dispatchEvent(new ClipboardEvent("paste", options));
        }""",
        block,
    )
    values = {
        "visits[0].date": "2024-09-17",
        "visits[1].date": "2025-03-04",
        "visits[2].date": "2025-09-09",
        "visits[1].labs.m_protein.value": "21",
        "visits[2].labs.kappa_flc.value": "312",
    }
    for field, value in values.items():
        assert page.locator(f'[id="{field}"]').input_value() == value


def test_the_page_is_used_with_the_keyboard_alone(visit: Any) -> None:
    page = visit(**WIDE).page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    seen = []
    for _ in range(8):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.id"))
    assert seen[:4] == [
        "subject.sex",
        "subject.age",
        "subject.heavy_chain",
        "subject.light_chain",
    ]


def test_nothing_is_cut_off_at_twice_the_size(visit: Any) -> None:
    page = visit(viewport={"width": 600, "height": 450}).page
    page.get_by_role("button", name="Fill in a made-up patient").click()
    page.get_by_role("button", name="Estimate risk").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 600


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pictures_of_the_page_are_kept(visit: Any, scheme: str, pictures: Path) -> None:
    page = answered(visit, color_scheme=scheme)
    name = "page.png" if scheme == "light" else f"page-{scheme}.png"
    page.locator("#answer").screenshot(path=pictures / name)
    assert (pictures / name).stat().st_size > 20_000
