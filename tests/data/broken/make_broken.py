"""Write the broken files of this folder, and what must be said of each, to `expected.json`.

    python tests/data/broken/make_broken.py

Every expectation was read and judged by a person before it was kept: run this after adding a file,
then review the difference in `expected.json`. `Zebra` and 777 stand for what a patient's row may
hold and no message may repeat.
"""

import gzip
import io
import json
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[2]))

HEADER = "subject_id,date,age,sex,m_protein_g_dl,hemoglobin_g_dl"
GOOD = "GOOD,2024-01-05,60,F,1.8,13.1"
LONG = "subject_id,date,analyte,value,unit"
LONG_GOOD = "GOOD,2024-01-05,m_protein,18,g/L"
LOINC = LONG.replace("analyte", "loinc")
PANGEA = "participant_id,tstart,tstop,prog_mm,mspike,iuratio,plasmacells,age,creatinine,hgb"


def table(*rows: str, header: str = HEADER, end: str = "\n") -> bytes:
    """A table of a good row and others."""
    return end.join([header, *rows, ""]).encode()


def wide() -> dict[str, bytes]:
    """Files in the wide layout."""
    return {
        "empty.csv": b"",
        "blank-lines.csv": b"\n\n\n",
        "only-a-byte-order-mark.csv": b"\xef\xbb\xbf",
        "header-only.csv": table(),
        "semicolons-and-commas.csv": table(GOOD).replace(b"sex,", b"sex;"),
        "semicolons-and-two-decimal-signs.csv": table(GOOD, GOOD.replace("1.8", "1,777")).replace(
            b",", b";"
        ).replace(b"1;777", b"1,777"),
        "semicolons-and-grouped-digits.csv": table("GOOD,2024-01-05,60,F,2,13")
        .replace(b",", b";")
        .replace(b"F;2", b"F;1.777"),
        "semicolons-and-grouped-commas.csv": table("GOOD,2024-01-05,60,F,2,13")
        .replace(b",", b";")
        .replace(b"F;2", b"F;1,777"),
        "semicolons-in-a-remark.csv": table(
            GOOD.replace(",", ";") + ";", "B;2024-01-05;60;F;1.8;13;a;b",
            header=HEADER.replace(",", ";") + ";remark",
        ),
        "semicolons-and-half-utf-8.csv": (
            table(GOOD.replace(",", ";") + ";", header=HEADER.replace(",", ";") + ";gefäß")
            + "B;2024-01-05;60;F;1.8;13;gefäß\n".encode("cp1252")
        ),
        "tabs.csv": table(GOOD).replace(b",", b"\t"),
        "vertical-bars.csv": table(GOOD).replace(b",", b"|"),
        "utf-16.csv": table(GOOD).decode().encode("utf-16"),
        "latin-1-in-an-id.csv": table(GOOD, "Zebra-Müller,2024-01-05,60,F,1.8,13").decode().encode(
            "latin-1"
        ),
        "latin-1-in-a-remark.csv": table(
            GOOD + ",", "B,2024-01-05,60,F,1.8,13,Ödem", header=HEADER + ",remark"
        )
        .decode()
        .encode("latin-1"),
        "latin-1-in-the-header.csv": table(GOOD + ",", header=HEADER + ",gefäß")
        .decode()
        .encode("latin-1"),
        "byte-order-mark-and-a-bad-cell.csv": b"\xef\xbb\xbf"
        + table(GOOD, "B,2024-01-05,60,F,Zebra,13"),
        "old-mac-line-ends.csv": table(GOOD, "B,2024-01-05,60,F,Zebra,13", end="\r"),
        "binary-zero.csv": table(GOOD, "B,2024-01-05,60,F,1.8\0,13"),
        "workbook.csv": b"PK\x03\x04" + bytes(60),
        "old-workbook.csv": b"\xd0\xcf\x11\xe0" + bytes(60),
        "picture.csv": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(17),
        "document.csv": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
        "compressed.csv": gzip.compress(table(GOOD), mtime=0),
        "column-twice.csv": table(GOOD + ",1.9", header=HEADER + ",m_protein_g_dl"),
        "column-twice-in-other-case.csv": table(GOOD + ",61", header=HEADER + ",Age"),
        "no-subject.csv": table("2024-01-05,1.8", header="date,m_protein_g_dl"),
        "no-time.csv": table("A,1.8", header="subject_id,m_protein_g_dl"),
        "no-test.csv": table("A,2024-01-05,60", header="subject_id,date,age"),
        "test-without-unit.csv": table("A,2024-01-05,18", header="subject_id,date,m_protein"),
        "free-light-chain-without-unit.csv": table(
            "A,2024-01-05,18", header="subject_id,date,kappa_flc"
        ),
        "test-with-unknown-unit.csv": table(
            "A,2024-01-05,18", header="subject_id,date,m_protein_mg_ml"
        ),
        "decimal-comma-in-quotes.csv": table(GOOD, 'B,2024-01-05,60,F,"1,8",13.1'),
        "decimal-comma-without-quotes.csv": table(GOOD, "B,2024-01-05,60,F,1,8,13,1"),
        "thousands.csv": table(GOOD, 'B,2024-01-05,60,F,"1,234.5",13.1'),
        "spreadsheet-serial-dates.csv": table("A,45296,60,F,1.8,13.1", "B,45297,60,F,1.8,13.1"),
        "one-serial-date.csv": table(GOOD, "B,45297,60,F,1.8,13.1"),
        "day-first-dates.csv": table(GOOD, "B,05/01/2024,60,F,1.8,13.1"),
        "month-first-dates.csv": table(GOOD, "B,1/5/2024,60,F,1.8,13.1"),
        "month-only.csv": table(GOOD, "B,2024-01,60,F,1.8,13.1"),
        "day-that-is-none.csv": table(GOOD, "B,2024-02-30,60,F,1.8,13.1"),
        "ancient-date.csv": table(GOOD, "B,0024-01-05,60,F,1.8,13.1"),
        "no-date.csv": table(GOOD, "B,,60,F,1.8,13.1"),
        "future-date.csv": table(GOOD, "B,2999-01-05,60,F,1.8,13.1"),
        "no-id.csv": table(GOOD, ",2024-01-05,60,F,1.8,13.1"),
        "unit-in-a-cell.csv": table(GOOD, "B,2024-01-05,60,F,777 g/L,13.1"),
        "mixed-units-in-a-column.csv": table(GOOD, "B,2024-01-05,60,F,18,13.1"),
        "haemoglobin-in-si.csv": table(GOOD, "B,2024-01-05,60,F,1.8,131"),
        "formula.csv": table(GOOD, "B,2024-01-05,60,F,=E2*777,13.1"),
        "broken-reference.csv": table(GOOD, "B,2024-01-05,60,F,#REF!,13.1"),
        "division-by-zero.csv": table(GOOD, "B,2024-01-05,60,F,1.8,#DIV/0!"),
        "word-for-a-number.csv": table(GOOD, "B,2024-01-05,60,F,Zebra,13.1"),
        "digits-of-another-script.csv": table(GOOD, "B,2024-01-05,60,F,１.８,13.1"),
        "underscore-in-a-number.csv": table(GOOD, "B,2024-01-05,60,F,1_8,13.1"),
        "below-detection.csv": table(GOOD, "B,2024-01-05,60,F,<777,13.1"),
        "infinite.csv": table(GOOD, "B,2024-01-05,60,F,inf,13.1"),
        "too-large-for-a-number.csv": table(GOOD, "B,2024-01-05,60,F,1e999,13.1"),
        "negative.csv": table(GOOD, "B,2024-01-05,60,F,-1.8,13.1"),
        "sex-not-understood.csv": table(GOOD, "B,2024-01-05,60,Zebra,1.8,13.1"),
        "sex-changes.csv": table(GOOD, "B,2023-01-05,59,F,1.7,13", "B,2024-01-05,60,M,1.8,13"),
        "heavy-chain-not-understood.csv": table(
            GOOD + ",IgG", "B,2024-01-05,60,F,1.8,13,Zebra", header=HEADER + ",heavy_chain"
        ),
        "light-chain-not-understood.csv": table(
            GOOD + ",kappa", "B,2024-01-05,60,F,1.8,13,Zebra", header=HEADER + ",light_chain"
        ),
        "diagnosis-changes.csv": table(
            GOOD + ",2020-01-05",
            "B,2023-01-05,59,F,1.7,13,2020-01-05",
            "B,2024-01-05,60,F,1.8,13,2021-01-05",
            header=HEADER + ",diagnosis_date",
        ),
        "diagnosis-a-lifetime-later.csv": table(
            GOOD + ",2020-01-05", "B,1950-01-05,60,F,1.8,13,2020-01-05",
            header=HEADER + ",diagnosis_date",
        ),
        "child.csv": table(GOOD, "B,2024-01-05,17,F,1.8,13.1"),
        "age-in-months.csv": table(GOOD, "B,2024-01-05,777,F,1.8,13.1"),
        "two-values-on-a-day.csv": table(
            GOOD, "B,2024-01-05,60,F,1.8,13", "B,2024-01-05,60,F,1.9,13"
        ),
        "visit-twice.csv": table(GOOD, GOOD.replace("GOOD", "B"), GOOD.replace("GOOD", "B")),
        "no-usable-test.csv": table(GOOD, "B,2024-01-05,60,F,,"),
        "open-quotation-mark-in-the-header.csv": table(GOOD, header=HEADER + ',"remark\non two'),
        "endless-name.csv": table(GOOD, header=HEADER + "," + 200_000 * "x"),
        "open-quotation-mark.csv": table(GOOD, 'B,2024-01-05,60,F,"1.8,13.1', GOOD),
        "stray-quotation-mark.csv": table(GOOD, 'B,2024-01-05,60,F,"1.8"x",13.1'),
        "short-row.csv": table(GOOD, "B,2024-01-05,60"),
        "long-row.csv": table(GOOD, "B,2024-01-05,60,F,1.8,13.1,Zebra"),
        "years-not-a-number.csv": table(
            "GOOD,0.5,1.8", "B,Zebra,1.8", header="subject_id,years,m_protein_g_dl"
        ),
    }  # fmt: skip


