import re
from pathlib import Path

import pytest

from features.errors import InputError
from serving.access.keys import add_key
from serving.access.settings import callers_exist, make_secret, read_settings, settings_of

ISSUER = """
[[issuer]]
issuer = "https://login.example.org"
audience = "smoulder"
jwks = "https://login.example.org/certs"
"""

EHR = """
[[ehr]]
issuer = "https://ehr.example.org"
jwks = "https://ehr.example.org/jwks.json"
public_url = "https://smoulder.example.org"
"""


def test_without_a_file_nobody_is_let_in(tmp_path: Path) -> None:
    assert read_settings(tmp_path / "nowhere").issuers == ()
    assert not callers_exist(tmp_path / "nowhere")


def test_a_key_or_an_issuer_lets_somebody_in(tmp_path: Path) -> None:
    add_key(tmp_path / "a", "ward", ["risk"])
    assert callers_exist(tmp_path / "a")
    (tmp_path / "access.toml").write_text(ISSUER)
    assert callers_exist(tmp_path)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("[rates]", "rates"),
        ("rate = 3", "rate.rate"),
        ("[rate]\nper_hour = 3", "rate.per_hour"),
        ("[rate]\nper_minute = 0", "rate.per_minute"),
        ("[rate]\nper_minute = true", "rate.per_minute"),
        ("[rate]\nper_minute = inf", "rate.per_minute"),
        ("[rate]\nburst = 0.5", "rate.burst"),
        ("[session]\nhours = inf", "session.hours"),
        ("[session]\nhours = nan", "session.hours"),
        ("[session]\nsecure = 1", "session.secure"),
        ("issuer = 3", "issuer"),
        ("[[issuer]]\nissuer = 'a'", "issuer[0].audience"),
        (ISSUER + "algorithms = ['none']", "issuer[0].algorithms"),
        (ISSUER + "algorithms = ['HS256']", "issuer[0].algorithms"),
        (ISSUER + "algorithms = []", "issuer[0].algorithms"),
        (ISSUER + "grants = ['all']", "issuer[0].grants"),
        (ISSUER + "algorithms = [['RS256']]", "issuer[0].algorithms"),
        (ISSUER + "grants = [['risk']]", "issuer[0].grants"),
        (ISSUER + "scope_claim = 5", "issuer[0].scope_claim"),
        (ISSUER + "scope_prefix = ['a']", "issuer[0].scope_prefix"),
        (ISSUER + "most_seconds = nan", "issuer[0].most_seconds"),
        (ISSUER + "most_seconds = 'a day'", "issuer[0].most_seconds"),
        (ISSUER + ISSUER, "issuer[1].issuer: is listed already"),
        (ISSUER + "verify = false", "issuer[0].verify"),
        (ISSUER.replace("login.example.org/certs", ""), "issuer[0].jwks"),
        (ISSUER.replace("login.example.org/certs", "[::1"), "issuer[0].jwks"),
        (EHR.replace("https://smoulder.example.org", "smoulder"), "ehr[0].public_url"),
        (ISSUER.replace("https://login.example.org/c", "http://login.example.org/c"), "jwks"),
        (ISSUER.replace("https://login.example.org/certs", "nowhere.json"), "jwks"),
    ],
)
def test_a_setting_that_is_not_understood_is_named(tmp_path: Path, text: str, field: str) -> None:
    (tmp_path / "access.toml").write_text(text)
    with pytest.raises(InputError, match=re.escape(field)):
        read_settings(tmp_path)


def test_what_a_server_was_started_with_holds_whatever_becomes_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "access.toml").write_text(ISSUER + EHR)
    assert callers_exist(tmp_path)
    (tmp_path / "access.toml").write_text("[rat")
    held = settings_of(tmp_path)
    assert (len(held.issuers), len(held.ehrs)) == (1, 1)


@pytest.mark.parametrize("text", ["[", "a = " + "[" * 100_000])
def test_a_file_that_is_no_toml_is_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "access.toml").write_text(text)
    with pytest.raises(InputError, match=r"access\.toml"):
        read_settings(tmp_path)


def test_the_secret_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    secret = make_secret(tmp_path)
    assert len(secret) == 32
    assert make_secret(tmp_path) == secret
    assert (tmp_path / "session.key").stat().st_mode & 0o077 == 0


def test_an_empty_secret_signs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serving.keyfile.PATIENCE_SECONDS", 0.05)
    (tmp_path / "session.key").touch()
    with pytest.raises(InputError, match=r"session\.key"):
        make_secret(tmp_path)
