"""The page as a person meets it, in Debian's Chromium."""

import csv
import io
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import numpy as np
import pytest
from fhir.resources.R4B.bundle import Bundle
from PIL import Image
from playwright.sync_api import Page

from serving.examples import EXAMPLE, FHIR_EXAMPLE
from serving.web.download import DOWNLOADS
from serving.web.numbers import percent
from serving.web.texts import LANGUAGES, texts

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


@pytest.mark.parametrize(
    ("screen", "javascript"),
    [(WIDE, True), (PHONE, True), (PHONE, False)],
    ids=["wide", "phone", "phone-no-script"],
)
def test_a_filled_form_is_answered_by_this_host_alone(
    visit: Any, server: Any, screen: dict[str, Any], javascript: bool
) -> None:
    visitor = visit(java_script_enabled=javascript, **screen)
    page = visitor.page
    fill(page)
    page.get_by_role("button", name="Estimate risk").click()
    answer = page.locator("#answer")
    assert answer.locator(".stage").first.inner_text() == "SMM"
    row = answer.locator("table.risks tr", has_text="20/2/20")
    # BMPC 22 > 20, M-protein 2.4 > 2, ratio 312 / 11.4 = 27.4 > 20: high, 44 % at two years.
    assert "high" in row.inner_text()
    assert "44\xa0%" in row.inner_text()
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
    # Held as long as a hand does: the echo that leaving the field asks for comes meanwhile.
    page.get_by_role("button", name="Estimate risk").click(delay=300)
    alert = page.locator("section.problems")
    assert "must lie within 30–220 g/L" in alert.inner_text()
    assert page.evaluate("document.activeElement.className") == "card problems"
    alert.get_by_role("link").click()
    assert page.locator('[id="visits[2].labs.hemoglobin.value"]').is_visible()


def test_enter_in_a_field_estimates(visit: Any) -> None:
    page = visit(**WIDE).page
    fill(page)
    page.locator('[id="subject.age"]').press("Enter")
    assert page.locator("#answer .stage").first.inner_text() == "SMM"
    assert page.evaluate("document.activeElement.id") == "answer"


def test_a_value_is_echoed_in_the_unit_the_models_read_while_typing_goes_on(visit: Any) -> None:
    visitor = visit(**WIDE)
    page = visitor.page
    page.locator('[id="units.creatinine"]').select_option("umol/L")
    page.locator('[id="visits[0].labs.creatinine.value"]').fill("80")
    page.locator('[id="visits[1].labs.creatinine.value"]').fill("700")
    page.locator('[id="visits[2].labs.creatinine.value"]').focus()
    row = page.locator("tr", has=page.locator('[id="units.creatinine"]'))
    # 80 / 88.42 = 0.905; 700 / 88.42 = 7.92, unusual above 5 mg/dL = 442 umol/L
    row.get_by_text("= 0.905 · 7.92 mg/dL").wait_for()
    assert "Unusually high (above 442" in row.inner_text()
    page.locator('[id="visits[0].date"]').fill("14 Mar 2025")
    page.locator('[id="visits[1].date"]').focus()
    page.get_by_text("= 2025-03-14").wait_for()
    assert visitor.said == []


def test_what_is_said_beside_a_field_waits_until_a_press_is_let_go(visit: Any) -> None:
    page = visit(**WIDE).page
    page.locator('[id="visits[0].labs.hemoglobin.value"]').fill("1240")
    doubt = page.locator("tr", has=page.locator('[id="units.hemoglobin"]')).locator(".doubt")
    page.get_by_role("heading", level=2).first.hover()
    with page.expect_response("**/ui/echo/hemoglobin"):
        page.mouse.down()
    page.wait_for_timeout(200)
    assert doubt.count() == 0
    page.mouse.up()
    doubt.wait_for()


def answered(visit: Any, *, lang: str = "en", **options: Any) -> Any:
    """The page with the made-up patient answered."""
    page = visit(f"/ui/?lang={lang}", **{**WIDE, **options}).page
    page.locator("#example").click()
    page.locator('[id="subject.age"][value="61"]').wait_for()
    page.locator("#ask").click()
    page.locator("#answer").wait_for()
    return page