def long_and_pangea() -> dict[str, bytes]:
    """Files in the long layout and in that of PANGEA."""
    return {
        "long-without-unit-column.csv": table("A,2024-01-05,m_protein,18", header=LONG[:-5]),
        "long-without-test-column.csv": table(
            "A,2024-01-05,18,g/L", header=LONG.replace("analyte,", "")
        ),
        "long-unknown-unit.csv": table(LONG_GOOD, "B,2024-01-05,m_protein,18,mmol/L", header=LONG),
        "long-unit-in-wrong-case.csv": table(
            LONG_GOOD, "B,2024-01-05,m_protein,1800,mg/dl", header=LONG
        ),
        "long-no-unit.csv": table(LONG_GOOD, "B,2024-01-05,kappa_flc,18,", header=LONG),
        "long-unit-that-is-a-name.csv": table(
            LONG_GOOD, "B,2024-01-05,m_protein,18,Zebra", header=LONG
        ),
        "long-false-loinc.csv": table(
            "GOOD,2024-01-05,33358-3,18,g/L", "B,2024-01-05,33944-8,18,mg/L", header=LOINC
        ),
        "long-ionised-calcium.csv": table(
            "GOOD,2024-01-05,33358-3,18,g/L", "B,2024-01-05,1995-0,1.2,mmol/L", header=LOINC
        ),
        "long-bound.csv": table(LONG_GOOD, "B,2024-01-05,m_protein,<777,g/L", header=LONG),
        "pangea-without-start.csv": table("A,1.8", header="participant_id,mspike"),
        "pangea-bad-cell.csv": table(
            "GOOD,0,1,0,1.8,20,15,60,0.9,13", "B,0,1,0,Zebra,20,15,60,0.9,13", header=PANGEA
        ),
    }


