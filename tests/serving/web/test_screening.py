"""The list page over HTTP: file in, list out, nothing kept; every way of failing has its words."""

import asyncio
import base64
import csv
import io
import json
import re
import sqlite3
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from datetime import date
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import msgspec
import openpyxl
import pytest

from serving.app import application
from serving.audit import verify
from serving.request import EPOCH
from serving.room import Room
from serving.web import screening_job, screening_process
from serving.web.screening_frames import REFUSED, Refusal, Task

Client = Any
TODAY = date(2026, 1, 15).toordinal() - EPOCH


class InProcess:
    """The application, called in process; a call is one loop and one request."""

    def __init__(self, app: Any) -> None:
        self.app = app

    def post(self, path: str, **options: Any) -> httpx.Response:
        async def call() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                return await client.post(path, timeout=60, **options)

        return asyncio.run(call())


HEADER = (
    "subject_id,date,age,sex,heavy_chain,light_chain,diagnosis_date,m_protein_g_l,kappa_flc_mg_l,"
    "lambda_flc_mg_l,bmpc_percent,hemoglobin_g_dl,creatinine_mg_dl,calcium_mg_dl,albumin_g_dl"
)
HIGH = "A,2025-03-04,61,F,IgG,kappa,2024-09-01,24,312,11.4,22,12.4,0.9,9.4,4.1"
LOW = "B,2025-03-04,58,M,IgG,kappa,2024-09-01,12,30,20,12,14.0,0.9,9.4,4.1"
MGUS = "C,2025-03-04,58,M,IgG,kappa,2024-09-01,5,20,18,4,14.0,0.9,9.4,4.1"
NO_MARROW = "D,2025-03-04,58,M,IgG,kappa,2024-09-01,31,400,10,,13.0,0.9,9.4,4.1"
WRONG = "E,2025-03-04,58,M,IgG,kappa,2024-09-01,20,400,10,20,130,0.9,9.4,4.1"
LIST = "\n".join((HEADER, HIGH, LOW, MGUS, NO_MARROW, WRONG)) + "\n"


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory, publish: Callable[..., Path]) -> Iterator[Room]:
    """One room for all: a list takes a process, and leaves nothing behind."""
    home = tmp_path_factory.mktemp("room")
    publish(home)
    room = Room(home, home / "audit", today=lambda: TODAY)
    room.open()
    yield room
    room.close()


@pytest.fixture(scope="module")
def client(room: Room) -> Client:
    return InProcess(application(room))


@pytest.fixture(scope="module")
def dropped(client: Client) -> Any:
    return drop(client)


@pytest.fixture(scope="module")
def page(dropped: Any) -> str:
    """The list, as the browser holds it."""
    return str(dropped.text)


def drop(client: Client, content: str | bytes = LIST, name: str = "list.csv", **form: str) -> Any:
    raw = content.encode() if isinstance(content, str) else content
    return client.post("/ui/screening", files={"file": (name, raw)}, data=form)


def held(page: str, name: str = "list") -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found is not None, re.sub(r"<[^>]+>", " ", page)[:2000]
    return unescape(found[1])


def ask(client: Client, page: str, path: str = "list", **form: str) -> Any:
    files = {name: (None, value) for name, value in {"list": held(page), **form}.items()}
    return client.post(f"/ui/screening/{path}", files=files)


def table(page: str) -> list[list[str]]:
    """Cells of the ranked list, as text."""
    body = page.partition('<table class="patients">')[2].partition("</table>")[0]
    return [
        [
            " ".join(unescape(re.sub(r"<[^>]+>", " ", cell)).split())
            for cell in re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row, re.DOTALL)
        ]
        for row in re.findall(r"<tr[^>]*>(.*?)</tr>", body, re.DOTALL)[1:]
    ]