def test_the_language_is_changed_without_losing_what_was_typed(visit: Any) -> None:
    page = answered(visit)
    page.get_by_role("button", name="Deutsch").click()
    page.get_by_role("heading", name="Progressionsrisiko", exact=True).wait_for()
    assert page.locator("html").get_attribute("lang") == "de"
    assert page.locator('[id="subject.age"]').input_value() == "61"
    page.goto("/ui/models")
    assert page.locator("html").get_attribute("lang") == "de"


def test_an_answer_that_does_not_come_is_told_and_nothing_typed_is_lost(visit: Any) -> None:
    page = visit(**WIDE).page
    fill(page)
    page.route("**/ui/", lambda route: route.abort())
    page.get_by_role("button", name="Estimate risk").click()
    page.get_by_text("The server gave no answer").wait_for()
    assert page.locator('[id="subject.age"]').input_value() == "61"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_answer_prints_on_one_sheet_of_a4(visit: Any, lang: str, pictures: Path) -> None:
    page = answered(visit, lang=lang)
    pdf = page.pdf(prefer_css_page_size=True)
    (pictures / f"print-{lang}.pdf").write_bytes(pdf)
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == 1


def taken(page: Any, kind: str) -> str:
    """The file behind a button; the page stays where it is."""
    with page.expect_download() as waiting:
        page.get_by_role("button", name=kind.upper(), exact=True).click()
    assert waiting.value.suggested_filename == f"smoulder-2025-09-09.{DOWNLOADS[kind].ending}"
    assert page.locator("#answer").is_visible()
    return Path(waiting.value.path()).read_text(encoding="utf-8")


def risks_on(page: Any) -> list[str]:
    """Every risk of the table of models as it is read, ranges left out, from left to right."""
    cells = page.locator("table.risks tbody td.number strong").all_inner_texts()
    return [cell for cell in cells if "–" not in cell]


def risks_in(kind: str, text: str) -> list[float]:
    """Every risk of a file, within 0-1, in its order."""
    if kind == "csv":
        return [float(row["risk"]) for row in csv.DictReader(io.StringIO(text)) if row["risk"]]
    document = json.loads(text)
    if kind == "json":
        rows = [row for each in document["estimates"] for row in each["risks"]]
        return [row["risk"] for row in rows if row["risk"] is not None]
    Bundle.model_validate(document)
    told = [row for each in assessments(document) for row in each.get("prediction", ())]
    return [row["probabilityDecimal"] / 100 for row in told if "probabilityDecimal" in row]


def assessments(bundle: dict[str, Any]) -> list[dict[str, Any]]:
    resources = [entry["resource"] for entry in bundle["entry"]]
    return [each for each in resources if each["resourceType"] == "RiskAssessment"]


@pytest.mark.parametrize("kind", DOWNLOADS)
def test_a_file_taken_away_has_the_risks_of_the_page(visit: Any, kind: str) -> None:
    page = answered(visit)
    held = risks_in(kind, taken(page, kind))
    assert [percent(risk, texts("en")) for risk in held] == risks_on(page)
    # 20/2/20 high: 44.2 % within two years.
    assert 0.442 in held


def test_the_fhir_taken_away_is_what_the_fhir_api_says_of_the_same_person(
    visit: Any, server: Any
) -> None:
    page = visit(**WIDE).page
    page.get_by_label("Sex", exact=True).select_option("female")
    # Born in 1964-05, its fifteenth, and so 22397 days old on 2025-09-09.
    page.locator('[id="subject.age"]').fill(repr(22397 / 365.25)[:18])
    for i, told in enumerate(EXAMPLE["visits"]):
        page.locator(f'[id="visits[{i}].date"]').fill(told["date"])
        for name, lab in told["labs"].items():
            page.locator(f'[id="units.{name}"]').select_option(lab["unit"])
            page.locator(f'[id="visits[{i}].labs.{name}.value"]').fill(str(lab["value"]))
    page.get_by_role("button", name="Estimate risk").click()
    page.locator("#answer").wait_for()
    held = assessments(json.loads(taken(page, "fhir")))
    response = httpx.post(f"{server.url}/v1/fhir/risk-assessment", json=FHIR_EXAMPLE, timeout=60)
    said = assessments(response.json())
    assert len(said) > 5
    for each in said:
        # A form has no Patient and no Observations to refer to.
        assert each.pop("subject")["reference"] == "Patient/made-up"
        each.pop("basis", None)
    assert [{k: v for k, v in each.items() if k != "subject"} for each in held] == said


