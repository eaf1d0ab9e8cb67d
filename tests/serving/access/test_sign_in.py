"""The page behind the door: signing in, asking, and out, as a browser without script does it."""

import time
from http.cookies import SimpleCookie
from typing import Any

import pytest

from serving.access.keys import add_key, revoke_key
from serving.access.sessions import COOKIE

OWN = {"sec-fetch-site": "same-origin"}


def signed_in(guarded: Any, key: str) -> dict[str, str]:
    response = guarded.post("/ui/sign-in", data={"key": f" {key}\n"}, headers=OWN)
    assert (response.status_code, response.headers["location"]) == (303, "/ui/")
    cookie: Any = SimpleCookie(response.headers["set-cookie"])[COOKIE]
    assert (cookie["httponly"], cookie["samesite"], cookie["secure"]) == (True, "Strict", True)
    assert key not in response.headers["set-cookie"]
    return {"cookie": f"{COOKIE}={cookie.value}"}


def test_the_page_leads_to_the_form_and_the_form_to_the_page(guarded: Any, key: str) -> None:
    away = guarded.get("/ui/")
    assert (away.status_code, away.headers["location"]) == (303, "/ui/sign-in")
    form = guarded.get("/ui/sign-in")
    assert form.status_code == 200
    assert 'name="key" type="password"' in form.text
    session = signed_in(guarded, key)
    page = guarded.get("/ui/", headers=session)
    assert page.status_code == 200
    assert 'action="/ui/sign-out"' in page.text
    out = guarded.post("/ui/sign-out", headers=session | OWN)
    assert (out.status_code, out.headers["location"]) == (303, "/ui/sign-in")
    assert f"{COOKIE}=; Max-Age=0" in out.headers["set-cookie"]
    assert out.headers["clear-site-data"] == '"cache"'


def test_an_answer_asked_for_by_form_names_who_signed_in(guarded: Any, room: Any, key: str) -> None:
    import json
    import sqlite3
    from contextlib import closing

    session = signed_in(guarded, key)
    form = {"subject.sex": "female", "subject.age": "61", "visits[0].date": "2025-09-09"}
    form |= {"visits[0].labs.m_protein.value": "2.4"}
    answered = guarded.post("/ui/", data=form, headers=session | OWN)
    assert answered.status_code == 200
    with closing(sqlite3.connect(room.audit.path)) as connection:
        (record,) = connection.execute("SELECT record FROM audit")
    assert json.loads(record[0])["caller"] == "key:everything"


@pytest.mark.parametrize("site", [None, "cross-site", "same-site", "none"])
def test_a_form_from_elsewhere_is_refused(guarded: Any, key: str, site: str | None) -> None:
    session = signed_in(guarded, key)
    headers = session | ({} if site is None else {"sec-fetch-site": site})
    for path in ("/ui/", "/ui/download/csv", "/ui/sign-out", "/v1/risk"):
        assert guarded.post(path, data={"a": "b"}, headers=headers).status_code == 403
    if site in ("cross-site", "same-site"):
        refused = guarded.post("/ui/sign-in", data={"key": key}, headers=headers)
        assert refused.status_code == 403


def test_a_wrong_key_is_told_so_and_opens_nothing(guarded: Any, access_dir: Any) -> None:
    _, closed = add_key(access_dir, "laboratory", ["risk"])
    for typed in ("", "smoulder_wrong", closed):
        response = guarded.post("/ui/sign-in", data={"key": typed}, headers=OWN)
        assert response.status_code == 401
        assert "set-cookie" not in response.headers
        assert "not valid" in response.text
        assert typed == "" or typed not in response.text


def test_a_session_ends_with_its_time_and_with_its_key(
    guarded: Any, access_dir: Any, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.access.keys.LOOK_SECONDS", 0.0)
    session = signed_in(guarded, key)
    now = time.time()
    with monkeypatch.context() as later:
        later.setattr(time, "time", lambda: now + 8 * 3600 + 1)
        assert guarded.get("/ui/", headers=session).status_code == 303
    assert guarded.get("/ui/", headers=session).status_code == 200
    revoke_key(access_dir, "everything")
    assert guarded.get("/ui/", headers=session).status_code == 303


def test_a_cookie_that_was_changed_opens_nothing(guarded: Any, key: str) -> None:
    value = signed_in(guarded, key)["cookie"].partition("=")[2]
    digest, until, signature = value.split(".")
    changed = [
        f"{digest}.{int(until) + 9999}.{signature}",
        f"{'0' * 64}.{until}.{signature}",
        f"{digest}.{until}.{signature[:-1]}",
        f"{digest}.{until}.",
        f"{digest}.{until}",
        "",
        "é",
        "x" * 10_000,
    ]
    for each in changed:
        cookie = f"{COOKIE}={each}".encode("latin-1")
        assert guarded.get("/ui/", headers=[(b"cookie", cookie)]).status_code == 303


def test_without_access_control_there_is_nothing_to_sign_in_to(client: Any) -> None:
    assert client.get("/ui/sign-in").status_code == 404
    assert 'action="/ui/sign-out"' not in client.get("/ui/").text


def test_a_part_of_the_page_is_refused_without_a_session_and_no_form_comes_in_its_place(
    guarded: Any,
) -> None:
    for path in ("/ui/", "/ui/echo/m_protein", "/ui/screening/list"):
        refused = guarded.post(path, headers={"hx-request": "true"} | OWN)
        assert refused.status_code == 401
        assert refused.headers["content-type"] == "application/problem+json"
