import hashlib
import re
from typing import Any

import pytest

from serving.web.frame import NAVIGATION, STATIC

Client = Any

# sha256sum of dist/htmx.min.js in the npm package htmx.org 2.0.11
HTMX = "d6fdc75f204e6bdefa99b69bf1e6d4ac69b8a364f77929f45c13476b4000f717"


def language(client: Client, path: str = "/ui/", **headers: str) -> str:
    page = client.get(path, headers=headers).text
    found = re.search(r'<html lang="(\w+)">', page)
    assert found is not None
    return found[1]


@pytest.mark.parametrize(
    ("wanted", "spoken"),
    [
        ("", "en"),
        ("de", "de"),
        ("de-CH,de;q=0.9,en;q=0.8", "de"),
        ("fr, en;q=0.5, de;q=0.7", "de"),
        ("fr", "en"),
        ("de;q=x, en", "en"),
        (";;,=;q=1", "en"),
    ],
)
def test_the_browser_says_which_language_is_spoken(
    client: Client, wanted: str, spoken: str
) -> None:
    assert language(client, **{"accept-language": wanted}) == spoken


def test_a_chosen_language_wins_and_is_remembered(client: Client) -> None:
    response = client.get("/ui/?lang=de", headers={"accept-language": "en"})
    assert 'lang="de"' in response.text
    cookie = response.headers["set-cookie"]
    assert cookie.startswith("smoulder_language=de;")
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert language(client, cookie=cookie.partition(";")[0]) == "de"
    assert language(client, "/ui/?lang=en", cookie=cookie.partition(";")[0]) == "en"


@pytest.mark.parametrize("hostile", ["xx", "..", "%00", "de<script>"])
def test_a_language_that_is_none_is_not_spoken_and_not_kept(client: Client, hostile: str) -> None:
    response = client.get("/ui/", params={"lang": hostile})
    assert '<html lang="en">' in response.text
    assert "set-cookie" not in response.headers
    assert language(client, cookie=f"smoulder_language={hostile}") == "en"


def test_the_policy_allows_this_server_alone_and_nothing_inline(client: Client) -> None:
    policy = client.get("/ui/").headers["content-security-policy"]
    allowed = set(re.findall(r"'[\w-]+'|\bhttps?:|\*|\bdata:", policy))
    assert allowed == {"'none'", "'self'"}
    assert policy.startswith("default-src 'none'")


def test_the_vendored_script_is_the_one_that_was_read(client: Client) -> None:
    script = client.get("/ui/static/htmx.min.js").content
    assert hashlib.sha256(script).hexdigest() == HTMX


def test_htmx_is_told_to_evaluate_nothing_and_to_keep_nothing(client: Client) -> None:
    config = re.search(r"name=\"htmx-config\" content='([^']+)'", client.get("/ui/").text)
    assert config is not None
    for setting in (
        '"allowEval": false',
        '"allowScriptTags": false',
        '"includeIndicatorStyles": false',
        '"selfRequestsOnly": true',
        '"historyEnabled": false',
    ):
        assert setting in config[1]


def test_no_path_of_static_files_leads_elsewhere(client: Client) -> None:
    for name in STATIC:
        assert client.get(f"/ui/static/{name}").status_code == 200
    for name in ("..%2Fpage.py", "page.html", "../texts/en.toml"):
        assert client.get(f"/ui/static/{name}").status_code == 404


def test_every_page_leads_to_every_other(client: Client) -> None:
    page = client.get("/ui/models").text
    for path in NAVIGATION.values():
        assert f'href="{path}"' in page
    assert page.count('aria-current="page"') == 1


def test_pages_wait_for_the_way_back_in_the_browser_and_answers_are_kept_nowhere(
    client: Client,
) -> None:
    for path in ("/ui/", "/ui/screening", "/ui/models"):
        assert client.get(path).headers["cache-control"] == "no-cache"
    typed = {"subject.sex": "female", "subject.age": "61"}
    for path in ("/ui/", "/ui/echo/m_protein"):
        assert client.post(path, data=typed).headers["cache-control"] == "no-store"


def test_a_script_is_asked_for_by_its_content_so_that_no_page_meets_an_older_one(
    client: Client,
) -> None:
    asked = re.findall(r'"(/ui/static/[\w.]+)\?(\w+)"', client.get("/ui/").text)
    assert "/ui/static/page.js" in dict(asked)
    for path, version in asked:
        assert hashlib.sha256(client.get(path).content).hexdigest().startswith(version)
    assert "/ui/static/" not in re.sub(r'"/ui/static/[\w.]+\?\w+"', "", client.get("/ui/").text)