def parquet() -> dict[str, bytes]:
    """Parquet files."""

    def written(columns: dict[str, object] | list[tuple[str, object]]) -> bytes:
        pairs = columns.items() if isinstance(columns, dict) else columns
        made = pa.Table.from_arrays([pa.array(v) for _, v in pairs], [n for n, _ in pairs])
        sink = io.BytesIO()
        pq.write_table(made, sink)
        return sink.getvalue()

    good = {"subject_id": ["GOOD", "B"], "date": ["2024-01-05"] * 2, "m_protein_g_dl": [1.8, 1.9]}
    return {
        "truncated.parquet": written(good)[:-40],
        "text-called.parquet": table(GOOD),
        "lists.parquet": written(good | {"m_protein_g_dl": [[1.8], [1.9]]}),
        "column-twice.parquet": written([*good.items(), ("m_protein_g_dl", [1.8, 1.9])]),
        "serial-dates.parquet": written(good | {"date": [45296, 45297]}),
        "text-for-numbers.parquet": written(good | {"m_protein_g_dl": ["1.8", "Zebra"]}),
        "no-rows.parquet": written(
            {name: pa.array([], pa.string()) for name in good}
        ),
    }  # fmt: skip


def observation(subject: str, **changed: object) -> dict[str, object]:
    """A serum M-protein of 18 g/L, changed."""
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "33358-3"}]},
        "subject": {"reference": f"Patient/{subject}"},
        "effectiveDateTime": "2024-01-05",
        "valueQuantity": quantity("g/L"),
        **changed,
    }


