import re

from serving.web.form import EXAMPLE, GROUPS, read_form
from serving.web.grid import Grid
from serving.web.notes import Notes


def rows(typed: dict[str, str], group: str = "main", **notes: str) -> str:
    at = {field.replace("__", "."): text for field, text in notes.items()}
    return str(Grid(read_form(typed), "en", Notes(at, {})).rows(group))


def test_every_text_stands_in_its_own_field() -> None:
    html = rows(dict(EXAMPLE))
    for field, text in EXAMPLE.items():
        if field.startswith("visits[") and "labs" in field:
            assert f'id="{field}" value="{text}"' in html
        elif field.startswith("units."):
            menu = html.partition(f'id="{field}"')[2].partition("</select>")[0]
            assert f'<option value="{text}" selected>' in menu


def test_what_was_typed_is_not_in_the_row_of_the_next_person() -> None:
    before = rows({})
    rows({"visits[0].labs.m_protein.value": "2.4321", "units.m_protein": "g/L"})
    rows({}, **{"visits[0].labs.m_protein.value": "must be a number"})
    assert rows({}) == before
    assert 'value=""' in before


def test_nothing_typed_is_taken_for_a_gap_or_for_markup() -> None:
    html = rows({"visits[0].labs.bmpc.value": '<gap>"', "visits[1].labs.bmpc.value": "22"})
    assert 'id="visits[0].labs.bmpc.value" value="&lt;gap&gt;&#34;"' in html
    assert 'id="visits[1].labs.bmpc.value" value="22"' in html
    hostile = "unit '<gap>' is not understood"
    html = rows({"units.bmpc": "<gap>"}, units__bmpc=hostile)
    assert "<gap>" not in html
    assert "unit &#39;&lt;gap&gt;&#39; is not understood" in html


def test_a_note_stands_at_its_field_alone() -> None:
    html = rows(dict(EXAMPLE), **{"visits[2].labs.hemoglobin.value": "must be a number"})
    (noted,) = re.findall(r'<input name="([^"]*)"[^>]* aria-invalid="true"', html)
    assert noted == "visits[2].labs.hemoglobin.value"
    assert html.count("must be a number") == 1


def test_there_is_a_row_for_every_test_and_a_cell_for_every_visit() -> None:
    for group, analytes in GROUPS.items():
        html = rows({"visits[4].date": "2026-01-01"}, group)
        assert html.count("<tr ") == len(analytes)
        assert html.count("<input ") == 5 * len(analytes)