def paste(page: Page, field: str, block: str) -> None:
    page.locator(f'[id="{field}"]').evaluate(
        """(field, text) => {
            const data = new DataTransfer();
            data.setData("text/plain", text);
            const options = {clipboardData: data, bubbles: true, cancelable: true};
            field.dispatchEvent(new ClipboardEvent("paste", options));
        }""",
        block,
    )


def test_a_block_with_more_visits_than_the_grid_gets_a_column_for_each(visit: Any) -> None:
    page = visit(**WIDE).page
    # As Excel copies it: Windows line ends, blank cells behind, decimal commas.
    dates = "\t".join(f"0{month}.03.2024" for month in range(1, 6))
    paste(page, "visits[0].date", f"{dates}\t\t\r\n1,9\t2,0\t2,1\t2,2\t1.234,5 \t\t\r\n")
    page.locator('[id="visits[4].labs.m_protein.value"]').wait_for()
    read = [page.locator(f'[id="visits[{i}].labs.m_protein.value"]') for i in range(5)]
    assert [field.input_value() for field in read] == ["1,9", "2,0", "2,1", "2,2", "1.234,5"]
    assert page.locator('[id="visits[4].date"]').input_value() == "05.03.2024"


def test_lines_of_a_block_that_reach_into_a_closed_part_open_it(visit: Any) -> None:
    page = visit(**WIDE).page
    paste(page, "visits[0].labs.albumin.value", "41\n7,5\n")
    below = page.locator('details input[id^="visits[0]"]').first
    assert below.input_value() == "7,5"
    assert below.is_visible()


def test_a_block_copied_from_a_spreadsheet_fills_the_grid(visit: Any) -> None:
    page = visit(**WIDE).page
    paste(page, "visits[0].date", "17.09.2024\t4 Mar 2025\t2025-09-09\n19\t21\t24\n174\t221\t312\n")
    values = {
        "visits[0].date": "17.09.2024",
        "visits[1].date": "4 Mar 2025",
        "visits[1].labs.m_protein.value": "21",
        "visits[2].labs.kappa_flc.value": "312",
    }
    for field, value in values.items():
        assert page.locator(f'[id="{field}"]').input_value() == value
    for read in ("= 2024-09-17", "= 2025-03-04"):
        page.get_by_text(read).wait_for()


def test_a_risk_is_asked_for_with_the_keyboard_alone(visit: Any) -> None:
    page = visit(**WIDE).page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    keys = {
        "subject.sex": "f",
        "subject.age": "61",
        "visits[0].date": "9 Sep 2025",
        "units.m_protein": "g/L",
        "visits[0].labs.m_protein.value": "24",
        "units.bmpc": "%",
        "visits[0].labs.bmpc.value": "22",
    }
    for _ in range(60):
        page.keyboard.press("Tab")
        here = page.evaluate("document.activeElement.id")
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid"
        if here in keys:
            page.keyboard.type(keys.pop(here))
        if not keys:
            break
    page.keyboard.press("Enter")
    assert page.locator("#answer .stage").first.inner_text() == "SMM"


@pytest.mark.parametrize("width", [600, 320], ids=["zoom-200", "zoom-400"])
def test_nothing_is_cut_off_or_parted_when_enlarged(visit: Any, width: int) -> None:
    page = answered(visit, viewport={"width": width, "height": 450})
    for summary in page.locator("#answer details > summary").all():
        summary.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    numbers = page.locator(".risks :is(strong, .interval), .inputs .date")
    assert numbers.count() > 20
    parted = """all => all.filter(it => {
        const words = document.createRange();
        words.selectNodeContents(it);
        return new Set([...words.getClientRects()].map(line => Math.round(line.top))).size > 1;
    }).map(it => it.textContent)"""
    assert [each for each in numbers.evaluate_all(parted) if len(each) < 16] == []


