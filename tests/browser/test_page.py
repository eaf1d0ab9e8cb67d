"""The page as a person meets it, in Debian's Chromium."""

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


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pictures_of_the_page_are_kept(visit: Any, scheme: str, pictures: Path) -> None:
    page = visit(color_scheme=scheme, **WIDE).page
    page.get_by_role("button", name="Fill in a made-up patient").click()
    page.get_by_role("button", name="Estimate risk").click()
    name = "page.png" if scheme == "light" else f"page-{scheme}.png"
    page.locator("#answer").screenshot(path=pictures / name)
    assert (pictures / name).stat().st_size > 20_000
