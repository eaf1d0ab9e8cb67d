"""The list page over HTTP: file in, list out, nothing kept; every way of failing has its words."""

import json
import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from serving.audit import verify
from serving.room import Room
from serving.web.frame import POLICY
from training.simulation import simulate_cohort


def test_a_list_is_ranked_with_status_and_reason_for_every_row(lists: Any, page: str) -> None:
    rows = {row[1].split()[0]: row for row in lists.table(page)}
    assert set(rows) == set("ABCDE")
    # AQUILA: A has an FLC ratio of 27 (8 or more), B may have a high-risk feature, C is MGUS.
    assert rows["A"][4].startswith("eligible")
    assert rows["B"][4].startswith("open unknown until: Immunoglobulin G (IgG), ")
    assert "not smouldering myeloma" in rows["C"][4]
    assert rows["D"][4].startswith("open unknown until: Clonal bone-marrow plasma cells")
    assert "row 6, hemoglobin_g_dl: must lie within 3–22 g/dL" in rows["E"][4]
    assert [row[0] for row in lists.table(page)] == ["1", "2", "3", "4", "5"]
    assert lists.table(page)[0][1] == "A"
    assert lists.table(page)[-1][1] == "E"


def test_the_list_says_what_the_api_says_of_each(lists: Any, page: str) -> None:
    (row, *_) = lists.exported(page, find="A")
    visit = dict(zip(lists.HEADER.split(","), lists.HIGH.split(","), strict=True))
    units = {
        "m_protein": ("m_protein_g_l", "g/L"),
        "kappa_flc": ("kappa_flc_mg_l", "mg/L"),
        "lambda_flc": ("lambda_flc_mg_l", "mg/L"),
        "bmpc": ("bmpc_percent", "%"),
        "hemoglobin": ("hemoglobin_g_dl", "g/dL"),
        "creatinine": ("creatinine_mg_dl", "mg/dL"),
        "calcium": ("calcium_mg_dl", "mg/dL"),
        "albumin": ("albumin_g_dl", "g/dL"),
    }
    body = {
        "subject": {
            "sex": "female",
            "age": 61,
            "heavy_chain": "IgG",
            "light_chain": "kappa",
            "diagnosis_date": visit["diagnosis_date"],
        },
        "visits": [
            {
                "date": visit["date"],
                "labs": {
                    name: {"value": float(visit[column]), "unit": unit}
                    for name, (column, unit) in units.items()
                },
            }
        ],
    }
    answer = lists.post("/v1/risk", json=body).json()
    assert row["stage"] == answer["staging"]["stage"]
    compared = 0
    for entry in answer["estimates"]:
        name = entry["model"]
        assert row[f"{name}.status"] == entry["status"]
        assert row[f"{name}.group"] == "|".join(entry.get("groups", []))
        assert row[f"{name}.reason"] == (entry.get("reason") or "")
        for risk in entry["risks"]:
            if risk["horizon_years"] == 2 and risk["risk"] is not None:
                assert float(row[f"{name}.risk_2y"]) == pytest.approx(risk["risk"], abs=5.1e-5)
                compared += 1
    assert compared >= 5
    parted = next(a for a in answer["agreement"] if a["horizon_years"] == 2)
    assert (row["discordant"] == "yes") is not parted["agree"]


def test_sorting_filtering_and_the_trial_are_asked_of_a_server_that_remembers_nothing(
    lists: Any, page: str
) -> None:
    before = {path: path.read_bytes() for path in lists.room.audit_dir.iterdir() if path.is_file()}
    names = [row[1].split()[0] for row in lists.table(lists.ask(page, sort="-subject").text)]
    assert names == ["E", "D", "C", "B", "A"]
    assert [r["subject_id"] for r in lists.exported(page, status="unknown")] == ["D", "B"]
    assert [r["subject_id"] for r in lists.exported(page, stage="MGUS")] == ["C"]
    assert [r["subject_id"] for r in lists.exported(page, find="b")] == ["B"]
    high = lists.exported(page, model="20-2-20", least="40 %")
    # 44.2 % by 20/2/20 for A, and for D, who has two factors whatever the marrow.
    assert [r["subject_id"] for r in high] == ["A", "D"]
    other = lists.exported(page, trial="ITHACA")
    assert {row["trial"].split()[0] for row in other} == {"ITHACA"}
    nobody = lists.ask(page, find="nobody")
    assert "Nobody in the list fits" in nobody.text
    assert {path: path.read_bytes() for path in before} == before


def test_every_answer_is_on_record_before_the_list_is_given(lists: Any, dropped: Any) -> None:
    path = lists.room.audit_dir / "audit.db"
    assert verify(lists.room.audit_dir).broken_at is None
    connection = sqlite3.connect(path)
    every = [json.loads(text) for (text,) in connection.execute("SELECT record FROM audit")]
    connection.close()
    records = [r for r in every if r["request_id"] == dropped.headers["x-request-id"]]
    assert {record["route"] for record in records} == {"screening"}
    # E was refused, and told nothing.
    assert [r["subject"] for r in records] == [lists.room.audit.keyed(name) for name in "ABCD"]
    (high,) = [record for record in records if record["subject"] == lists.room.audit.keyed("A")]
    twenty = next(o for o in high["outputs"] if o["model"] == "20-2-20")
    assert twenty["groups"] == ["high"]
    assert twenty["risks"][0]["risk"] == 0.442
    learned = next(o for o in high["outputs"] if o["model"] == "smm-progression")
    assert re.fullmatch("[0-9a-f]{64}", learned["sha256"])


