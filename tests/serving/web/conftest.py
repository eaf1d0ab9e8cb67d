"""What a model says, as the pages read it, and the list page as a browser uses it."""

import asyncio
import csv
import io
import re
from collections.abc import Callable, Iterator
from datetime import date
from html import unescape
from typing import Any

import httpx
import pytest

from serving.app import application
from serving.request import EPOCH
from serving.room import Room

Json = dict[str, Any]


def _entry(model: str, horizon: float, risk: float | None, **more: Any) -> Json:
    row = {"horizon_years": horizon, "risk": risk, "lower": None, "upper": None}
    row |= {name: more.pop(name) for name in ("lower", "upper") if name in more}
    return {
        "model": model,
        "label": model,
        "kind": "published",
        "version": "2020",
        "status": "ok",
        "risks": [row],
        "missing": [],
        "interval": None,
        "provenance": {},
        **more,
    }


@pytest.fixture
def entry() -> Callable[..., Json]:
    """One model's entry in an answer: identifier, horizon, risk, and what else differs."""
    return _entry


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


class Lists:
    """The list page, called in process; a call is one loop and one request."""

    HEADER, HIGH, LIST = HEADER, HIGH, LIST
    TODAY = date(2026, 1, 15).toordinal() - EPOCH

    def __init__(self, room: Room) -> None:
        self.room = room
        self.app = application(room)

    def post(self, path: str, **options: Any) -> httpx.Response:
        """One request."""

        async def call() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                return await client.post(path, timeout=60, **options)

        return asyncio.run(call())

    def drop(self, content: str | bytes = LIST, name: str = "list.csv", **options: Any) -> Any:
        """A file, dropped."""
        raw = content.encode() if isinstance(content, str) else content
        return self.post("/ui/screening", files={"file": (name, raw)}, **options)

    def ask(self, page: str, path: str = "list", **form: str) -> Any:
        """The list again, as chosen."""
        files = {name: (None, value) for name, value in {"list": self.held(page), **form}.items()}
        return self.post(f"/ui/screening/{path}", files=files)

    def exported(self, page: str, **form: str) -> list[dict[str, str]]:
        """Rows of the list as CSV."""
        text = self.ask(page, "export/csv", **form).content.decode("utf-8-sig")
        return list(csv.DictReader(io.StringIO(text)))

    def confirm(self, form: dict[str, str]) -> Any:
        """Columns, confirmed."""
        return self.post("/ui/screening", files={n: (None, v) for n, v in form.items()})

    @staticmethod
    def held(page: str, name: str = "list") -> str:
        """What the page holds for the next request."""
        found = re.search(rf'name="{name}" value="([^"]*)"', page)
        assert found is not None, re.sub(r"<[^>]+>", " ", page)[:2000]
        return unescape(found[1])

    @staticmethod
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

    def mapped(self, page: str) -> dict[str, str]:
        """The form of the columns as it stands."""
        chosen = {name: self.held(page, name) for name in ("name", "packed")}
        chosen["action"] = "screen"
        for name in re.findall(r'name="(name-\d+)"', page):
            chosen[name] = self.held(page, name)
        for select, inside in re.findall(
            r'<select name="(column-\d+)".*?>(.*?)</select>', page, re.DOTALL
        ):
            picked = re.findall(r'value="([^"]*)" selected', inside)
            chosen[select] = picked[0] if picked else ""
        return chosen


@pytest.fixture(scope="session")
def lists(tmp_path_factory: pytest.TempPathFactory, publish: Any) -> Iterator[Lists]:
    """One room for all: a list takes a process, and leaves nothing behind."""
    home = tmp_path_factory.mktemp("room")
    publish(home)
    room = Room(home, home / "audit", today=lambda: Lists.TODAY)
    room.open()
    yield Lists(room)
    room.close()


@pytest.fixture(scope="session")
def dropped(lists: Lists) -> httpx.Response:
    """The answer to the list."""
    return lists.drop()


@pytest.fixture(scope="session")
def page(dropped: httpx.Response) -> str:
    """The list, as the browser holds it."""
    return dropped.text
