import re
from typing import Any

import pytest

from features.analytes import ANALYTES
from serving.web.form import EXAMPLE, GATE
from serving.web.frame import STATIC
from serving.web.texts import LANGUAGES

Client = Any


def ask(client: Client, **more: str) -> Any:
    return client.post("/ui/", data={**EXAMPLE, "action": "ask", **more})


def text_of(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def test_the_root_leads_to_the_page(client: Client) -> None:
    for path in ("/", "/ui"):
        response = client.get(path)
        assert (response.status_code, response.headers["location"]) == (303, "/ui/")


def test_the_form_has_every_analyte_with_every_unit(client: Client) -> None:
    page = client.get("/ui/").text
    for analyte in ANALYTES.values():
        assert f'name="visits[0].labs.{analyte.name}.value"' in page
        if len(analyte.units) > 1:
            select = page.split(f'name="units.{analyte.name}"')[1].split("</select>")[0]
            assert re.findall(r'<option value="([^"]+)"', select) == list(analyte.units)


def test_an_answer_shows_models_staging_missing_sources_and_intended_use(client: Client) -> None:
    response = ask(client)
    assert response.status_code == 200
    said = text_of(response.text)
    assert "Staging by IMWG 2014 SMM" in said
    assert "44\xa0%" in response.text  # 20/2/20 with three of three: 44.2 % at two years
    assert "Learned SMM" in said
    assert "Demonstration: trained on a simulated cohort" in said
    assert "for MGUS; staging says SMM" in said
    assert "doi:10.1038/s41408-018-0077-4" in said
    assert "not a medical device" in said
    assert "<svg" in response.text


def test_what_was_typed_stays_typed(client: Client) -> None:
    page = ask(client, **{"visits[1].labs.albumin.value": "40,5"}).text
    assert 'value="40,5"' in page
    assert re.search(r'<option value="umol/L" selected>', page)


def test_a_problem_stands_at_its_field_and_nothing_is_answered(client: Client) -> None:
    response = ask(client, **{"visits[2].labs.hemoglobin.value": "1240"})
    assert response.status_code == 422
    assert 'href="#visits[2].labs.hemoglobin.value"' in response.text
    assert 'aria-describedby="problem-visits[2].labs.hemoglobin.value"' in response.text
    assert 'id="answer"' not in response.text


def test_a_value_without_a_date_is_asked_for_its_date(client: Client) -> None:
    response = ask(client, **{"visits[1].date": ""})
    assert response.status_code == 422
    assert 'href="#visits[1].date"' in response.text


def test_what_is_typed_is_text_and_never_markup(client: Client) -> None:
    hostile = '"><script>alert(1)</script>'
    fields = {"subject.age": hostile, "subject.sex": hostile, "units.m_protein": hostile}
    page = ask(client, **fields).text
    assert "<script>alert" not in page


@pytest.mark.parametrize("action", ["example", "clear", "add"])
def test_the_other_buttons_show_a_form_and_no_answer(client: Client, action: str) -> None:
    response = client.post("/ui/", data={**EXAMPLE, "action": action})
    assert response.status_code == 200
    assert 'id="answer"' not in response.text
    assert ('value="2025-09-09"' in response.text) == (action != "clear")
    assert ('name="visits[3].date"' in response.text) == (action == "add")


def test_a_form_of_another_kind_or_size_is_refused(client: Client) -> None:
    assert client.post("/ui/", json={}).status_code == 415
    many = "&".join(f"a{i}=1" for i in range(5000)).encode()
    headers = {"content-type": "application/x-www-form-urlencoded"}
    assert client.post("/ui/", content=many, headers=headers).status_code == 400
    assert client.post("/ui/", content=b"a=%ff", headers=headers).status_code == 400


def test_the_first_load_weighs_less_than_120_kilobytes(client: Client) -> None:
    import gzip

    paths = ["/ui/", *(f"/ui/static/{name}" for name in STATIC)]
    assert sum(len(gzip.compress(client.get(path).content)) for path in paths) < 120_000


def test_no_page_loads_anything_from_another_host(client: Client) -> None:
    pages = client.get("/ui/").text + ask(client).text + client.get("/ui/models").text
    assert not re.search(r'(src|href|action)="(https?:)?//', pages)
    assert " style=" not in pages
    assert " onclick=" not in pages


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_line_parts_a_number_from_the_sign_of_percent(client: Client, language: str) -> None:
    refused = {"visits[0].labs.bmpc.value": "120"}
    pages = [
        client.post(f"/ui/?lang={language}", data={**EXAMPLE, "action": "ask", **more}).text
        for more in ({}, refused)
    ]
    pages += [
        client.get(f"{path}?lang={language}").text for path in ("/ui/models", "/ui/screening")
    ]
    assert "\xa0%" in pages[0]
    # A drawing breaks no lines.
    for page in pages:
        assert re.findall(r".{20} %.{20}", re.sub(r"<svg.*?</svg>", "", page, flags=re.S)) == []


@pytest.mark.parametrize("gate", GATE)
def test_someone_the_models_are_not_for_is_told_so_and_not_answered(
    client: Client, gate: str
) -> None:
    response = ask(client, **{f"gate.{gate}": "yes"})
    assert response.status_code == 422
    assert f'href="#gate.{gate}"' in response.text
    assert "no model here is for this" in response.text
    assert 'id="answer"' not in response.text


def test_a_row_is_echoed_in_the_unit_the_models_read(client: Client) -> None:
    typed = {"visits[0].labs.creatinine.value": "80", "units.creatinine": "umol/L"}
    response = client.post("/ui/echo/creatinine", data=typed)
    # 80 / 88.42 = 0.905 mg/dL
    assert "= 0.905\xa0mg/dL" in response.text
    assert "<html" not in response.text
    day = client.post("/ui/echo/as_of", data={"as_of": "14 Mar 2026"})
    assert "= 2026-03-14" in day.text
    assert client.post("/ui/echo/nothing", data=typed).status_code == 404


def test_nothing_echoed_is_recorded(client: Client, room: Any) -> None:
    client.post("/ui/echo/bmpc", data={"visits[0].labs.bmpc.value": "12"})
    assert not room.audit.path.exists()
    ask(client)
    assert room.audit.path.exists()


def test_an_unusual_value_is_answered_and_asked_to_be_confirmed_at_its_field(
    client: Client,
) -> None:
    page = ask(client, **{"visits[2].labs.bmpc.value": "", "visits[2].labs.ldh.value": "1500"}).text
    assert 'href="#visits[2].labs.ldh.value"' in page
    assert "Lactate dehydrogenase (LDH), Visit 3" in page
    assert 'id="problem-visits[2].labs.ldh.value"' in page
    assert 'id="answer"' in page


def test_the_whole_answer_is_said_in_german(client: Client) -> None:
    fields = {"visits[2].labs.ldh.value": "1500", "visits[2].labs.bmpc.value": ""}
    page = client.post("/ui/?lang=de", data={**EXAMPLE, "action": "ask", **fields}).text
    said = text_of(page)
    for english in ("needs", "missing", "staging says", "raises", "unusual", "Visit ", "trained"):
        assert english not in said, english
    assert "ist ungewöhnlich" in said
    assert "erhöht die Odds" in said


def test_days_are_read_in_any_unambiguous_form(client: Client) -> None:
    assert "2025-09-09" in ask(client, **{"visits[2].date": "9 Sep 2025"}).text
    response = ask(client, **{"visits[2].date": "09/10/2025"})
    assert response.status_code == 422
    assert "must be one day, such as" in response.text


def test_the_most_telling_missing_test_stands_first(client: Client) -> None:
    without = {f"visits[{i}].labs.bmpc.value": "" for i in range(3)}
    said = text_of(ask(client, **without).text)
    test, why = said.split("Most useful missing test")[1].split("It would narrow")
    assert test.strip() == "Clonal bone-marrow plasma cells"
    assert "Mayo 2008" in why.split(".")[0]


def test_imaging_nobody_has_looked_at_is_next_where_no_test_narrows_a_model(client: Client) -> None:
    said = text_of(ask(client).text)
    assert "Most useful missing test MRI or CT of the skeleton" in said
    seen = {
        "visits[2].labs.mri_focal_lesions.value": "0",
        "visits[2].labs.lytic_lesions.value": "0",
    }
    assert "Most useful missing test None" in text_of(ask(client, **seen).text)


def test_a_day_that_cannot_be_read_is_complained_of_once(client: Client) -> None:
    page = ask(client, **{"visits[1].date": "03/04/2025"}).text
    beside = page.partition('id="visits[1].date"')[2].partition("</th>")[0]
    assert beside.count("2026-03-14") == 1


MYELOMA = {"visits[2].labs.bmpc.value": "64", "visits[2].labs.m_protein.value": "38"}


def test_an_answer_about_active_myeloma_shows_no_empty_table_and_no_complete_models(
    client: Client,
) -> None:
    said = text_of(ask(client, **MYELOMA).text)
    assert "no longer smouldering" in said
    for nothing in ("Where models agree", "every model had what it needs", "Group"):
        assert nothing not in said


def test_an_unusual_value_is_doubted_once_in_its_row(client: Client) -> None:
    page = ask(client, **{"visits[0].labs.hemoglobin.value": "190"}).text
    row = page.partition('hx-post="/ui/echo/hemoglobin"')[2].partition("</tr>")[0]
    assert row.count('class="doubt"') == 1
