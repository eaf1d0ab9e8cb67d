from typing import Any

import pytest

from serving.answer import Answered, answer
from serving.lineup import NOTHING_LEARNED
from serving.request import read_risk
from serving.web.form import EXAMPLE, read_form
from serving.web.texts import texts
from serving.web.treatment import TreatmentTable, treatment_tables


def tables(today: int, *names: str, **changed: str) -> dict[str, TreatmentTable]:
    models = NOTHING_LEARNED.choose(names)
    request, _ = read_risk(read_form({**EXAMPLE, **changed}).document)
    (told,) = answer([request], models, today=today, cards={})
    assert isinstance(told, Answered)
    found = treatment_tables(told.document["estimates"], models, texts("en"))
    return {table.trial.split(",")[0]: table for table in found}


def test_the_reduction_is_the_risk_times_one_minus_the_hazard_ratio(today: int) -> None:
    # AQUILA 0.49 (0.36-0.67) on 20/2/20 high: 0.442 x 0.51 = 22.5 %, x 0.33 = 14.6, x 0.64 = 28.3;
    # five years: 0.82 x 0.51 = 41.8 %, x 0.33 = 27.1, x 0.64 = 52.5.
    found = tables(today, "20-2-20")
    assert found["AQUILA"].rows == (("20-2-20", ("23\xa0% (15–28\xa0%)", "42\xa0% (27–52\xa0%)")),)
    assert "0.49 (0.36-0.67)" in found["AQUILA"].statement
    assert set(found) == {"AQUILA", "E3A06"}


def test_a_model_for_mgus_has_no_reduction(today: int) -> None:
    assert tables(today, "mgus-m-protein") == {}


def test_a_range_of_risks_gives_a_range_and_no_number(today: int) -> None:
    without: dict[str, Any] = {f"visits[{i}].labs.bmpc.value": "" for i in range(3)}
    without |= {f"visits[{i}].labs.kappa_flc.value": "" for i in range(3)}
    ((_, cells),) = tables(today, "20-2-20", **without)["AQUILA"].rows
    # Intermediate or high: 0.179 x 0.33 = 5.9 % to 0.442 x 0.64 = 28 %.
    assert cells[0] == "(5.9–28\xa0%)"


@pytest.mark.parametrize("answered", [True, False])
def test_the_view_stays_behind_its_switch(client: Any, answered: bool) -> None:
    data = {**EXAMPLE, "action": "ask" if answered else "add"}
    html = client.post("/ui/", data=data).text
    assert ('<details id="treatment">' in html) == answered
