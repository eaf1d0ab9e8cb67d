"""The recipes: parsed, since no container engine is needed to see what they promise."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from serving.run import serve
from serving.supervisor import ENDING_SECONDS

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
RECIPES = ("Containerfile", "Containerfile.registry")
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))


def copied(name: str) -> set[str]:
    """What a recipe copies from the checkout."""
    text = (DEPLOY / name).read_text(encoding="utf-8")
    lines = re.findall(r"^COPY (?!--from)(.+)$", text, re.MULTILINE)
    return {source for line in lines for source in line.split()[:-1]}


def test_an_engine_is_sent_what_the_recipes_copy_and_nothing_else() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if not line.startswith("#")]
    assert rules[0] == "*"
    allowed = {rule.removeprefix("!") for rule in rules if rule.startswith("!")}
    assert allowed == {source for name in RECIPES for source in copied(name)}


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_ends_as_nobody_and_copies_code_only(name: str) -> None:
    text = (DEPLOY / name).read_text(encoding="utf-8")
    users = re.findall(r"^USER (.+)$", text, re.MULTILINE)
    assert users == ["10001:10001"]
    assert text.index("USER 10001") < text.index("ENTRYPOINT")
    assert not re.search(r"^USER|^ADD|latest", text[text.index("ENTRYPOINT") :], re.MULTILINE)
    for source in copied(name):
        assert (ROOT / source).exists(), source
        assert not source.startswith(("mlruns", "tests", ".")), source
    assert "ARG" not in text  # nothing secret can be built in
    assert re.findall(r"^FROM (\S+)", text, re.MULTILINE) == [
        "docker.io/library/python:3.13-slim"
    ] * text.count("\nFROM ")


def test_the_service_is_watched_stopped_gently_and_guarded() -> None:
    text = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
    assert "/livez" in text
    assert "STOPSIGNAL SIGTERM" in text
    assert "--no-access" not in text
    assert "BENTOML_DO_NOT_TRACK=True" in text
    entry = re.search(r"^ENTRYPOINT (\[.*\])$", text, re.MULTILINE)
    assert entry is not None
    program, command, *options = yaml.safe_load(entry[1])
    assert (program, command) == ("smoulder", "serve")
    known = serve.__kwdefaults__ or {}
    assert {each.removeprefix("--") for each in options if each.startswith("--")} <= set(known)


def test_only_the_service_has_a_port_and_it_is_on_loopback() -> None:
    services = COMPOSE["services"]
    assert set(services) == {"database", "registry", "service"}
    assert services["service"]["ports"] == ["127.0.0.1:3000:3000"]
    assert not any("ports" in services[name] for name in ("database", "registry"))
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    for name in ("registry", "service"):
        each = services[name]
        assert each["read_only"] is True
        assert each["cap_drop"] == ["ALL"]
        assert (DEPLOY / each["build"]["context"]).resolve() == ROOT
        assert (ROOT / each["build"]["dockerfile"]).is_file()


def test_the_service_is_given_longer_to_stop_than_its_supervisor_gives_the_workers() -> None:
    grace = str(COMPOSE["services"]["service"]["stop_grace_period"])
    assert int(grace.removesuffix("s")) > ENDING_SECONDS


def test_the_database_is_ready_when_it_is_reached_as_others_reach_it() -> None:
    # While the image makes the databases its server listens at the socket only.
    assert "--host=127.0.0.1" in COMPOSE["services"]["database"]["healthcheck"]["test"]


def test_every_name_in_the_composition_leads_somewhere_and_no_password_stands_in_it() -> None:
    text = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
    assert not re.search(r"PASSWORD: |://[^@\s]*:[^@\s]*@", text)
    for each in COMPOSE["services"].values():
        assert set(each.get("secrets", ())) <= set(COMPOSE["secrets"])
        assert set(each["networks"]) <= set(COMPOSE["networks"])
        assert set(each.get("depends_on", {})) <= set(COMPOSE["services"])
        for volume in each.get("volumes", ()):
            source = volume.split(":")[0]
            assert source in COMPOSE["volumes"] or (DEPLOY / source).is_file(), source
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").split()
    assert "deploy/secrets/" in ignored
    assert {each["file"].split("/")[1] for each in COMPOSE["secrets"].values()} == {"secrets"}