def ink(page: Page, place: Any, edge: str) -> float:
    """How dark the outermost pixels of a region's first lines are, 0-255."""
    box = place.bounding_box()
    x = box["x"] + (box["width"] - 3 if edge == "right" else 0)
    strip = page.screenshot(clip={"x": x, "y": box["y"] + 2, "width": 3, "height": 12})
    pixels = Image.open(io.BytesIO(strip)).convert("L")
    return 255 - float(np.asarray(pixels).mean())


def test_a_table_that_goes_on_beyond_an_edge_shows_it_there(visit: Any) -> None:
    page = visit(**PHONE).page
    grid = page.locator("form .scroll").first
    grid.scroll_into_view_if_needed()
    assert ink(page, grid, "right") > ink(page, grid, "left") + 20
    grid.evaluate("it => { it.scrollLeft = it.scrollWidth; }")
    page.wait_for_timeout(100)
    assert ink(page, grid, "left") > ink(page, grid, "right") + 20


def test_fields_of_a_row_stand_in_line_and_columns_keep_their_width(visit: Any) -> None:
    page = visit(**WIDE).page
    page.locator("#example").click()
    page.locator('[id="subject.age"][value="61"]').wait_for()
    page.locator('[id="visits[1].labs.m_protein.value"]').fill("twenty-one grams per litre")
    page.locator('[id="visits[1].date"]').fill("03/04/2025")
    page.locator("#ask").click()
    page.locator("section.problems").wait_for()
    fields = page.locator('input[id$=".labs.m_protein.value"]')
    boxes = fields.evaluate_all("all => all.map(it => it.getBoundingClientRect().toJSON())")
    assert len({round(box["y"]) for box in boxes}) == 1
    assert max(box["width"] for box in boxes) < 1.1 * min(box["width"] for box in boxes)


def test_nothing_moves_for_those_who_mind(visit: Any) -> None:
    for wish, behaviour in (("reduce", "auto"), ("no-preference", "smooth")):
        page = visit(reduced_motion=wish).page
        got = page.evaluate("getComputedStyle(document.documentElement).scrollBehavior")
        assert got == behaviour
        assert page.evaluate("document.getAnimations().length") == 0


@pytest.mark.parametrize("lang", LANGUAGES)
def test_axe_finds_nothing_on_any_page_in_either_theme(
    visit: Any, violations: Any, lang: str
) -> None:
    page = answered(visit, lang=lang)
    opened = page.locator("details > summary")
    for i in range(opened.count()):
        opened.nth(i).click()
    found = {"answer": violations(page, lang)}
    page.locator('[id="visits[2].labs.hemoglobin.value"]').fill("1240")
    page.locator("#ask").click()
    page.locator("section.problems").wait_for()
    found["problems"] = violations(page, lang)
    for path in ("/ui/", "/ui/models", "/ui/models/smm-progression"):
        page.goto(path)
        found[path] = violations(page, lang)
    assert found == dict.fromkeys(found, "")


def keep(target: Any, path: Path) -> None:
    """A picture, if there is anything to see on it."""
    target.screenshot(path=path)
    assert path.stat().st_size > 20_000


def test_pictures_of_the_answer_are_kept(visit: Any, pictures: Path) -> None:
    page = answered(visit)
    keep(page.locator("#answer"), pictures / "page.png")
    page.emulate_media(color_scheme="dark")
    keep(page.locator("#answer"), pictures / "page-dark.png")
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(PHONE["viewport"])
    keep(page.locator("#answer"), pictures / "page-phone.png")
    keep(answered(visit, lang="de").locator("#answer"), pictures / "page-german.png")


def test_pictures_of_form_and_models_are_kept(visit: Any, pictures: Path) -> None:
    page = visit(**WIDE).page
    page.locator("#example").click()
    page.locator('[id="subject.age"][value="61"]').wait_for()
    keep(page.locator("#patient"), pictures / "form.png")
    page.goto("/ui/models")
    keep(page.locator("body"), pictures / "models.png")
