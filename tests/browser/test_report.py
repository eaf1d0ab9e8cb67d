"""The report of an evaluation in Chromium: it opens from disk, whole, and asks for nothing."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import Browser

from training.cohorts import installable_cohort
from training.evaluation import evaluate_files, write_judgement
from training.fit import RULE, train
from training.judge import judge_panel
from training.panel import panel
from training.performance import Settings
from training.study import Folds, read_study
from training.tables import PERSON, out_of_fold_tables

pytestmark = pytest.mark.browser
ORACLES = Path(__file__).parents[1] / "oracles"


@pytest.fixture(scope="module", params=["of a table of risks", "of the demonstration's study"])
def report(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    page = folder / "report.html"
    if request.param == "of a table of risks":
        _of_a_table(folder, page)
    else:
        _of_the_study(page)
    return page


def _of_a_table(folder: Path, page: Path) -> None:
    outcomes = installable_cohort("mgus2").outcomes
    columns = pd.read_csv(ORACLES / "mgus2.csv")
    risks = pd.concat(
        pd.DataFrame(
            {
                "subject_id": outcomes["subject_id"],
                "model": model,
                "horizon_years": 10.0,
                "risk": columns[model],
            }
        )
        for model in ("good", "rule")
    )
    risks.to_csv(folder / "risks.csv", index=False)
    outcomes.to_csv(folder / "outcomes.csv", index=False)
    evaluate_files(folder / "risks.csv", folder / "outcomes.csv", report=page, title="MGUS")


def _of_the_study(page: Path) -> None:
    """As the registry logs it, with fewer folds."""
    study = replace(read_study("mgus"), folds=Folds(count=3, repeats=1))
    trained = train(installable_cohort("mgus2"), study, seed=1, refits=0)
    given = panel(*out_of_fold_tables(trained), cluster_column=PERSON)
    settings = Settings(thresholds=study.gate.thresholds, reference=RULE)
    judged = judge_panel(given, settings)
    write_judgement(judged, given, title="MGUS", settings=settings, report=page)


def test_the_report_opens_from_disk_and_asks_for_nothing(chromium: Browser, report: Path) -> None:
    page = chromium.new_page(offline=True)
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(report.as_uri())
    assert page.title() == "MGUS"
    assert asked == [report.as_uri()]
    assert said == []
    drawings = page.locator("figure svg")
    assert drawings.count() >= 6
    for drawing in drawings.all():
        box = drawing.bounding_box()
        assert box is not None and box["width"] > 200 and box["height"] > 80
    page.close()


def test_the_report_fits_a_telephone(chromium: Browser, report: Path) -> None:
    page = chromium.new_page(viewport={"width": 375, "height": 700})
    page.goto(report.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    page.close()