def quantity(unit: str | None, value: float = 18, **more: str) -> dict[str, object]:
    """A quantity in UCUM."""
    named = {} if unit is None else {"system": "http://unitsofmeasure.org", "code": unit}
    return {"value": value, **named, **more}


def fhir() -> dict[str, bytes]:
    """FHIR Bundles and NDJSON."""
    good = observation("GOOD")

    def bundle(*resources: object) -> bytes:
        entries = [{"resource": resource} for resource in resources]
        made = {"resourceType": "Bundle", "type": "collection", "entry": entries}
        return json.dumps(made, indent=1).encode()

    code = {"coding": [{"system": "http://loinc.org", "code": "33944-8"}]}
    no_subject = {key: value for key, value in good.items() if key != "subject"}
    patient = {"resourceType": "Patient", "id": "B", "birthDate": "Zebra"}
    return {
        "truncated.json": bundle(good)[:-30],
        "latin-1.json": json.dumps(good, ensure_ascii=False).encode()[:-1] + b', "id": "\xfc"}',
        "not-an-object.json": b"[1, 2]",
        "entry-is-no-list.json": b'{"resourceType": "Bundle", "entry": "Zebra"}',
        "empty-bundle.json": bundle(),
        "r5.json": bundle(good, observation("B", triggeredBy=[])),
        "false-loinc.json": bundle(good, observation("B", code=code)),
        "no-unit.json": bundle(good, observation("B", valueQuantity=quantity(None))),
        "unknown-unit.json": bundle(good, observation("B", valueQuantity=quantity("mmol/L"))),
        "status-that-is-none.json": bundle(good, observation("B", status="oops")),
        "bound.json": bundle(
            good, observation("B", valueQuantity=quantity("g/L", 777, comparator="<"))
        ),
        "month-only.json": bundle(good, observation("B", effectiveDateTime="2024-01")),
        "no-date.json": bundle(good, {k: v for k, v in observation("B").items() if "eff" not in k}),
        "no-subject.json": bundle(good, no_subject),
        "text-for-a-number.json": bundle(
            good, observation("B", valueQuantity={"value": "Zebra", "code": "g/L"})
        ),
        "entered-in-error.json": bundle(good, observation("B", status="entered-in-error")),
        "birth-date-that-is-none.json": bundle(patient, good),
        "broken-line.ndjson": json.dumps(good).encode() + b'\n{"resourceType": "Obs\n',
        "no-code.json": bundle(good, {k: v for k, v in observation("B").items() if k != "code"}),
    }


def million_columns() -> bytes:
    """A header of a million columns; made when it is needed, not kept."""
    return (HEADER + "," + ",".join(f"c{i}" for i in range(1_000_000)) + "\n").encode()


def said_of(path: Path) -> dict[str, object]:
    """What is said of a file: one line that stops, or one line per finding and who is answered."""
    from features.errors import SmoulderError
    from features.sources import read_visits
    from features.visits import check

    try:
        rows = read_visits(path)
    except SmoulderError as error:
        return {"stops": str(error)}
    visits = check(rows, as_of_years=56.0)
    answered = {rows.subject_ids[i] for i in visits.history.subject}
    return {
        "says": [*map(str, visits.findings), *rows.notes],
        "answered": sorted(answered),
    }


def main() -> None:
    """Write the files and what is said of them."""
    for name, content in (wide() | long_and_pangea() | parquet() | fhir()).items():
        (HERE / name).write_bytes(content)
    kept = sorted(p for p in HERE.iterdir() if p.suffix != ".py" and p.name != "expected.json")
    expected = {path.name: said_of(path) for path in kept if path.is_file()}
    text = json.dumps(expected, indent=1, ensure_ascii=False)
    (HERE / "expected.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