def exported(client: Client, page: str, **form: str) -> list[dict[str, str]]:
    text = ask(client, page, "export/csv", **form).content.decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def test_a_list_is_ranked_with_status_and_reason_for_every_row(page: str) -> None:
    rows = {row[1].split()[0]: row for row in table(page)}
    assert set(rows) == set("ABCDE")
    # AQUILA: A has an FLC ratio of 27 (8 or more), B may have a high-risk feature, C is MGUS.
    assert rows["A"][4].startswith("eligible")
    assert rows["B"][4].startswith("unknown unknown until: igg, iga, igm")
    assert "not smouldering myeloma" in rows["C"][4]
    assert rows["D"][4].startswith("unknown unknown until: bmpc")
    assert "row 6, hemoglobin_g_dl: must lie within 3-22 g/dL" in rows["E"][4]
    assert [row[0] for row in table(page)] == ["1", "2", "3", "4", "5"]
    assert table(page)[0][1] == "A"
    assert table(page)[-1][1] == "E"


def test_the_list_says_what_the_api_says_of_each(client: Client, page: str) -> None:
    (row, *_) = exported(client, page, find="A")
    visit = dict(zip(HEADER.split(","), HIGH.split(","), strict=True))
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
    answer = client.post("/v1/risk", json=body).json()
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
    client: Client, room: Room, page: str
) -> None:
    before = {path: path.read_bytes() for path in room.audit_dir.iterdir() if path.is_file()}
    names = [row[1].split()[0] for row in table(ask(client, page, sort="-subject").text)]
    assert names == ["E", "D", "C", "B", "A"]
    assert [r["subject_id"] for r in exported(client, page, status="unknown")] == ["D", "B"]
    assert [r["subject_id"] for r in exported(client, page, stage="MGUS")] == ["C"]
    assert [r["subject_id"] for r in exported(client, page, find="b")] == ["B"]
    high = exported(client, page, model="20-2-20", least="40 %")
    # 44.2 % by 20/2/20 for A, and for D, who has two factors whatever the marrow.
    assert [r["subject_id"] for r in high] == ["A", "D"]
    other = exported(client, page, trial="ITHACA")
    assert {row["trial"].split()[0] for row in other} == {"ITHACA"}
    nobody = ask(client, page, find="nobody")
    assert "Nobody in the list fits" in nobody.text
    assert {path: path.read_bytes() for path in before} == before


def test_every_answer_is_on_record_before_the_list_is_given(dropped: Any, room: Room) -> None:
    path = room.audit_dir / "audit.db"
    assert verify(room.audit_dir).broken_at is None
    connection = sqlite3.connect(path)
    every = [json.loads(text) for (text,) in connection.execute("SELECT record FROM audit")]
    connection.close()
    records = [r for r in every if r["request_id"] == dropped.headers["x-request-id"]]
    assert {record["route"] for record in records} == {"screening"}
    # E was refused, and told nothing.
    assert [r["subject"] for r in records] == [room.audit.keyed(name) for name in "ABCD"]
    (high,) = [record for record in records if record["subject"] == room.audit.keyed("A")]
    twenty = next(o for o in high["outputs"] if o["model"] == "20-2-20")
    assert twenty["groups"] == ["high"]
    assert twenty["risks"][0]["risk"] == 0.442
    learned = next(o for o in high["outputs"] if o["model"] == "smm-progression")
    assert re.fullmatch("[0-9a-f]{64}", learned["sha256"])


def test_a_list_that_cannot_be_recorded_is_not_given(tmp_path: Path) -> None:
    room = Room(tmp_path, tmp_path / "audit", today=lambda: TODAY)
    room.open()
    connection = sqlite3.connect(tmp_path / "audit" / "audit.db")
    connection.execute("CREATE TABLE audit (seq INTEGER)")
    connection.commit()
    connection.close()
    refused = drop(InProcess(application(room)))
    room.close()
    assert refused.status_code == 503
    assert "could not be recorded" in refused.text
    assert 'name="list"' not in refused.text


OWN = LIST.replace("m_protein_g_l", "Paraprotein (g/L)").replace("creatinine_mg_dl", "Krea")
OWN = OWN.replace("hemoglobin_g_dl", "Hb g/dL")


def mapped(page: str) -> dict[str, str]:
    """The form of the columns as it stands."""
    chosen = {"name": held(page, "name"), "packed": held(page, "packed"), "action": "screen"}
    for name in re.findall(r'name="(name-\d+)"', page):
        chosen[name] = held(page, name)
    for select, inside in re.findall(
        r'<select name="(column-\d+)".*?>(.*?)</select>', page, re.DOTALL
    ):
        picked = re.findall(r'value="([^"]*)" selected', inside)
        chosen[select] = picked[0] if picked else ""
    return chosen


