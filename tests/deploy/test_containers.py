"""The recipes: parsed, since no container engine is needed to see what they promise."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from models.signature import make_signing_key, read_trusted, sign, signing_key, verify_signature
from serving.lifecycle import trusted_beside
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
    assert set(services) == {"database", "registry", "trainer", "service"}
    assert services["service"]["ports"] == ["127.0.0.1:3000:3000"]
    assert not any("ports" in services[name] for name in set(services) - {"service"})
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    for name in ("registry", "trainer", "service"):
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


def mounts(name: str) -> dict[str, list[str]]:
    """Volume, and where and how a service mounts it."""
    volumes = COMPOSE["services"][name].get("volumes", ())
    return {volume: where for volume, *where in (each.split(":") for each in volumes)}


def test_the_private_key_is_the_trainers_alone_and_the_service_cannot_add_to_what_it_trusts() -> (
    None
):
    holders = [name for name in COMPOSE["services"] if "signing" in mounts(name)]
    assert holders == ["trainer"]
    assert mounts("service")["trusted"] == [str(trusted_beside(Path("/runs/serving"))), "ro"]
    assert mounts("service")["runs"] == mounts("trainer")["runs"] == ["/runs"]
    assert "runs" not in mounts("registry")
    # Called by hand, never started with the others.
    assert COMPOSE["services"]["trainer"]["profiles"]


def test_the_key_made_as_the_page_says_signs_for_the_trainer_and_is_trusted_by_the_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (ROOT / "docs" / "deployment.md").read_text(encoding="utf-8")
    made = re.search(r"trainer keys signing --runs (\S+)", page)
    assert made is not None
    ((signing,), (trusted,)) = (mounts("trainer")[volume] for volume in ("signing", "trusted"))
    assert made[1] == signing
    volume = tmp_path / "trusted"
    volume.mkdir()
    within = tmp_path / signing.lstrip("/")
    within.mkdir()
    (within / Path(trusted).relative_to(signing)).symlink_to(volume)
    name = make_signing_key(within)
    key = COMPOSE["services"]["trainer"]["environment"]["SMOULDER_SIGNING_KEY"]
    monkeypatch.setenv("SMOULDER_SIGNING_KEY", f"{tmp_path}{key}")
    chosen = signing_key(tmp_path / "runs")
    assert chosen is not None
    artefact = tmp_path / "artefact"
    artefact.mkdir()
    (artefact / "SHA256SUMS").write_text("")
    sign(artefact, chosen)
    assert verify_signature(artefact, read_trusted(volume)) == name
    # Nothing but the public key is where the service looks.
    assert [path.name for path in volume.iterdir()] == [f"{name}.pem"]
    assert "PRIVATE" not in (volume / f"{name}.pem").read_text()


@pytest.mark.parametrize("name", RECIPES)
def test_a_new_volume_is_the_users_wherever_an_image_mounts_it(name: str) -> None:
    # An engine gives a new volume the owner of the folder that the image has in its place.
    text = (DEPLOY / name).read_text(encoding="utf-8").replace("\\\n", " ")
    found = re.search(r"install -d -o smoulder -g smoulder -m 0700 +(.+)$", text, re.MULTILINE)
    assert found is not None
    users = [
        service
        for service, each in COMPOSE["services"].items()
        if each.get("build", {}).get("dockerfile") == f"deploy/{name}"
    ]
    assert users
    mounted = {where[0] for service in users for where in mounts(service).values()}
    assert mounted <= set(found[1].split())


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
