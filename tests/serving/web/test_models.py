import html
import json
import re
from pathlib import Path
from typing import Any

import pytest

from serving.web.models import MLFLOW_URL

Client = Any
PAGE = "/ui/models/smm-progression"


def text_of(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


@pytest.fixture
def bundle(room: Any) -> Path:
    """Publish directory of the one learned model."""
    directory: Path = room.models_dir / "smm-progression"
    return directory


def measured(value: float, lower: float, upper: float) -> dict[str, float]:
    return {"value": value, "lower": lower, "upper": upper}


@pytest.fixture
def laid_out(bundle: Path) -> None:
    """What a registry writes beside the artefact, made up."""
    history = [
        {
            "version": "1",
            "aliases": ["champion"],
            "candidate": "logistic",
            "learner": "Regression",
            "cohort": "made-up",
            "cohort_kind": "simulated",
            "gate": "passed",
            "run_id": "b" * 32,
            "created": "2026-01-02T03:04:05+00:00",
        },
    ]
    ends = {"auc": 0.84, "auc_lower": 0.81, "auc_upper": 0.87, "oe": 1.0, "ipa": 0.23}
    row = {"horizon_years": 2.0, "n": 1000, "events": 210, **ends}
    curves = {
        "model": "logistic",
        "horizon_years": 2.0,
        "calibration": {
            "predicted": [0.1, 0.4],
            "observed": [0.12, 0.38],
            "lower": [0.1, 0.3],
            "upper": [0.14, 0.46],
        },
        "decision": {
            "thresholds": [0.1, 0.2],
            "model": [measured(0.12, 0.1, 0.14)] * 2,
            "treat_all": [measured(0.1, 0.1, 0.1), measured(-0.02, 0, 0)],
        },
        "groups": [
            {
                "subjects": 100,
                "events": 12,
                "predicted": 0.11,
                "observed": measured(0.12, 0.07, 0.19),
            }
        ],
    }
    rows = [row | {"model": "logistic"}, row | {"model": "rule"}, row | {"model": "other"}]
    judgement = {"rows": rows, "figures": {"curves": [curves, curves | {"model": "rule"}]}}
    (bundle / "history.json").write_text(json.dumps(history))
    (bundle / "judgement.json").write_text(json.dumps(judgement))
    (bundle / "card.md").write_text("# Title\n\n## Limits\n\n| a | b |\n| - | - |\n| 1 | 2 |\n")


def test_the_list_names_every_model_with_its_source(client: Client) -> None:
    response = client.get("/ui/models")
    assert response.status_code == 200
    said = text_of(response.text)
    for model in client.get("/v1/models").json()["models"]:
        assert f'id="{model["model"]}"' in response.text
        assert model["provenance"]["citation"].split(";")[0] in html.unescape(said)
    assert "champion, version 1" in said
    assert "Demonstration: trained on a simulated cohort" in said


@pytest.mark.usefixtures("laid_out")
def test_a_model_is_shown_with_measures_curves_history_and_card(client: Client) -> None:
    page = client.get(PAGE).text
    said = text_of(page)
    assert "0.84 (0.81–0.87)" in said
    assert "210 / 1000" in said
    assert "Published rule, recalibrated" in said
    assert "other" not in said
    assert page.count('<svg class="figure') == 2  # of this model, not of the rule
    assert "12 % (7.0–19 %)" in said
    assert "2026-01-02" in said
    assert "<h3>Limits</h3>" in page
    assert "Title" not in said


@pytest.mark.usefixtures("laid_out")
def test_a_card_is_text_and_never_markup(client: Client, bundle: Path) -> None:
    hostile = (
        "<script>alert(1)</script>\n\n<img src=x onerror=alert(1)>\n\n"
        "[go](javascript:alert(1)) ![i](https://elsewhere.example/i.png)\n\n"
        "| <b onclick=x>a</b> | b |\n| - | - |\n| 1 | 2 |\n"
    )
    (bundle / "card.md").write_text(hostile)
    history = json.loads((bundle / "history.json").read_text())
    history[0]["learner"] = "<script>alert(2)</script>"
    (bundle / "history.json").write_text(json.dumps(history))
    page = client.get(PAGE).text
    tags = set(re.findall(r"<(\w+)", page.split("</header>")[1]))
    assert not tags & {"script", "img", "b", "style", "iframe"}
    assert "alert(1)" in page
    assert 'href="javascript' not in page


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "{}", '{"rows": 3}', "null", '[{"version": 1}]']
)
def test_what_cannot_be_read_is_left_out_and_the_page_stands(
    client: Client, bundle: Path, content: str
) -> None:
    for name in ("history.json", "judgement.json"):
        (bundle / name).write_text(content)
    response = client.get(PAGE)
    assert response.status_code == 200
    assert "<svg" not in response.text


def test_only_learned_models_have_a_page_and_no_path_leads_elsewhere(client: Client) -> None:
    for name in ("20-2-20", "nobody", "..%2f..", "smm-progression%2f..%2f.."):
        assert client.get(f"/ui/models/{name}").status_code == 404


@pytest.mark.parametrize(
    ("configured", "shown"),
    [
        ("", False),
        ("http://mlflow.hospital:5000/", True),
        ("javascript:alert(1)", False),
        ("file:///etc/passwd", False),
    ],
)
def test_mlflow_is_linked_where_an_address_is_configured(
    client: Client, monkeypatch: pytest.MonkeyPatch, configured: str, shown: bool
) -> None:
    monkeypatch.setenv(MLFLOW_URL, configured)
    page = client.get(PAGE).text
    link = 'href="http://mlflow.hospital:5000/#/models/smm-progression/versions/1"'
    assert (link in page) == shown
    assert ("MLflow" in page) == shown