def confirm(client: Client, form: dict[str, str]) -> Any:
    return client.post("/ui/screening", files={n: (None, v) for n, v in form.items()})


@pytest.fixture(scope="module")
def columns(client: Client) -> str:
    """The columns of a file with names of its own, to be confirmed."""
    return str(drop(client, OWN).text)


def test_columns_are_guessed_shown_and_confirmed_and_units_are_not_guessed(
    client: Client, columns: str, page: str
) -> None:
    form = mapped(columns)
    by_name = {form[f"name-{i}"]: form[f"column-{i}"] for i in range(15)}
    assert by_name["paraprotein (g/l)"] == "m_protein_g_l"
    assert by_name["krea"] == ""
    assert "values fit mg/dL" in columns
    assert "0.9" in columns
    place = next(i for i in range(15) if form[f"name-{i}"] == "krea")
    same = confirm(client, {**form, f"column-{place}": "creatinine_mg_dl"})
    own, plain = exported(client, same.text), exported(client, page)
    wrong = own[-1]["reason"], plain[-1]["reason"]
    # What is said of a cell names the column as its own file does.
    assert wrong[0] == wrong[1].replace("hemoglobin_g_dl", "hb g/dl")
    assert [{**row, "reason": ""} for row in own] == [{**row, "reason": ""} for row in plain]


def test_columns_that_do_not_do_come_back_with_what_was_chosen(
    client: Client, columns: str
) -> None:
    form = mapped(columns)
    subject = next(i for i in range(15) if form[f"column-{i}"] == "subject_id")
    again = confirm(client, {**form, f"column-{subject}": ""})
    assert again.status_code == 422
    assert "has no column &#39;subject_id&#39;" in again.text
    assert mapped(again.text)["column-7"] == "m_protein_g_l"
    twice = confirm(client, {**form, f"column-{subject}": "m_protein_g_l"})
    assert twice.status_code == 422
    assert "is given twice" in twice.text


def test_the_columns_are_shown_for_any_file_when_asked_for_in_any_language(client: Client) -> None:
    files = {"file": ("list.csv", LIST.encode())}
    shown = client.post("/ui/screening?lang=de", files=files, data={"action": "columns"})
    assert "Gelesen als" in shown.text
    assert '<html lang="de">' in shown.text
    assert len(exported(client, confirm(client, mapped(shown.text)).text)) == 5


def test_the_list_speaks_another_language_when_asked_again(client: Client, page: str) -> None:
    files = {"list": (None, held(page))}
    german = client.post("/ui/screening/list?lang=de", files=files)
    assert "Gereihte Liste" in german.text
    assert "geeignet" in german.text


PANGEA = (
    "participant_id,tstart,tstop,prog_mm,mspike,iuratio,plasmacells,age,creatinine,hgb\n"
    "P1,0,0.5,0,2.4,27,22,61,0.9,12.4\nP1,0.5,1,0,2.6,30,22,61.5,0.9,12.0\n"
)


def test_the_pangea_file_is_taken_as_it_is(client: Client) -> None:
    (row,) = exported(client, drop(client, PANGEA).text)
    assert (row["subject_id"], row["years"]) == ("P1", "0.50")
    assert row["20-2-20.group"] == "high"


def fhir() -> str:
    patient = {"resourceType": "Patient", "id": "F1", "gender": "female", "birthDate": "1964-02-01"}
    observations = [
        {
            "resourceType": "Observation",
            "status": "final",
            "subject": {"reference": "Patient/F1"},
            "effectiveDateTime": "2025-03-04",
            "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
            "valueQuantity": {"value": value, "code": unit},
        }
        for code, value, unit in (("33358-3", 2.4, "g/dL"), ("11118-7", 22, "%"))
    ]
    return "\n".join(json.dumps(each) for each in (patient, *observations))


def test_fhir_ndjson_is_taken_without_a_word_on_columns(client: Client) -> None:
    (row,) = exported(client, drop(client, fhir(), "export.ndjson").text)
    assert (row["subject_id"], row["date"], row["stage"]) == ("F1", "2025-03-04", "SMM")