SCRIPT = {"hx-request": "true"}
"""Sent by the script of the page, which reads how far a list is."""


def test_how_far_a_list_is_stands_in_front_of_it(lists: Any, page: str) -> None:
    many = "\n".join([lists.HEADER, *(lists.HIGH.replace("A,", f"P{i},", 1) for i in range(450))])
    wrong = lists.LIST.rpartition("\nE,")[2]
    told = lists.drop(f"{many}\nE,{wrong}", headers=SCRIPT)
    front, _, rest = told.text.partition("<!doctype html>")
    assert re.sub(r"<!-- \d+/\d+ -->\s*", "", front) == ""
    shares = [(int(a), int(b)) for a, b in re.findall(r"(\d+)/(\d+)", front)]
    # Of 451 one is refused at once; the others go on record by the hundred, four hundreds at once.
    assert shares == [(0, 451), (101, 451)]
    assert told.headers["content-security-policy"] == POLICY
    assert "451 patients" in rest
    assert (
        lists.drop(headers=SCRIPT).text.partition("<!doctype")[2] == page.partition("<!doctype")[2]
    )


def test_without_the_script_and_without_a_list_nothing_is_put_in_front(lists: Any) -> None:
    assert lists.drop().text.startswith("<!doctype html>")
    refused = lists.drop(b"\xff\xfes\x00", headers=SCRIPT)
    assert refused.status_code == 422
    assert refused.text.startswith("<!doctype html>")


@pytest.mark.parametrize("told", [False, True], ids=["at-once", "with-progress"])
def test_a_list_that_cannot_be_recorded_is_not_given(
    lists: Any, tmp_path: Path, told: bool
) -> None:
    room = Room(tmp_path, tmp_path / "audit", today=lambda: lists.TODAY)
    room.open()
    connection = sqlite3.connect(tmp_path / "audit" / "audit.db")
    connection.execute("CREATE TABLE audit (seq INTEGER)")
    connection.commit()
    connection.close()
    refused = type(lists)(room).drop(headers=SCRIPT if told else {})
    room.close()
    # An answer that has begun to tell how far it is cannot take its status back.
    assert refused.status_code == (200 if told else 503)
    assert "could not be recorded" in refused.text
    assert 'name="list"' not in refused.text


def test_the_list_speaks_another_language_when_asked_again(lists: Any, page: str) -> None:
    files = {"list": (None, lists.held(page))}
    german = lists.post("/ui/screening/list?lang=de", files=files)
    assert "Gereihte Liste" in german.text
    assert "geeignet" in german.text


def test_a_file_that_cannot_be_read_leads_back_to_the_start(lists: Any) -> None:
    answer = lists.drop(b"\xff\xfes\x00")
    assert answer.status_code == 422
    assert "is UTF-16" in answer.text
    assert "/proc/" not in answer.text
    assert 'id="file"' in answer.text


def test_every_other_way_of_failing_is_a_page_too(lists: Any) -> None:
    nothing = lists.post("/ui/screening", files={"x": (None, "1")})
    assert (nothing.status_code, "choose a file first" in nothing.text) == (400, True)
    plain = lists.post("/ui/screening", content=b"x")
    assert (plain.status_code, "must be multipart/form-data" in plain.text) == (415, True)
    form = {"Content-Type": "multipart/form-data; boundary=B"}
    cut = b'--B\r\nContent-Disposition: form-data; name="list"\r\n\r\nabc'
    answer = lists.post("/ui/screening/list", content=cut, headers=form)
    assert (answer.status_code, "ended before its end" in answer.text) == (400, True)
    assert lists.post("/ui/screening/export/exe", files={"list": (None, "")}).status_code == 404


def test_a_list_that_was_not_made_here_is_not_shown(lists: Any, page: str) -> None:
    sealed = lists.held(page)
    for forged in ("", "x.y", sealed[:-4] + "AAAA", "0" * 64 + sealed[64:]):
        answer = lists.post("/ui/screening/list", files={"list": (None, forged)})
        assert answer.status_code == 400
        assert "was not made here" in answer.text


def test_the_page_of_a_name_that_is_markup_shows_it_as_text(lists: Any) -> None:
    page = lists.drop(lists.LIST.replace("\nA,", "\n<script>alert(1)</script>,"), "<b>.csv").text
    assert "<script>alert" not in page
    assert "&lt;b&gt;.csv" in page


def test_nothing_of_a_file_is_in_any_log(lists: Any, caplog: pytest.LogCaptureFixture) -> None:
    lists.drop(lists.LIST.replace("\nA,", "\nSENTINEL-7731,").replace("24,312", "24,x7731x"))
    lists.drop(b"{SENTINEL-7731")
    assert "7731" not in caplog.text


def test_a_risk_that_is_nearly_certain_is_not_told_as_certain(lists: Any) -> None:
    visits = simulate_cohort(120, seed=7).visits
    # PANGEA-SMM gives this made-up person more than 0.99999 within two years.
    one = visits[visits["subject_id"] == "S0000052"].to_csv(index=False)
    page = lists.drop(one).text
    ((_, subject, risk, *_),) = lists.table(page)
    assert subject == "S0000052"
    assert risk.startswith("> 99 %")
