"""A dropped file: what it is, what its columns may be, and why it is not read."""

import base64
import io
import json
import zlib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from serving.web import screening_job
from serving.web.screening_frames import REFUSED, Refusal, Task


@pytest.fixture(scope="module")
def columns(lists: Any) -> str:
    """The columns of a file with names of its own, to be confirmed."""
    own = lists.LIST.replace("m_protein_g_l", "Paraprotein (g/L)")
    own = own.replace("creatinine_mg_dl", "Krea").replace("hemoglobin_g_dl", "Hb g/dL")
    return str(lists.drop(own).text)


def test_columns_are_guessed_shown_and_confirmed_and_units_are_not_guessed(
    lists: Any, columns: str, page: str
) -> None:
    form = lists.mapped(columns)
    by_name = {form[f"name-{i}"]: form[f"column-{i}"] for i in range(15)}
    assert by_name["paraprotein (g/l)"] == "m_protein_g_l"
    assert by_name["krea"] == ""
    assert "values fit mg/dL" in columns
    assert "0.9" in columns
    place = next(i for i in range(15) if form[f"name-{i}"] == "krea")
    same = lists.confirm({**form, f"column-{place}": "creatinine_mg_dl"})
    own, plain = lists.exported(same.text), lists.exported(page)
    wrong = own[-1]["reason"], plain[-1]["reason"]
    # What is said of a cell names the column as its own file does.
    assert wrong[0] == wrong[1].replace("hemoglobin_g_dl", "hb g/dl")
    assert [{**row, "reason": ""} for row in own] == [{**row, "reason": ""} for row in plain]


def test_columns_that_do_not_do_come_back_with_what_was_chosen(lists: Any, columns: str) -> None:
    form = lists.mapped(columns)
    subject = next(i for i in range(15) if form[f"column-{i}"] == "subject_id")
    again = lists.confirm({**form, f"column-{subject}": ""})
    assert again.status_code == 422
    assert "has no column &#39;subject_id&#39;" in again.text
    assert lists.mapped(again.text)["column-7"] == "m_protein_g_l"
    twice = lists.confirm({**form, f"column-{subject}": "m_protein_g_l"})
    assert twice.status_code == 422
    assert "is given twice" in twice.text


def test_the_columns_are_shown_for_any_file_when_asked_for_in_any_language(lists: Any) -> None:
    files = {"file": ("list.csv", lists.LIST.encode())}
    shown = lists.post("/ui/screening?lang=de", files=files, data={"action": "columns"})
    assert "Gelesen als" in shown.text
    assert '<html lang="de">' in shown.text
    assert len(lists.exported(lists.confirm(lists.mapped(shown.text)).text)) == 5


GERMAN = (
    "PatNr;Datum;Alter;Geschlecht;Schwerkette;Leichtkette;M-Gradient (g/l);Freie Kappa (mg/l);"
    "Freie Lambda (mg/l);Plasmazellen (%);Hämoglobin (g/dl);Kreatinin (µmol/l)\r\n"
    "Müller;04.03.2025;61,5;weiblich;IgG;kappa;24;312;11,4;22;12,4;80\r\n"
)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1252"])
def test_a_german_spreadsheet_is_shown_as_it_is_read_and_screened(
    lists: Any, encoding: str
) -> None:
    shown = lists.drop(GERMAN.encode(encoding))
    form = lists.mapped(shown.text)
    chosen = [form[f"column-{i}"] for i in range(12)]
    assert chosen[6:] == [
        *("m_protein_g_l", "kappa_flc_mg_l", "lambda_flc_mg_l"),
        *("bmpc_percent", "hemoglobin_g_dl", "creatinine_umol_l"),
    ]
    assert "11.4" in shown.text
    (row,) = lists.exported(lists.confirm(form).text)
    assert (row["subject_id"], row["date"], row["20-2-20.group"]) == (
        "Müller",
        "2025-03-04",
        "high",
    )


def test_a_spreadsheet_whose_commas_may_be_thousands_is_not_shown(lists: Any) -> None:
    grouped = GERMAN.replace("61,5", "61").replace("11,4", "1,140").replace("12,4", "12")
    answer = lists.drop(grouped.encode("cp1252"))
    assert answer.status_code == 422
    assert "freie lambda (mg/l)" in answer.text
    assert "may be decimal or between thousands" in answer.text


PANGEA = (
    "participant_id,tstart,tstop,prog_mm,mspike,iuratio,plasmacells,age,creatinine,hgb\n"
    "P1,0,0.5,0,2.4,27,22,61,0.9,12.4\nP1,0.5,1,0,2.6,30,22,61.5,0.9,12.0\n"
)


def test_the_pangea_file_is_taken_as_it_is(lists: Any) -> None:
    (row,) = lists.exported(lists.drop(PANGEA).text)
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


def test_fhir_ndjson_is_taken_without_a_word_on_columns(lists: Any) -> None:
    (row,) = lists.exported(lists.drop(fhir(), "export.ndjson").text)
    assert (row["subject_id"], row["date"], row["stage"]) == ("F1", "2025-03-04", "SMM")


def test_parquet_is_taken(lists: Any, tmp_path: Path) -> None:
    import pandas as pd

    frame = pd.read_csv(io.StringIO(lists.LIST))
    frame.to_parquet(tmp_path / "list.parquet")
    page = lists.drop((tmp_path / "list.parquet").read_bytes(), "list.parquet")
    assert lists.exported(page.text)[0]["subject_id"] == "A"


def refusal(content: bytes, **fields: bytes) -> Refusal:
    """Why the process that reads files does not read this one."""
    parts = {'file"; filename="list.csv': content, **fields} if content or not fields else fields
    body = b"".join(
        b'--B\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (name.encode(), value)
        for name, value in parts.items()
    )
    task = Task("multipart/form-data; boundary=B", "/nowhere", {}, 20468)
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


def test_a_file_beyond_the_limits_is_refused(lists: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = base64.b64encode(zlib.compress(b"0" * (33 * 1024 * 1024), 9))
    found = refusal(b"", name=b"a.csv", packed=bomb)
    assert (found.status, found.errors[0].expected[:31]) == (413, "a file may have at most 32 MB; ")
    assert refusal(b"", name=b"a.csv", packed=b"!").status == 400
    monkeypatch.setattr(screening_job, "MOST_PATIENTS", 4)
    found = refusal(lists.LIST.encode())
    assert found.status == 413
    assert "has more than 4 patients" in found.errors[0].expected
    wide = ",".join(f"c{i}" for i in range(501))
    assert "has 501 columns" in refusal(f"{wide}\n{wide}\n".encode()).errors[0].expected