def test_parquet_is_taken(client: Client, tmp_path: Path) -> None:
    import pandas as pd

    frame = pd.read_csv(io.StringIO(LIST))
    frame.to_parquet(tmp_path / "list.parquet")
    page = drop(client, (tmp_path / "list.parquet").read_bytes(), "list.parquet")
    assert exported(client, page.text)[0]["subject_id"] == "A"


def refusal(content: bytes, **fields: bytes) -> Refusal:
    """Why the process that reads files does not read this one."""
    parts = {'file"; filename="list.csv': content, **fields} if content or not fields else fields
    body = b"".join(
        b'--B\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (name.encode(), value)
        for name, value in parts.items()
    )
    task = Task("multipart/form-data; boundary=B", "/nowhere", {}, TODAY)
    (frame,) = screening_job.work(task, body + b"--B--\r\n")
    assert frame.kind == REFUSED
    return msgspec.json.decode(frame.content, type=Refusal)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"PK\x03\x04xxxx", "is a workbook"),
        (b"subject_id\tdate\n1\t2\n", "separates columns by tabs"),
        (b"{not json", "is neither a JSON document nor a line of NDJSON"),
        (b"PAR1junkPAR1", "is not a readable Parquet file"),
        (b"\xff\xfes\x00", "is UTF-16"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(content: bytes, said: str) -> None:
    found = refusal(content)
    assert said in found.errors[0].expected
    assert found.status == 422
    assert found.errors[0].source is None
    assert found.file == "list.csv"


def test_a_file_that_cannot_be_read_leads_back_to_the_start(client: Client) -> None:
    answer = drop(client, b"\xff\xfes\x00")
    assert answer.status_code == 422
    assert "is UTF-16" in answer.text
    assert "/proc/" not in answer.text
    assert 'id="file"' in answer.text


def test_a_file_beyond_the_limits_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = base64.b64encode(zlib.compress(b"0" * (33 * 1024 * 1024), 9))
    found = refusal(b"", name=b"a.csv", packed=bomb)
    assert (found.status, found.errors[0].expected[:31]) == (413, "a file may have at most 32 MB; ")
    assert refusal(b"", name=b"a.csv", packed=b"!").status == 400
    monkeypatch.setattr(screening_job, "MOST_PATIENTS", 4)
    found = refusal(LIST.encode())
    assert found.status == 413
    assert "has more than 4 patients" in found.errors[0].expected
    wide = ",".join(f"c{i}" for i in range(501))
    assert "has 501 columns" in refusal(f"{wide}\n{wide}\n".encode()).errors[0].expected


def test_every_other_way_of_failing_is_a_page_too(client: Client) -> None:
    nothing = client.post("/ui/screening", files={"x": (None, "1")})
    assert (nothing.status_code, "choose a file first" in nothing.text) == (400, True)
    plain = client.post("/ui/screening", content=b"x")
    assert (plain.status_code, "must be multipart/form-data" in plain.text) == (415, True)
    form = {"Content-Type": "multipart/form-data; boundary=B"}
    cut = b'--B\r\nContent-Disposition: form-data; name="list"\r\n\r\nabc'
    answer = client.post("/ui/screening/list", content=cut, headers=form)
    assert (answer.status_code, "ended before its end" in answer.text) == (400, True)
    assert client.post("/ui/screening/export/exe", files={"list": (None, "")}).status_code == 404


def test_a_list_that_was_not_made_here_is_not_shown(client: Client, page: str) -> None:
    sealed = held(page)
    for forged in ("", "x.y", sealed[:-4] + "AAAA", "0" * 64 + sealed[64:]):
        answer = client.post("/ui/screening/list", files={"list": (None, forged)})
        assert answer.status_code == 400
        assert "was not made here" in answer.text


def test_a_worker_that_has_lists_enough_asks_to_come_again(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(screening_process, "AT_ONCE", 0)
    page = drop(client)
    assert page.status_code == 503
    assert page.headers["retry-after"] == "5"
    assert "try again" in page.text


def test_a_process_that_takes_too_long_is_ended(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(screening_process, "WALL_SECONDS", 0.05)
    page = drop(client)
    assert page.status_code == 422
    assert "more time or memory" in page.text


SIGNS = ("=", "+", "-", "@", "\t=", " =", "＝")


def test_no_identifier_becomes_a_formula(client: Client) -> None:
    names = [f'{sign}HYPERLINK("{i}")' for i, sign in enumerate(SIGNS)]
    told = io.StringIO()
    csv.writer(told).writerows([name, *HIGH.split(",")[1:]] for name in names)
    shown = drop(client, f"{HEADER}\n{told.getvalue()}").text
    rows = exported(client, shown)
    # Readers trim identifiers.
    assert {row["subject_id"] for row in rows} == {f"'{name.strip()}" for name in names}
    for row in rows:
        for cell in row.values():
            assert not cell.lstrip().startswith(("=", "+", "-", "@", "＝"))
    book = ask(client, shown, "export/xlsx").content
    sheet = openpyxl.load_workbook(io.BytesIO(book)).active
    cells = [cell for line in sheet.iter_rows() for cell in line if cell.value is not None]
    assert {cell.data_type for cell in cells} <= {"s", "n", "inlineStr"}
    assert {name.strip() for name in names} <= {cell.value for cell in cells}
    quoted = [cell for cell in cells if str(cell.value).startswith(("=", "+", "-", "@"))]
    assert len(quoted) == 6
    assert all(cell.quotePrefix for cell in quoted)
    assert b"<f>" not in zipfile.ZipFile(io.BytesIO(book)).read("xl/worksheets/sheet1.xml")


def test_the_workbook_says_what_the_table_says(client: Client, page: str) -> None:
    book = ask(client, page, "export/xlsx").content
    header, *lines = openpyxl.load_workbook(io.BytesIO(book)).active.iter_rows(values_only=True)
    told = exported(client, page)
    assert list(header) == list(told[0])
    for line, row in zip(lines, told, strict=True):
        for cell, text in zip(line, row.values(), strict=True):
            if isinstance(cell, float | int):
                assert float(text) == cell
            else:
                assert (cell or "") == text


def test_the_page_of_a_name_that_is_markup_shows_it_as_text(client: Client) -> None:
    page = drop(client, LIST.replace("\nA,", "\n<script>alert(1)</script>,"), "<b>.csv").text
    assert "<script>alert" not in page
    assert "&lt;b&gt;.csv" in page


def test_nothing_of_a_file_is_in_any_log(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    drop(client, LIST.replace("\nA,", "\nSENTINEL-7731,").replace("24,312", "24,x7731x"))
    drop(client, b"{SENTINEL-7731")
    assert "7731" not in caplog.text


def test_a_process_that_reads_files_has_its_limits() -> None:
    limits = (
        "import resource; from serving.web import screening_job as job; job._limit();"
        "print([resource.getrlimit(getattr(resource, f'RLIMIT_{name}'))[0]"
        " for name in ('DATA', 'CPU', 'CORE')])"
    )
    said = subprocess.run([sys.executable, "-c", limits], capture_output=True, text=True)
    assert said.stdout.strip() == str([2 * 1024**3, 60, 0])


def test_a_process_that_needs_too_much_memory_says_so() -> None:
    hungry = (
        "import io, sys; from serving.web import screening_job as job;"
        "job.MEMORY_BYTES = 256 * 1024**2;"
        "job.work = lambda task, body: iter([bytearray(2**29)]);"
        "job.main()"
    )
    task = msgspec.json.encode(Task("", "", {}, TODAY)) + b"\n"
    said = subprocess.run([sys.executable, "-c", hungry], input=task, capture_output=True)
    assert said.stdout[:1] == REFUSED
    found = msgspec.json.decode(said.stdout[5:], type=Refusal)
    assert found.status == 413
    assert "of memory" in found.errors[0].expected


def test_the_worker_reads_no_file_itself() -> None:
    imported = (
        "import sys; import serving.app;"
        "print([n for n in ('pandas', 'pyarrow', 'sklearn', 'xgboost', 'mlflow')"
        " if n in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", imported], capture_output=True, text=True)
    assert said.stdout.strip() == "[]"
